"""In an ordinary month the rules are quiet, and an incident is told in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from integration_tests.messages import extracted
from sandbox.process import SandboxProcess
from sandbox.story.incident import CLIENT

if TYPE_CHECKING:
    from pathlib import Path

    from integration_tests.messages import Message
    from integration_tests.warehouse import Warehouse

DAYS = 30
#: Companies by their seed, whose months differ, and when the last day of each ends: two
#: hours after its incident began.
COMPANIES = {7: "14:00", 8: "03:00", 9: "09:00", 10: "20:00"}
#: What the incident comes to, told or not, in every company.
OF_THE_INCIDENT = {
    ("critical", "api_call_logging_reduced"),
    ("critical", "ip_allowlist_open_to_all"),
    ("critical", "owner_by_another_door"),
    ("high", "admin_key_changed"),
    ("high", "foreign_external_storage"),
    ("high", "mass_deletion"),
    ("high", "owner_by_another_door"),
}
#: What a run tells of itself when it has read all.
OF_THE_RUN = ("audit_log_digests", "sync_reports")


@dataclass(frozen=True)
class Month:
    """What the tap wrote of a company.

    Attributes:
        ordinary: Of the month until the incident.
        whole: Of the month and the incident.
    """

    ordinary: list[Message]
    whole: list[Message]


@pytest.fixture(scope="session")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[Month]:
    directory = tmp_path_factory.mktemp("months")
    return [of_a_company(seed, directory / str(seed)) for seed in COMPANIES]


def of_a_company(seed: int, directory: Path) -> Month:
    directory.mkdir()
    with SandboxProcess(
        history="story",
        seed=seed,
        organization_id=f"org-{seed}",
        start=f"{DAYS}d",
        end=f"2026-10-29T{COMPANIES[seed]}:00Z",
        incident="2h",
        workspace_id=f"5f0f1d4e-3c38-4a5f-9a55-6f2c1f6f8a{seed:02}",
        workspace_events=40,
    ) as sandbox:
        whole = extracted(sandbox, directory)
    of_events = [m for m in whole if "effective_at" in m.get("record", {})]
    from_abroad = [m for m in of_events if CLIENT["ip_address"] in str(m)]
    began = min(m["record"]["effective_at"] for m in from_abroad)
    later = {id(m) for m in of_events if m["record"]["effective_at"] >= began}
    later |= {id(m) for m in whole if m.get("stream") in OF_THE_RUN}
    return Month([m for m in whole if id(m) not in later], whole)


def told(warehouse: Warehouse) -> set[tuple[str, str, str, str]]:
    """Return organization, severity, rule and entity of all findings above low."""
    found = warehouse.rows(
        "select organization_id, severity, rule, entity"
        " from {answers}.openai_audit__findings"
        " where severity not in ('info', 'low')"
    )
    return set(found)


def test_a_month_is_quiet_and_the_incident_is_told_by_the_rules_that_should(
    own: Warehouse, months: list[Month]
) -> None:
    for month in months:
        own.load(month.ordinary)
    own.build()
    ordinary = told(own)
    organizations = sorted(f"org-{seed}" for seed in COMPANIES)
    for organization in organizations:
        of_the_month = [row for row in ordinary if row[0] == organization]
        assert len(of_the_month) <= 2 * DAYS / 7, of_the_month
    for month in months:
        own.load(month.whole)
    own.build()
    incident = told(own) - ordinary
    assert {
        organization: {row[1:3] for row in incident if row[0] == organization}
        for organization in organizations
    } == dict.fromkeys(organizations, OF_THE_INCIDENT)
    assert {row[0] for row in incident} == set(organizations)
