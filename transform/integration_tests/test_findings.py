"""What the rules find is told once, and is the same in whatever order events arrive."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from string import ascii_letters
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.steps import before_each_run
from sandbox.process import SandboxProcess
from testing.clock import recent
from testing.messages import event, events, extracted, stream_of

if TYPE_CHECKING:
    from integration_tests.steps import Steps
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
#: All that has to be built where findings are read.
ANSWERED = "+openai_audit__findings_now"
DETECTED = "{answers}.int_openai_audit__detected"
#: With the account that a finding is of.
TOLD = """
    (
        select *, coalesce(organization_id, workspace_id) as account_id
        from {answers}.openai_audit__findings
    ) as told
"""


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


def of(organization_id: str, *rows: Message) -> list[Message]:
    """Return messages of an organization, in whose name the ids of its events are."""
    return events(
        *(
            {**row, "id": f"{organization_id} {row['id']}"}
            | {"organization_id": organization_id}
            for row in rows
        )
    )


def told(warehouse: Warehouse, organization_id: str) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "select entity, severity, event_count, sentence, suppressed_reason"
        " from {answers}.openai_audit__findings"
        f" where organization_id = '{organization_id}' order by entity, first_event_at"
    )


@before_each_run(
    of("told", removed("a", "key-1"), removed("b", "key-2")),
    [],
    of("told", removed("c", "key-1", "2026-11-01T09:00:00Z")),
)
def test_a_finding_is_told_once_and_only_its_events_grow(steps: Steps) -> None:
    sentence = "ada@example.com removed the encryption key key-{}"
    assert told(steps.after(1), "told") == [
        ("key-1", "critical", 1, sentence.format(1), None),
        ("key-2", "critical", 1, sentence.format(2), None),
    ]
    findings = "openai_audit__findings", "organization_id = 'told'"
    assert steps.after(2).texts(*findings) == steps.after(1).texts(*findings)
    assert [row[:3] for row in told(steps.after(3), "told")] == [
        ("key-1", "critical", 2),
        ("key-2", "critical", 1),
    ]


@before_each_run(
    of("later", removed("a", "key-1")),
    of("later", removed("c", "key-3", "2026-11-02T12:00:00Z")),
    unjudged=of("later", removed("b", "key-2", "2026-10-01T12:00:00Z")),
)
def test_what_was_added_while_no_rule_looked_is_judged_later(steps: Steps) -> None:
    entities = [row[0] for row in told(steps.after(2), "later")]
    assert entities == ["key-1", "key-2", "key-3"]


NOISE = "".join(random.Random(5).choices(ascii_letters, k=9_000))  # noqa: S311 - no key
SAML = {"workspace_id": "odd", "action": "SAML_CREATE_CONNECTION"}


@before_each_run(
    [
        *of("odd", removed("a", NOISE), event("b", type=NOISE)),
        *workspace_logs({"event_id": "w1", **SAML}),
    ],
    workspace_logs(
        {"event_id": "w2", "timestamp": "2999-01-01T00:00:00Z", **SAML},
        {"event_id": "w3", **SAML},
    ),
)
def test_odd_events_stop_no_run_and_hide_no_other(steps: Steps) -> None:
    matches = steps.after(2).rows(
        "select event_id, length(entity) < 300 from {answers}.int_openai_audit__matches"
        " where event_id is not null and severity = 'critical' and account_id = 'odd'"
        " order by 1"
    )
    assert matches == [(id_, True) for id_ in ("odd a", "w1", "w2", "w3")]


MINUTES = [*(f"01T23:{n}" for n in range(55, 60)), *(f"02T00:0{n}" for n in range(6))]
BURST = [
    event(f"e{place}", effective_at=f"2026-11-{minute}:00Z")
    for place, minute in enumerate(MINUTES)
]


@before_each_run(of("burst", *BURST[:6]), of("burst", *BURST[6:]))
def test_a_burst_over_midnight_is_the_same_in_one_run_and_in_two(steps: Steps) -> None:
    def matches(step: int | str) -> list[str]:
        relation = "int_openai_audit__matches"
        return steps.after(step).texts(relation, "account_id = 'burst'")

    assert len([row for row in matches(2) if "mass_deletion" in row]) == 2
    assert matches("matches") == matches(2)
    assert matches("refreshed") == matches(2)


def refuted(warehouse: Warehouse, organization_id: str) -> list[str]:
    """Return of what a finding was told that does not hold any more."""
    rows = warehouse.rows(
        "select entity from {answers}.openai_audit__findings_now"
        f" where not holds and organization_id = '{organization_id}' order by entity"
    )
    return [entity for (entity,) in rows]


@dataclass(frozen=True)
class Configured:
    """What was told under some settings, and then under others."""

    quiet: list[tuple[Any, ...]]
    later: list[tuple[Any, ...]]
    refuted: list[str]
    held: list[str]
    refuted_of_the_other: list[str]


@pytest.fixture(scope="module")
def configured(warehouse: Warehouse) -> Configured:
    """Two organizations, whose settings are changed together."""
    digest = {
        "scope": "organization",
        "organization_id": "holds",
        "day": "2026-11-01T00:00:00Z",
        "chain_id": "chain",
        "events": 2,
        "ids_checksum": 0,
        "exact": True,
        "updated_at": "2026-11-02T00:00:00Z",
    }
    tunnel = event("t", type="tunnel.created", details={"id": "tunnel-1"})
    rows = [removed(f"e{number}", f"key-{number}") for number in range(1, 5)]
    warehouse.clear()
    warehouse.load(
        [
            *of("quiet", *rows, event("deleted")),
            *of("holds", tunnel),
            *stream_of("audit_log_digests", ["chain_id", "day"], DIGESTS, [digest]),
        ]
    )
    later = {"until": "2999-01-01", "reason": "rotation"}
    rule = {"rule": "customer_managed_key_removed"}
    warehouse.run(
        ANSWERED,
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
    quiet = told(warehouse, "quiet")
    held = warehouse.rows(
        "select entity from {answers}.openai_audit__findings_now"
        " where holds and organization_id = 'holds' order by entity"
    )
    warehouse.execute("delete from {raw}.audit_log_digests")
    warehouse.run(
        ANSWERED,
        openai_audit_rules={
            "mass_deletion": {"deletions": 1},
            "tunnel_created": {"enabled": False},
        },
    )
    return Configured(
        quiet,
        told(warehouse, "quiet"),
        refuted(warehouse, "quiet"),
        [entity for (entity,) in held],
        refuted(warehouse, "holds"),
    )


def test_settings_keep_findings_quiet_or_rate_them(configured: Configured) -> None:
    assert [(row[0], row[1], row[4]) for row in configured.quiet] == [
        ("key-1", "low", "rotation"),
        ("key-2", "low", None),
        ("key-3", "low", 'it\'s "ours"'),
        ("key-4", "low", None),
    ]
    # Settings hold for what was judged before, too. What is rated otherwise is another
    # finding, and what was told is still there.
    keys = [f"key-{number}" for number in range(1, 5)]
    assert sorted(row[:2] for row in configured.later) == sorted(
        [(key, severity) for key in keys for severity in ("low", "critical")]
        + [("user-1", "high")]
    )
    assert configured.refuted == keys


def test_a_finding_says_whether_it_still_holds(configured: Configured) -> None:
    entities = ["organization 2026-11-01", "tunnel-1"]
    assert configured.held == entities
    assert configured.refuted_of_the_other == entities


STORY: dict[str, Any] = {
    "history": "story",
    "seed": 11,  # none of those in test_story.py: ids of events are made of it
    "organization_id": "org-shuffled",
    "workspace_id": "5f0f1d4e-3c38-4a5f-9a55-6f2c1f6f8a99",
    "start": "30d",
    "end": "now",
    "clock": recent(),
    "incident": "2h",
    "workspace_events": 40,
}


@cache
def shuffled() -> list[list[Message]]:
    """Return in three parts what the taps wrote of an organization, in any order."""
    with TemporaryDirectory() as directory, SandboxProcess(**STORY) as sandbox:
        written = extracted(sandbox, Path(directory))
    others = [m for m in written if m.get("stream") not in {"audit_logs", None}]
    schema, *logs = (m for m in written if m.get("stream") == "audit_logs")
    random.Random(13).shuffle(logs)  # noqa: S311 - the same order in each run
    parts = (logs[::2], logs[1::4], logs[3::4])
    return [[*others, schema, *parts[0]], *([schema, *part] for part in parts[1:])]


@before_each_run(
    [lambda: shuffled()[0]], [lambda: shuffled()[1]], [lambda: shuffled()[2]]
)
def test_events_in_whatever_order_come_to_the_same_findings(steps: Steps) -> None:
    accounts = (
        f"account_id in ('{STORY['organization_id']}', '{STORY['workspace_id']}')"
    )

    def matches(step: int | str) -> list[str]:
        return steps.after(step).texts("int_openai_audit__matches", accounts)

    def findings(step: int | str, relation: str) -> set[str]:
        """Return what each finding comes to, its number of events included."""
        rows = steps.after(step).rows(
            "select finding_id || ' ' || event_count || ' ' || last_event_at"
            f" from {relation} inner join {{answers}}.openai_audit__rules using (rule)"
            f" where kind = 'monotone' and {accounts}"
        )
        return {row[0] for row in rows}

    assert len(matches(3)) > 10
    assert matches("refreshed") == matches(3)
    found = findings(3, TOLD)
    assert findings("refreshed", DETECTED) == found
    # And what had been told is what is there now.
    assert findings("refreshed", TOLD) == found
