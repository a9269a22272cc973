"""In an ordinary month the rules are quiet, and an incident is told in full."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from integration_tests.steps import before_each_run
from sandbox.process import SandboxProcess
from sandbox.story.incident import CLIENT
from testing.messages import extracted

if TYPE_CHECKING:
    from integration_tests.steps import Steps
    from testing.messages import Message
    from testing.warehouse import Warehouse

AT_MOST_A_WEEK = 2
#: Companies by their seed, whose months differ, and when the last day of each ends: two
#: hours after its incident began.
COMPANIES = {7: "14:00", 8: "03:00", 9: "09:00", 10: "20:00"}
#: What the incident comes to, told or not, in every organization,
IN_THE_ORGANIZATION = {
    ("critical", "api_call_logging_reduced"),
    ("critical", "ip_allowlist_open_to_all"),
    ("critical", "owner_added_or_invited"),
    ("high", "admin_api_key_changed"),
    ("high", "admin_activity_from_unknown_network"),
    ("high", "unknown_external_storage_added"),
    ("high", "new_member_created_credentials"),
    ("high", "mass_deletion"),
    ("high", "owner_added_or_invited"),
    ("high", "password_spraying"),
    ("medium", "impossible_travel"),
    ("medium", "admin_activity_from_new_client"),
    ("medium", "unusual_login"),
}
#: and in every workspace, whose log has the sign-ins.
IN_THE_WORKSPACE = {("high", "password_spraying")}
#: What is of the last hours, or what a run tells of itself when it has read all.
AT_THE_END = (
    "audit_log_digests",
    "sync_reports",
    "workspace_audit_logs",
    "workspace_auth_logs",
    "workspace_log_files",
)


@dataclass(frozen=True)
class Month:
    """What the tap wrote of a company.

    Attributes:
        organization_id: Its organization.
        workspace_id: Its ChatGPT workspace.
        ordinary: Of the month until the incident.
        whole: Of the month and the incident.
    """

    organization_id: str
    workspace_id: str
    ordinary: list[Message]
    whole: list[Message]


@cache
def months() -> list[Month]:
    return [of_a_company(seed) for seed in COMPANIES]


def of_a_company(seed: int) -> Month:
    organization_id = f"org-{seed}"
    workspace_id = f"5f0f1d4e-3c38-4a5f-9a55-6f2c1f6f8a{seed:02}"
    options: dict[str, Any] = {
        "history": "story",
        "seed": seed,
        "organization_id": organization_id,
        "start": "30d",
        "end": f"2026-10-29T{COMPANIES[seed]}:00Z",
        "incident": "2h",
        "workspace_id": workspace_id,
        "workspace_events": 40,
    }
    with TemporaryDirectory() as directory, SandboxProcess(**options) as sandbox:
        whole = extracted(sandbox, Path(directory))
    of_events = [m for m in whole if "effective_at" in m.get("record", {})]
    from_abroad = [m for m in of_events if CLIENT["ip_address"] in str(m)]
    began = min(m["record"]["effective_at"] for m in from_abroad)
    later = {id(m) for m in of_events if m["record"]["effective_at"] >= began}
    later |= {id(m) for m in whole if m.get("stream") in AT_THE_END}
    ordinary = [m for m in whole if id(m) not in later]
    return Month(organization_id, workspace_id, ordinary, whole)


def ordinary() -> list[Message]:
    return [message for month in months() for message in month.ordinary]


def whole() -> list[Message]:
    return [message for month in months() for message in month.whole]


def told(warehouse: Warehouse) -> set[tuple[str, str, str, str, int]]:
    """Return account, severity, rule, entity and week of all findings above low."""
    found = warehouse.rows(
        "select coalesce(organization_id, workspace_id), severity, rule, entity,"
        " extract(week from first_event_at) from {answers}.openai_audit__findings"
        " where severity not in ('info', 'low')"
    )
    accounts = {i for m in months() for i in (m.organization_id, m.workspace_id)}
    return {row for row in found if row[0] in accounts}


@before_each_run([ordinary], [whole])
def test_a_month_is_quiet_and_the_incident_is_told_by_the_rules_that_should(
    steps: Steps,
) -> None:
    before = told(steps.after(1))
    in_a_week = Counter((account, week) for account, *_, week in before)
    assert max(in_a_week.values()) <= AT_MOST_A_WEEK, before
    by_rules: dict[str, set[tuple[str, str]]] = {}
    for account, severity, rule, *_ in told(steps.after(2)) - before:
        by_rules.setdefault(account, set()).add((severity, rule))
    assert by_rules == {
        **{month.organization_id: IN_THE_ORGANIZATION for month in months()},
        **{month.workspace_id: IN_THE_WORKSPACE for month in months()},
    }
