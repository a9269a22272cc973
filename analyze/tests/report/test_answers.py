"""What a report tells of the rows that there are, in both databases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from openai_audit_analyze.report.settings import settings
from openai_audit_analyze.warehouse import WarehouseFailed
from tests.report.reading import section
from tests.report.stage import DAY, EVENT, FINDING, NOW, ROOT, Row, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database

STATEMENTS = re.findall(
    r"```sql\n(.*?)```", (ROOT / "docs" / "report.md").read_text("utf-8"), re.DOTALL
)


def test_a_model_or_a_column_that_is_missing_is_left_out(stage: Stage) -> None:
    stage.add("events", EVENT)
    stage.drop("access")
    stage.drop("findings_now")
    stage.execute(f"alter table {stage.schema}.openai_audit__events drop column city")
    page = stage.build()
    assert "Ada Lovelace created the project" in page
    missing = ["openai_audit__findings_now", "openai_audit__access"]
    assert all(f"<code>{model}</code>" in page for model in missing)
    assert stage.manifest["models_missing"] == missing


def test_a_column_that_is_missing_is_named_and_nothing_is_made_of_it(
    stage: Stage,
) -> None:
    stage.add("events", EVENT | {"event_type": "login.failed", "outcome": "failed"})
    stage.execute(
        f"alter table {stage.schema}.openai_audit__events drop column outcome"
    )
    page = stage.build()
    assert "1 is a sign-in, of which an unknown number failed" in page
    assert "<code>openai_audit__events.outcome</code>" in page
    assert stage.manifest["columns_missing"] == ["openai_audit__events.outcome"]
    assert stage.manifest["models_missing"] == []


def test_what_cannot_be_read_is_not_called_empty(duckdb_stage: Stage) -> None:
    duckdb_stage.add("rules", {"rule": "owner_added", "is_enabled": True})
    duckdb_stage.drop("findings")
    needed = {"events": "occurred_at", "access": "access_kind", "coverage": "verdict"}
    for model, column in needed.items():
        duckdb_stage.execute(
            f"alter table {duckdb_stage.schema}.openai_audit__{model} drop {column}"
        )
    page = duckdb_stage.build()
    for model in (*needed, "findings"):
        assert f"openai_audit__{model}" in duckdb_stage.manifest["models_missing"]
        assert f"Not known: <code>openai_audit__{model}</code>" in page
    assert page.count("Not known: openai_audit__") == 3
    assert '<div class="fine">' not in page
    assert "found anything" not in page
    assert "The log has no sign-in" not in page
    assert "are not loaded" not in page


def test_without_rules_nobody_knows_what_was_looked_for(duckdb_stage: Stage) -> None:
    duckdb_stage.drop("rules")
    page = duckdb_stage.build()
    assert "There is no finding, and it is not known which rules ran." in page
    assert '<div class="fine">' not in page


def test_a_value_that_is_not_there_is_said_to_be_unknown(stage: Stage) -> None:
    at = "2026-11-20 12:00:00"
    stage.add("events", {"occurred_at": at})
    stage.add("findings", {"finding_id": "1", "detected_at": at})
    stage.add("access", {"principal_id": "user-1"})
    stage.add("coverage", {"verdict": "proven"}, {"day": at, "verdict": "proven"})
    page = stage.build()
    assert "Unknown: 1 finding" in page
    assert "not known" in page
    assert "None<" not in page


def test_a_time_beyond_all_calendars_is_one_that_nobody_knows(stage: Stage) -> None:
    key = {"access_kind": "api_key", "principal_id": "key-1"}
    stage.add("access", key | {"since": "infinity", "last_seen_at": "20000-01-01"})
    stage.add("findings", FINDING | {"first_event_at": "-infinity"})
    stage.add("events", EVENT, EVENT | {"occurred_at": "infinity"})
    stage.build()
    rows = {"events": 1, "findings": 1, "access": 1, "coverage": 0}
    assert stage.manifest["rows"] == rows


@pytest.mark.parametrize("ids", ['["event-1", "a\\u0000b\\ud800"]', "[" * 100_000])
def test_ids_that_no_event_can_have_are_left_out(stage: Stage, ids: str) -> None:
    stage.add("events", EVENT)
    stage.add("findings", FINDING | {"event_ids": ids})
    stage.build()
    assert stage.manifest["rows"]["findings"] == 1


@pytest.mark.xdist_group("postgres")
def test_what_may_be_read_is_read_whatever_it_is(
    postgres: Database, tmp_path: Path
) -> None:
    with Stage.made(tmp_path, postgres) as stage:
        stage.add("events", EVENT)
        role, events = f"{stage.schema}_role", f"{stage.schema}.openai_audit__events"
        stage.execute(f"create role {role} login password 'made-up'")
        stage.execute(f"grant usage on schema {stage.schema} to {role}")
        stage.execute(f"grant insert on {stage.schema}.openai_audit__access to {role}")
        stage.execute(f"alter table {events} rename to kept")
        stage.execute(
            f"create materialized view {events} as select * from {stage.schema}.kept"
        )
        stage.execute(f"grant select on {events} to {role}")
        stage.build(REPORT_USER=role, REPORT_PASSWORD="made-up")  # noqa: S106 - made up
        assert stage.manifest["rows"]["events"] == 1
        assert "openai_audit__access" in stage.manifest["models_missing"]
        assert "openai_audit__events" not in stage.manifest["models_missing"]
        stage.execute(f"drop owned by {role}")
        stage.execute(f"drop role {role}")


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
    assert "Organization <bdi>org-1</bdi> only; other organizations" in page
    assert stage.manifest["organization_id"] == "org-1"
    page = stage.build()
    assert "of another one" in page
    assert "organization <bdi>org-2</bdi>: all that is loaded" in page
    assert stage.manifest["organization_id"] is None


def test_an_organization_that_the_models_do_not_have_is_refused(stage: Stage) -> None:
    stage.add("events", EVENT, EVENT | {"organization_id": "org-\n\x1b[31m"})
    stage.add("events", EVENT | {"organization_id": "old", "occurred_at": "2020-01-01"})
    with pytest.raises(WarehouseFailed) as failed:
        stage.build(REPORT_ORGANIZATION_ID="org-typo")
    said = str(failed.value)
    assert "REPORT_ORGANIZATION_ID is org-typo, which the models do not have" in said
    assert said.isprintable()
    assert "org-1" in said
    stage.build(REPORT_ORGANIZATION_ID="old")


def test_whoever_has_findings_or_access_only_is_named(stage: Stage) -> None:
    stage.add("findings", FINDING | {"organization_id": "org-found"})
    stage.add("findings", FINDING | {"organization_id": None, "workspace_id": "w"})
    stage.add("access", {"access_kind": "member", "organization_id": "org-listed"})
    stage.build()
    assert stage.manifest["accounts"] == [
        {"kind": "organization", "id": "org-found"},
        {"kind": "organization", "id": "org-listed"},
        {"kind": "workspace", "id": "w"},
    ]


def test_a_report_of_one_organization_says_that_workspaces_are_left_out(
    duckdb_stage: Stage,
) -> None:
    workspace = {"workspace_id": "w", "organization_id": None}
    duckdb_stage.add("coverage", DAY, DAY | workspace | {"source": "workspace_audit"})
    page = duckdb_stage.build(REPORT_ORGANIZATION_ID="org-1")
    assert "A report of one organization leaves ChatGPT workspaces out." in page
    assert "No ChatGPT workspace is read" not in page


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
    assert "1 of 2 runs did not read everything." in page
    assert '<div class="alarm"><dt><a href="#completeness">' in page
    shown = section(page, "completeness")
    assert "1 of 2 files proven, 1 missing" in shown
    assert "2 runs, 1 of them in full; at most 6 min 40 s between two" in shown
    assert "3 events came late, by 30 min at most" in shown
    assert page.count('fill="var(--missing)"') == 2 + 1  # of two widths, and the legend
    assert stage.manifest["verdicts"] == {"proven": 2, "missing": 1}


def days(verdicts: str, **more: object) -> list[Row]:
    """Days from 1 November, each `p`roven, `m`issing, `s`urplus or not there."""
    names = {"p": "proven", "m": "missing", "s": "surplus"}
    return [
        DAY | more | {"day": f"2026-11-{number:02} 00:00:00", "verdict": names[letter]}
        for number, letter in enumerate(verdicts, start=1)
        if letter in names
    ]


def missing(stage: Stage, last_day: int = 10) -> tuple[str, str]:
    """The mood and the text of the sentence on what is missing."""
    page = stage.build(REPORT_PERIOD=f"2026-11-01/2026-11-{last_day:02}")
    ((mood, text),) = re.findall(
        r'<div class="(\w+)"><dt><a href="#completeness">.*?<dd>(.*?)</dd>', page
    )
    return mood, re.sub(r"<[^>]*>", "", text)


def test_what_is_missing_is_fine_only_if_every_day_is_known(
    duckdb_stage: Stage,
) -> None:
    duckdb_stage.add("coverage", *days("ppp ppppp"))
    mood, text = missing(duckdb_stage)
    assert mood == "fine"
    assert text.startswith("Nothing is known to be missing. 8 of 10 days proven,")
    assert text.endswith(" 1 day with no events, 1 day not covered.")
    mood, text = missing(duckdb_stage, 28)
    assert mood == "review"
    assert "8 of 28 days proven, 1 day with no events, 19 days not covered." in text


def test_what_is_missing_hides_nothing_else_that_is_wrong(duckdb_stage: Stage) -> None:
    duckdb_stage.add("coverage", *days("pmspppppps"))
    duckdb_stage.add("coverage", *days("pppppppppp", source="tenant"))
    mood, text = missing(duckdb_stage)
    assert mood == "alarm"
    assert "Organization: 7 of 10 days proven, 2 surplus, 1 missing." in text
    assert "Tenant: 10 of 10 days proven." in text


def test_events_of_a_feed_without_coverage_are_not_called_complete(
    duckdb_stage: Stage,
) -> None:
    other = {"organization_id": "org-2", "occurred_at": "2026-11-05 12:00:00"}
    duckdb_stage.add("events", EVENT | other)
    duckdb_stage.add("coverage", *days("pppppppppp"))
    mood, text = missing(duckdb_stage)
    assert mood == "review"
    assert text.endswith("Of 1 feed with events no day is counted.")
    assert "It has events, but no day was counted" in duckdb_stage.build()


def test_a_week_shows_that_not_all_of_it_is_known(duckdb_stage: Stage) -> None:
    duckdb_stage.add("coverage", *days(" pppppppp"))
    page = duckdb_stage.build(REPORT_PERIOD="2026-08-03/2026-11-09")
    shown = section(page, "completeness")
    assert "3 August 2026 to 26 October 2026: not covered" in shown
    assert "2 November 2026 to 9 November 2026: proven" in shown
    duckdb_stage.execute(
        f"delete from {duckdb_stage.schema}.openai_audit__coverage"
        " where day > '2026-11-05'"
    )
    page = duckdb_stage.build(REPORT_PERIOD="2026-08-03/2026-11-09")
    assert "3 August 2026 to 9 November 2026: not covered" in section(
        page, "completeness"
    )


def test_what_is_not_known_of_runs_is_not_called_good(duckdb_stage: Stage) -> None:
    duckdb_stage.add("coverage", *days("pppp", runs=2))
    shown = section(duckdb_stage.build(), "completeness")
    assert "8 runs." in shown
    assert "in full" not in shown
    assert "came late" not in shown


def test_many_feeds_are_counted_and_the_worst_named(duckdb_stage: Stage) -> None:
    feeds = (
        days("pm" if number == 7 else "pp", organization_id=f"org-{number}")
        for number in range(50)
    )
    duckdb_stage.add("coverage", *(day for feed in feeds for day in feed))
    mood, text = missing(duckdb_stage, 2)
    assert mood == "alarm"
    assert "Organization org-7: 1 of 2 days proven, 1 missing." in text
    assert "46 more feeds, 46 of them in order." in text


def test_a_time_with_a_zone_is_told_in_utc(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TZ", "PGTZ"):
        monkeypatch.setenv(name, "Asia/Tokyo")
    events = f"{stage.schema}.openai_audit__events"
    stage.execute(f"alter table {events} alter occurred_at type timestamptz")
    stage.add("events", EVENT | {"occurred_at": "2026-11-20 23:30:00+00"})
    assert "20 November 2026 23:30 Ada" in section(stage.build(), "timeline")


def test_all_answers_are_of_one_moment(postgres: Database, tmp_path: Path) -> None:
    with Stage.made(tmp_path, postgres) as stage:
        stage.add("events", EVENT)
        count = f"select count(*) as n from {stage.schema}.openai_audit__events"
        with settings(stage.environment, NOW).warehouse.snapshot() as query:
            before = query(count)
            stage.add("events", EVENT)
            assert query(count) == before


def test_a_report_cannot_write(stage: Stage) -> None:
    warehouse = settings(stage.environment, NOW).warehouse
    with (
        pytest.raises(WarehouseFailed, match="read-only"),
        warehouse.snapshot() as query,
    ):
        query(f"create table {stage.schema}.x (y text)")


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
        stage.execute(
            f"create table {stage.schema}.openai_audit__access (access_kind text)"
        )
        stage.build(**given)
        assert stage.manifest["models_missing"] == []
        stage.execute(f"drop owned by {role}")
        stage.execute(f"drop role {role}")
