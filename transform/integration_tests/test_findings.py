"""What the rules find is told once, and is the same in whatever order events arrive."""

from __future__ import annotations

import random
from datetime import datetime
from string import ascii_letters
from typing import TYPE_CHECKING, Any

from sandbox.process import SandboxProcess
from testing.clock import recent
from testing.messages import event, events, extracted, stream_of

if TYPE_CHECKING:
    from pathlib import Path

    from testing.messages import Message
    from testing.warehouse import Warehouse


DIGESTS = {
    "organization_id": str,
    "scope": str,
    "chain_id": str,
    "day": datetime,
    "events": int,
    "ids_checksum": int,
    "exact": bool,
    "updated_at": datetime,
}
STORY: dict[str, Any] = {
    "history": "story",
    "start": "30d",
    "end": "now",
    "clock": recent(),
    "incident": "2h",
    "workspace_events": 40,
}
#: What each finding comes to, its number of events included.
OF_MONOTONE_RULES = """
    select finding_id || ' ' || event_count || ' ' || last_event_at
    from {answers}.%s inner join {answers}.openai_audit__rules using (rule)
    where kind = 'monotone'
"""
TOLD = OF_MONOTONE_RULES % "openai_audit__findings"
DETECTED = OF_MONOTONE_RULES % "int_openai_audit__detected"


WORKSPACE_LOGS = {
    "event_id": str,
    "timestamp": datetime,
    "action": str,
    "workspace_id": str,
    "actor": dict,
}


def workspace_logs(*rows: Message) -> list[Message]:
    return stream_of("workspace_audit_logs", ["event_id"], WORKSPACE_LOGS, rows)


def removed(id_: str, key: str, at: str = "2026-11-01T12:00:00Z") -> Message:
    details = {"id": key}
    return event(id_, type="external_key.removed", effective_at=at, details=details)


def told(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "select entity, severity, event_count, sentence, suppressed_reason"
        " from {answers}.openai_audit__findings order by entity, first_event_at"
    )


def test_a_finding_is_told_once_and_only_its_events_grow(own: Warehouse) -> None:
    own.load(events(removed("a", "key-1"), removed("b", "key-2")))
    own.run()
    sentence = "ada@example.com removed the encryption key key-{}"
    assert told(own) == [
        ("key-1", "critical", 1, sentence.format(1), None),
        ("key-2", "critical", 1, sentence.format(2), None),
    ]
    before = own.texts("openai_audit__findings")
    own.run()
    assert own.texts("openai_audit__findings") == before
    own.load(events(removed("c", "key-1", "2026-11-01T09:00:00Z")))
    own.run()
    assert [row[:3] for row in told(own)] == [
        ("key-1", "critical", 2),
        ("key-2", "critical", 1),
    ]


def test_what_was_added_while_no_rule_looked_is_judged_later(own: Warehouse) -> None:
    own.load(events(removed("a", "key-1")))
    own.run()
    own.load(events(removed("b", "key-2", "2026-10-01T12:00:00Z")))
    # As of a run that ended there.
    own.dbt("run", "--select", "int_openai_audit__events")
    own.load(events(removed("c", "key-3", "2026-09-01T12:00:00Z")))
    own.run()
    assert [row[0] for row in told(own)] == ["key-1", "key-2", "key-3"]


def test_odd_events_stop_no_run_and_hide_no_other(own: Warehouse) -> None:
    noise = "".join(random.Random(5).choices(ascii_letters, k=9_000))  # noqa: S311 - no key
    saml = {"workspace_id": "w", "action": "SAML_CREATE_CONNECTION"}
    own.load(
        [
            *events(removed("a", noise), event("b", type=noise)),
            *workspace_logs({"event_id": "w1", **saml}),
        ]
    )
    own.run()
    own.load(
        workspace_logs(
            {"event_id": "w2", "timestamp": "2999-01-01T00:00:00Z", **saml},
            {"event_id": "w3", **saml},
        )
    )
    own.run()
    matches = own.rows(
        "select event_id, length(entity) < 300 from {answers}.int_openai_audit__matches"
        " where event_id is not null and severity = 'critical' order by 1"
    )
    assert matches == [(id_, True) for id_ in ("a", "w1", "w2", "w3")]


def test_a_burst_over_midnight_is_the_same_in_one_run_and_in_two(
    own: Warehouse,
) -> None:
    minutes = [f"01T23:{minute}" for minute in range(55, 60)]
    minutes += [f"02T00:0{minute}" for minute in range(6)]
    burst = [
        event(f"e{place}", effective_at=f"2026-11-{minute}:00Z")
        for place, minute in enumerate(minutes)
    ]
    own.load(events(*burst[:6]))
    own.run()
    own.load(events(*burst[6:]))
    own.run()
    matches = own.texts("int_openai_audit__matches")
    assert len([row for row in matches if "mass_deletion" in row]) == 2
    own.dbt("run", "--full-refresh", "--select", "int_openai_audit__matches+")
    assert own.texts("int_openai_audit__matches") == matches
    own.run(full_refresh=True)
    assert own.texts("int_openai_audit__matches") == matches


def test_settings_keep_findings_quiet_or_rate_them(own: Warehouse) -> None:
    rows = [removed(f"e{number}", f"key-{number}") for number in range(1, 5)]
    own.load(events(*rows, event("deleted")))
    later = {"until": "2999-01-01", "reason": "rotation"}
    rule = {"rule": "customer_managed_key_removed"}
    own.run(
        openai_audit_suppressions=[
            {**rule, **later, "entity": "key-1"},
            {**rule, "entity": "key-2", "until": "2026-11-02", "reason": "over"},
            {"entity": "key-3", "reason": 'it\'s "ours"'},
            {"rule": "mass_deletion", "reason": "another rule"},
        ],
        openai_audit_rules={
            "customer_managed_key_removed": {"severity": "low"},
            "mass_deletion": {"deletions": 1, "enabled": False},
        },
    )
    assert [(row[0], row[1], row[4]) for row in told(own)] == [
        ("key-1", "low", "rotation"),
        ("key-2", "low", None),
        ("key-3", "low", 'it\'s "ours"'),
        ("key-4", "low", None),
    ]
    # Settings hold for what was judged before, too. What is rated otherwise is another
    # finding, and what was told is still there.
    own.run(openai_audit_rules={"mass_deletion": {"deletions": 1}})
    keys = [f"key-{number}" for number in range(1, 5)]
    assert sorted(row[:2] for row in told(own)) == sorted(
        [(key, severity) for key in keys for severity in ("low", "critical")]
        + [("user-1", "high")]
    )
    query = "select entity, severity from {answers}.openai_audit__findings_now"
    refuted = own.rows(f"{query} where not holds order by entity")
    assert refuted == [(key, "low") for key in keys]


def test_a_finding_says_whether_it_still_holds(own: Warehouse) -> None:
    counted = {"scope": "organization", "organization_id": "org-1"}
    digest = {
        **counted,
        "day": "2026-11-01T00:00:00Z",
        "chain_id": "chain",
        "events": 2,
        "ids_checksum": 0,
        "exact": True,
        "updated_at": "2026-11-02T00:00:00Z",
    }
    own.load(
        [
            *events(removed("a", "key-1")),
            *stream_of("audit_log_digests", ["chain_id", "day"], DIGESTS, [digest]),
        ]
    )
    own.run()
    query = "select entity, holds from {answers}.openai_audit__findings_now order by 1"
    assert own.rows(query) == [("key-1", True), ("organization 2026-11-01", True)]
    own.execute("delete from {raw}.audit_log_digests")
    own.run(openai_audit_rules={"customer_managed_key_removed": {"enabled": False}})
    assert own.rows(query) == [("key-1", False), ("organization 2026-11-01", False)]


def test_events_in_whatever_order_come_to_the_same_findings(
    own: Warehouse, tmp_path: Path
) -> None:
    with SandboxProcess(**STORY) as sandbox:
        written = extracted(sandbox, tmp_path)
    others = [m for m in written if m.get("stream") not in ("audit_logs", None)]
    schema, *logs = (m for m in written if m.get("stream") == "audit_logs")
    random.Random(13).shuffle(logs)  # noqa: S311 - the same order in each run
    own.load([*others, schema, *logs[::2]])
    own.run()
    for part in (logs[1::4], logs[3::4]):
        own.load([schema, *part])
        own.run()
    matches = own.texts("int_openai_audit__matches")
    assert len(matches) > 10
    found = {row[0] for row in own.rows(TOLD)}
    own.run(full_refresh=True)
    assert own.texts("int_openai_audit__matches") == matches
    assert {row[0] for row in own.rows(DETECTED)} == found
    # And what had been told is what is there now.
    assert {row[0] for row in own.rows(TOLD)} == found
