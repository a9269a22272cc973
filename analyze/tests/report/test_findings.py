"""What the report shows of findings and events, however many there are."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from openai_audit_analyze.report.access import MOST_ROLES
from openai_audit_analyze.report.activity import MOST_SENTENCES, MOST_SENTENCES_A_DAY
from openai_audit_analyze.report.findings import MOST_INACTIVE, MOST_OF_A_RULE
from tests.report.reading import section
from tests.report.stage import EVENT, FINDING

if TYPE_CHECKING:
    from tests.report.stage import Stage


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
    sentence = "Ada Lovelace changed the role of Grace Hopper to owner"
    assert sentence in section(page, "findings")


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
    assert "Owner added high 2 2026-11-21 " in overview
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
    assert found.count("Ada Lovelace created the project") == 3
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
    assert "Ada Lovelace changed the role of Grace Hopper to owner" in found
    assert ("created the project" in found) == ("event-1" in (ids or ""))


def test_lists_that_end_early_say_how_many_there_are(stage: Stage) -> None:
    many = MOST_INACTIVE + 1
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
    assert found.count(f"{MOST_INACTIVE} of {many}. All of them are in") == 2
    roles = f"{MOST_ROLES} of {MOST_ROLES + 1}. All of them are in"
    assert roles in section(page, "access")


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
    shown = section(stage.build(), "timeline")
    assert f"{MOST_SENTENCES} of {8 * many} events" in shown
    assert len(re.findall(r"event \d+ of day \d", shown)) == MOST_SENTENCES
    # Each day has a share, and of each day what is rare and then what is new.
    for day in range(1, 9):
        assert f"event 0 of day {day}" in shown
        assert f"event 34 of day {day}" in shown
        assert f"event 1 of day {day}" not in shown
    left_out = [int(number) for number in re.findall(r"(\d+) file.shared", shown)]
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
    shown = section(stage.build(), "timeline")
    assert "of a finding" in shown
    assert "seldom seen" in shown
    assert "of none" not in shown
    # In order of time, whatever was chosen first.
    assert shown.index("of a finding") < shown.index("seldom seen")
