"""What a report tells of the rows that there are, in both databases."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from openai_audit_report.access import MOST_OWNERS, MOST_ROLES
from openai_audit_report.activity import MOST_SENTENCES, MOST_SENTENCES_A_DAY
from openai_audit_report.findings import MOST_NOT_TOLD, MOST_OF_A_RULE
from openai_audit_report.settings import settings
from openai_audit_report.warehouse import WarehouseFailed
from report_tests.stage import DAY, EVENT, FINDING, NOW, ROOT, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database

STATEMENTS = re.findall(
    r"```sql\n(.*?)```", (ROOT / "docs" / "report.md").read_text("utf-8"), re.DOTALL
)


def section(page: str, name: str) -> str:
    """The text of a section, its markup left out."""
    (part,) = re.findall(
        rf'<section aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL
    )
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", part.replace("<wbr>", "")))


def test_a_model_or_a_column_that_is_missing_is_left_out(stage: Stage) -> None:
    stage.add("events", EVENT)
    stage.drop("access")
    stage.drop("findings_now")
    stage.execute(f"alter table {stage.schema}.openai_audit__events drop column city")
    page = stage.build()
    assert "Ada Lovelace made the project" in page
    missing = ["openai_audit__findings_now", "openai_audit__access"]
    assert all(f"<code>{model}</code>" in page for model in missing)
    assert stage.manifest["models_missing"] == missing


def test_a_schema_without_models_is_refused_with_what_to_run(stage: Stage) -> None:
    with pytest.raises(WarehouseFailed, match=r"run `dbt:build`"):
        stage.build(DBT_SCHEMA="elsewhere")


def test_only_the_period_and_the_organization_are_told(stage: Stage) -> None:
    other = {"organization_id": "org-2", "account_id": "org-2"}
    before = {"occurred_at": "2026-10-29 23:59:59"}
    stage.add(
        "events",
        EVENT,
        EVENT | {"event_id": "2", "sentence": "too early"} | before,
        EVENT | {"event_id": "3", "sentence": "of another one"} | other,
    )
    gone = {"first_event_at": before["occurred_at"]}
    gone |= {"last_event_at": before["occurred_at"]}
    stage.add(
        "findings",
        FINDING,
        FINDING | {"finding_id": "2", "sentence": "too early"} | gone,
        FINDING
        | {"finding_id": "3", "sentence": "of another one"}
        | {"organization_id": "org-2"},
    )
    stage.add("coverage", DAY, DAY | {"organization_id": "org-2"})
    owner = {"access_kind": "member", "role": "owner", "organization_id": "org-1"}
    stage.add(
        "access",
        owner | {"principal_id": "user-1"},
        owner | {"principal_id": "user-of-another", "organization_id": "org-2"},
    )
    page = stage.build(REPORT_ORGANIZATION_ID="org-1")
    assert "too early" not in page
    assert "of another" not in page
    assert "of-another" not in page
    assert "org-2" not in page
    rows = {"events": 1, "findings": 1, "access": 1, "coverage": 1}
    assert stage.manifest["rows"] == rows
    assert "of another one" in stage.build()


def test_a_finding_is_not_counted_if_it_is_suppressed_or_no_longer_holds(
    stage: Stage,
) -> None:
    stage.add(
        "findings",
        FINDING,
        FINDING | {"finding_id": "0"},
        FINDING | {"finding_id": "2", "suppressed_reason": "for the audit"},
        FINDING | {"finding_id": "3"},
        FINDING | {"finding_id": "4", "severity": "of tomorrow"},
    )
    stage.add(
        "findings_now",
        {"finding_id": "finding-1", "holds": False},
        {"finding_id": "3", "holds": True, "suppressed_reason": "since today"},
    )
    found = section(stage.build(), "findings")
    assert "No longer hold: 1 finding " in found
    assert "Suppressed: 2 findings" in found
    assert "for the audit" in found
    assert "since today" in found
    assert "High: 1 finding " in found
    # What nobody knows may be worse than all that is known.
    assert found.index("Of tomorrow: 1 finding") < found.index("High: 1 finding")
    assert stage.manifest["findings"] == {"of tomorrow": 1, "high": 1}
    assert stage.manifest["rows"]["findings"] == 5


def test_what_no_longer_holds_alarms_nobody(stage: Stage) -> None:
    stage.add("rules", {"rule": "owner_added"})
    stage.add("findings", FINDING)
    stage.add("findings_now", {"finding_id": "finding-1", "holds": False})
    page = stage.build()
    assert '<div class="alarm">' not in page
    assert "Ada Lovelace made Grace Hopper an owner" in section(page, "findings")


def test_lists_that_end_early_say_how_many_there_are(stage: Stage) -> None:
    many = MOST_NOT_TOLD + 1
    stage.add(
        "findings",
        *(
            FINDING | {"finding_id": f"{kind}-{number}", "suppressed_reason": reason}
            for kind, reason in (("held", None), ("quiet", "a test"))
            for number in range(many)
        ),
    )
    stage.add(
        "findings_now",
        *({"finding_id": f"held-{number}", "holds": False} for number in range(many)),
    )
    stage.add(
        "access",
        *(
            {"access_kind": "member", "role": f"role {number}"}
            for number in range(MOST_ROLES + 1)
        ),
    )
    page = stage.build()
    found = section(page, "findings")
    assert found.count(f"{MOST_NOT_TOLD} of {many}. All of them are in") == 2
    roles = f"{MOST_ROLES} of {MOST_ROLES + 1}. All of them are in"
    assert roles in section(page, "access")


def test_many_findings_of_a_rule_hide_no_other(stage: Stage) -> None:
    stage.add(
        "findings",
        *(
            FINDING
            | {"finding_id": f"flood-{number:03}", "sentence": f"flood {number}"}
            | {"rule": "brute", "title": "A flood"}
            | {"last_event_at": f"2026-11-27 10:{number // 60:02}:{number % 60:02}"}
            for number in range(900)
        ),
        FINDING | {"sentence": "what the flood was for"},
        FINDING
        | {"finding_id": "2", "severity": "medium", "rule": "brute"}
        | {"sentence": "less severe"},
    )
    found = section(stage.build(), "findings")
    assert "flood 899" in found
    assert found.count("flood 8") == MOST_OF_A_RULE
    assert f"and {900 - MOST_OF_A_RULE} more of this rule" in found
    assert "what the flood was for" in found
    assert "less severe" in found
    assert f"{MOST_OF_A_RULE + 2} of 902" in found


def test_findings_begin_with_an_overview_by_rule(stage: Stage) -> None:
    stage.add(
        "findings",
        FINDING,
        FINDING | {"finding_id": "2", "last_event_at": "2026-11-21 09:00:00"},
        FINDING | {"finding_id": "3", "severity": "low", "title": "Of less weight"},
    )
    page = stage.build()
    overview = section(page, "findings").partition("High: 2 findings")[0]
    assert "Somebody became an owner high 2 2026-11-21 " in overview
    assert "Of less weight low 1 2026-11-20 " in overview
    for place in ("card-1", "card-2"):
        assert f'href="#{place}"' in page
        assert f'id="{place}"' in page


def test_events_of_a_finding_are_placed_between_its_first_and_its_last(
    stage: Stage,
) -> None:
    ids = [f"event-{number}" for number in range(1, 41)]
    # Of forty events three are known, and they are of the first half of its time.
    stage.add("events", *(EVENT | {"event_id": id_} for id_ in ids[:2]))
    stage.add(
        "events",
        EVENT | {"event_id": ids[2], "occurred_at": "2026-11-20 18:00:00"},
    )
    stage.add(
        "findings",
        FINDING
        | {"event_ids": json.dumps([*ids, ids[0]]), "event_count": 40}
        | {"last_event_at": "2026-11-21 00:00:00"},
    )
    page = stage.build()
    found = section(page, "findings")
    assert found.count("Ada Lovelace made the project") == 3
    assert "and 37 more" in found
    (chart,) = re.findall(r'<svg [^>]*class="moments".*?</svg>', page, re.DOTALL)
    # Of a line of 600 pixels, the middles of strokes that are 3 wide.
    left = re.findall(r'd="M([-\d.]+),1h3', chart)
    assert [float(x) + 1.5 for x in left] == [0, 0, 300]


@pytest.mark.parametrize(
    "ids",
    ['["\\ud800", "event-1"]', '["\\u0000", "event-1"]', "[" * 9999, "{}", "x", None],
    ids=["half a character", "zero", "nested", "no list", "no JSON", "null"],
)
def test_ids_that_are_none_are_no_obstacle(
    duckdb_stage: Stage, ids: str | None
) -> None:
    duckdb_stage.add("events", EVENT)
    duckdb_stage.add("findings", FINDING | {"event_ids": ids, "event_count": 2})
    found = section(duckdb_stage.build(), "findings")
    assert "Ada Lovelace made Grace Hopper an owner" in found
    assert ("made the project" in found) == ("event-1" in (ids or ""))


def test_a_busy_day_leaves_room_and_what_is_left_out_is_said(stage: Stage) -> None:
    many = MOST_SENTENCES_A_DAY + 5
    stage.add(
        "events",
        *(
            EVENT
            | {
                "event_id": f"{day}-{number:03}",
                "occurred_at": f"2026-11-{day:02} 10:00:{number:02}",
                "event_type": "file.shared" if number % 5 else "project.created",
                "sentence": f"event {number} of day {day}",
            }
            for day in range(1, 9)
            for number in range(many)
        ),
    )
    told = section(stage.build(), "timeline")
    assert f"{MOST_SENTENCES} of {8 * many} events" in told
    assert len(re.findall(r"event \d+ of day \d", told)) == MOST_SENTENCES
    # Each day has a share, and of each day what is rare and then what is new.
    for day in range(1, 9):
        assert f"event 0 of day {day}" in told
        assert f"event 34 of day {day}" in told
        assert f"event 1 of day {day}" not in told
    left_out = [int(number) for number in re.findall(r"(\d+) file.shared", told)]
    assert sum(left_out) == 8 * many - MOST_SENTENCES
    assert len(left_out) == 8


def test_what_findings_are_about_is_told_whatever_came_after_it(stage: Stage) -> None:
    later = [
        EVENT
        | {"event_id": f"later-{day}-{number:03}", "event_type": f"kind-{number % 3}"}
        | {"occurred_at": f"2026-11-{day} 1{number % 10}:00:{number // 10:02}"}
        for day in range(20, 29)
        for number in range(MOST_SENTENCES_A_DAY + 10)
    ]
    common = {"event_type": "kind-0", "occurred_at": "2026-11-20 09:00:00"}
    stage.add(
        "events",
        EVENT | common | {"event_id": "found", "sentence": "of a finding"},
        EVENT | common | {"event_id": "other", "sentence": "of none"},
        EVENT
        | {"event_id": "rare", "event_type": "rare", "sentence": "seldom seen"}
        | {"occurred_at": "2026-11-20 08:00:00"},
        *later,
    )
    stage.add("findings", FINDING | {"event_ids": '["found"]'})
    told = section(stage.build(), "timeline")
    assert "of a finding" in told
    assert "seldom seen" in told
    assert "of none" not in told
    # In order of time, whatever was chosen first.
    assert told.index("of a finding") < told.index("seldom seen")


def test_only_hours_of_sign_ins_that_were_there_are_drawn(stage: Stage) -> None:
    stage.add(
        "events",
        *(
            EVENT
            | {"event_id": str(hour), "event_type": "login.failed"}
            | {"outcome": "failed", "occurred_at": f"2026-11-20 {hour}:30:00"}
            for hour in (11, 12)
        ),
        EVENT
        | {"event_id": "13", "event_type": "login.failed", "outcome": "failed"}
        | {"occurred_at": "2026-11-20 12:45:00"},
    )
    told = section(stage.build(), "sign-ins")
    assert (
        "Failed, by weekday and hour in UTC; busiest: Fri 12\N{EN DASH}13 h, 2" in told
    )
    assert "Succeeded, by weekday" not in told


def test_a_day_shows_its_worst_verdict_and_what_is_missing_is_alarming(
    stage: Stage,
) -> None:
    stage.add(
        "coverage",
        DAY | {"day": "2026-11-02 00:00:00"},
        DAY | {"workspace_id": "w", "source": "workspace_audit", "file_id": "a"},
        DAY
        | {"workspace_id": "w", "source": "workspace_audit", "file_id": "b"}
        | {"verdict": "missing", "events_in_table": 3, "events_in_digest": 4},
        DAY
        | {"verdict": None, "runs": 2, "runs_incomplete": 1, "events_late": 3}
        | {"greatest_lateness_seconds": 1800, "longest_gap_seconds": 400},
    )
    page = stage.build()
    assert "1 of the days and files lack events" in page
    assert '<div class="alarm"><dt><a href="#completeness">' in page
    told = section(page, "completeness")
    assert "1 proven, 1 missing" in told
    assert "2 runs, 1 of them in full; at most 6 min 40 s between two" in told
    assert "3 events came late, by 30 min at most" in told
    assert page.count('fill="var(--missing)"') == 2 + 1  # of two widths, and the legend
    assert stage.manifest["verdicts"] == {"proven": 2, "missing": 1}


def test_who_was_made_an_owner_last_comes_first_however_long_they_are_there(
    stage: Stage,
) -> None:
    owner = {"access_kind": "member", "role": "owner"}
    stage.add(
        "access",
        *(
            owner | {"principal_id": f"user-{number}", "since": "2026-11-01"}
            for number in range(MOST_OWNERS)
        ),
        owner
        | {"principal_id": "promoted", "role": "Owner", "since": "2024-09-27"}
        | {"granted_at": "2026-11-09 08:00:00", "granted_by": "Ada Lovelace"},
        owner
        | {"principal_email": "grace@example.com", "access_kind": "invitation"}
        | {"since": "2026-11-08"},
    )
    told = section(stage.build(), "access")
    assert told.index("promoted") < told.index("grace@example.com")
    assert told.index("grace@example.com") < told.index("user-0")
    assert "2026-11-09 08:00 by Ada Lovelace ; joined 2024-09-27" in told
    assert "invited not in the log invited 2026-11-08" in told
    assert f"{MOST_OWNERS} of {MOST_OWNERS + 2}" in told


def test_keys_are_counted_by_age_and_use_and_the_idle_ones_named(stage: Stage) -> None:
    key = {"access_kind": "api_key", "owner_is_gone": False}
    stage.add(
        "access",
        key | {"principal_id": "new", "since": "2999-01-01"},
        key | {"principal_id": "old", "since": "2020-01-01"},
        key
        | {"principal_id": "used", "since": "2020-01-01", "last_seen_at": "2999-01-01"},
        key | {"principal_id": "left", "since": "2999-01-01", "owner_is_gone": True},
        key
        | {"principal_id": "of an admin", "access_kind": "admin_api_key"}
        | {"since": "2020-01-01"},
    )
    told = section(stage.build(), "access")
    counted = told.replace("\N{EN DASH}", "-").replace(" ", "")
    assert "upto30days----2" in counted
    assert "morethan365days1---2" in counted
    idle = told.partition("whose owner is gone")[2]
    assert "left" in idle
    assert "of an admin" in idle
    assert "old" in idle
    assert "used " not in idle.replace("Last used ", "")
    assert idle.index("left") < idle.index("old")


def test_what_is_not_known_of_a_key_is_said_to_be_unknown(stage: Stage) -> None:
    fine = "Each key was used within 90 days"
    key = {"access_kind": "api_key", "owner_is_gone": False, "since": "2999-01-01"}
    stage.add("access", key)
    assert fine in section(stage.build(), "access")
    stage.add(
        "access",
        key | {"owner_is_gone": None},
        key | {"since": None},
        key | {"since": None, "last_seen_at": "2999-01-01"},
    )
    told = section(stage.build(), "access")
    assert fine not in told
    assert "No key is known to be unused" in told
    assert "Whether the owner is there is not known of 1 of 4 keys" in told
    assert "When it was made or used is not known of 1 of 4 keys" in told
    counted = told.replace("\N{EN DASH}", "-").replace(" ", "")
    assert "morethan365days-----notknown1---1" in counted


def test_where_there_are_several_organizations_each_row_names_its_own(
    stage: Stage,
) -> None:
    other = {"organization_id": "org-2", "account_id": "org-2"}
    stage.add("events", EVENT)
    stage.add("findings", FINDING, FINDING | {"finding_id": "2", "severity": "low"})
    owner = {"access_kind": "member", "role": "owner", "organization_id": "org-1"}
    stage.add("access", owner | {"principal_name": "Ada"})
    alone = stage.build()
    parts = ("findings", "busiest", "access", "timeline")
    assert not any("org-1" in section(alone, part) for part in parts)
    stage.add("events", EVENT | other | {"actor_email": "grace@example.com"})
    stage.add("findings", FINDING | {"finding_id": "3", "organization_id": "org-2"})
    stage.add("access", owner | {"organization_id": "org-2", "principal_name": "Bob"})
    page = stage.build()
    for part in parts:
        assert "org-1" in section(page, part)
        assert "org-2" in section(page, part)
    # The address of both is one.
    assert "in 2 accounts" in section(page, "busiest")


def test_keys_of_one_name_are_told_apart_and_a_person_is_one_however_written(
    stage: Stage,
) -> None:
    key = {"api_key_name": "nightly"}
    stage.add(
        "events",
        EVENT | key | {"api_key_id": "key-1"},
        EVENT | key | {"api_key_id": "key-2", "actor_email": "ADA@example.com"},
        EVENT | {"api_key_id": "key-3", "api_key_name": "weekly"},
    )
    listed = {"access_kind": "admin_api_key", "principal_name": "hourly"}
    stage.add(
        "access",
        listed | {"principal_id": "key-4"},
        listed | {"principal_id": "key-5"},
        listed | {"principal_id": "key-6", "principal_name": "daily"},
    )
    page = stage.build()
    busiest = section(page, "busiest")
    assert "nightly key-1 ·" in busiest
    assert "nightly key-2 ·" in busiest
    assert "key-3" not in busiest
    assert "2026-11-20 12:00 3 \N{EN DASH}" in busiest
    access = section(page, "access")
    assert "hourly key-4 ·" in access
    assert "hourly key-5 ·" in access
    assert "key-6" not in access


def test_names_and_places_are_those_of_the_newest_event(stage: Stage) -> None:
    stage.add(
        "events",
        EVENT | {"country": "CH", "city": "Zurich", "actor_name": "Zoe, who married"},
        EVENT
        | {"country": "US", "city": "Austin", "occurred_at": "2026-11-21 09:00:00"},
        EVENT
        | {"country": None, "actor_name": None}
        | {"occurred_at": "2026-11-22 09:00:00"},
    )
    busiest = section(stage.build(), "busiest")
    assert "Austin, US ·" in busiest
    assert "Zurich" not in busiest
    assert "Ada Lovelace" in busiest
    assert "Zoe" not in busiest


def test_all_answers_are_of_one_moment(postgres: Database, tmp_path: Path) -> None:
    with Stage.made(tmp_path, postgres) as stage:
        stage.add("events", EVENT)
        count = f"select count(*) as n from {stage.schema}.openai_audit__events"
        with settings(stage.environment, NOW).warehouse.snapshot() as query:
            before = query(count, {})
            stage.add("events", EVENT)
            assert query(count, {}) == before


def test_a_report_cannot_write(stage: Stage) -> None:
    warehouse = settings(stage.environment, NOW).warehouse
    with (
        pytest.raises(WarehouseFailed, match="read-only"),
        warehouse.snapshot() as query,
    ):
        query(f"create table {stage.schema}.x (y text)", {})


@pytest.mark.xdist_group("postgres")
def test_a_role_with_the_documented_rights_is_enough(
    postgres: Database, tmp_path: Path
) -> None:
    with Stage.made(tmp_path, postgres) as stage:
        stage.add("events", EVENT)
        role = stage.schema.replace("answers", "report")
        given = {"REPORT_USER": role, "REPORT_PASSWORD": "made-up"}
        (statements,) = STATEMENTS
        own = re.sub(r"\bopenai_audit(?=[.;\n ])", stage.schema, statements)
        own = own.replace("openai_audit_report", role).replace("'...'", "'made-up'")
        create, *grants = own.strip().split(";\n")
        stage.execute(create)
        with pytest.raises(WarehouseFailed, match=re.escape("docs/report.md")):
            stage.build(**given)
        for grant in grants:
            stage.execute(grant.rstrip(";"))
        stage.build(**given)
        assert stage.manifest["rows"]["events"] == 1
        assert stage.manifest["models_missing"] == []
        # As dbt does in each run.
        stage.drop("access")
        stage.execute(f"create table {stage.schema}.openai_audit__access (role text)")
        stage.build(**given)
        assert stage.manifest["models_missing"] == []
        stage.execute(f"drop owned by {role}")
        stage.execute(f"drop role {role}")
