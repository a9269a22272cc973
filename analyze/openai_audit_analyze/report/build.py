"""A build: all answers of one moment, then the page, then the files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from openai_audit_analyze.models import found
from openai_audit_analyze.report.access import Access
from openai_audit_analyze.report.activity import Activity
from openai_audit_analyze.report.completeness import Completeness
from openai_audit_analyze.report.files import write
from openai_audit_analyze.report.findings import Findings
from openai_audit_analyze.report.models import Answers
from openai_audit_analyze.report.page import Account, Report, page
from openai_audit_analyze.report.settings import COMMAND
from openai_audit_analyze.text import safe
from openai_audit_analyze.warehouse import WarehouseFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from openai_audit_analyze.report.settings import Settings

PAGE, MANIFEST = "report.html", "report.json"

_MOST_NAMED = 10
"""Organizations that a message names."""

_ACCOUNTS = """
    select
        case when workspace_id is null then 'organization' else 'workspace' end as kind,
        coalesce(workspace_id, organization_id) as id
    from (
        select organization_id, workspace_id
        from {events}
        where occurred_at >= {start} and occurred_at < {end}
        union
        select organization_id, workspace_id
        from {findings}
        where
            coalesce(last_event_at, detected_at) >= {start}
            and coalesce(first_event_at, detected_at) < {end}
        union
        select organization_id, workspace_id
        from {coverage}
        union
        select organization_id, null as workspace_id
        from {access}
    ) as named
    where workspace_id is not null or organization_id is not null
    group by 1, 2
    order by 1, 2
"""
_KNOWN = "select event_id from {events} limit 1"


@dataclass(frozen=True)
class _Known:
    event_id: str | None


class NotWritten(Exception):
    """The files could not be written. The text is one line for the operator."""


def build(settings: Settings) -> Path:
    """Make the report and its manifest, and return where the report is.

    Raises:
        WarehouseFailed: The database cannot be reached, or refuses.
        NotWritten: The files could not be written.
    """
    report = asked(settings)
    text = page(report).encode()
    try:
        settings.directory.mkdir(parents=True, exist_ok=True)
        write(settings.directory, {PAGE: text, MANIFEST: _manifest(report, text)})
    except (OSError, ValueError) as error:
        raise NotWritten(
            f"{safe(settings.directory)} cannot be written"
            f" ({safe(getattr(error, 'strerror', error))}): correct REPORT_DIRECTORY"
        ) from None
    return settings.directory / PAGE


def asked(settings: Settings) -> Report:
    """Return what the database answers, all of it as of one moment.

    Raises:
        WarehouseFailed: The database cannot be reached, or refuses.
    """
    with settings.warehouse.snapshot() as query:
        now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        models = found(settings.warehouse, query, settings.schema, COMMAND)
        answers = Answers(
            query,
            settings.schema,
            models.columns,
            settings.period,
            settings.organization_id,
        )
        accounts = _accounts(answers)
        if settings.organization_id:
            accounts = _chosen(answers, accounts)
        findings = Findings.of(answers)
        activity = Activity.of(answers, findings.event_ids)
        return Report(
            period=settings.period,
            queried_at=now,
            organization_id=settings.organization_id,
            accounts=accounts,
            missing=answers.missing,
            columns_missing=answers.columns_missing,
            activity=activity,
            findings=findings,
            access=Access.of(answers, now),
            completeness=Completeness.of(answers),
        )


def _accounts(answers: Answers) -> list[Account]:
    """Return the organizations and workspaces that there are, whatever was chosen."""
    return replace(answers, organization_id=None).rows(Account, _ACCOUNTS)


def _chosen(answers: Answers, accounts: Sequence[Account]) -> list[Account]:
    """Return the organization that was chosen.

    Raises:
        WarehouseFailed: Nothing is known of it.
    """
    chosen = Account("organization", str(answers.organization_id))
    # One that has events before or after the period only is not a typing error.
    if chosen not in accounts and not answers.rows(_Known, _KNOWN):
        ids = [safe(row.id, longest=80) for row in accounts if row.kind == chosen.kind]
        there = ", ".join(ids[:_MOST_NAMED]) or "none"
        if len(ids) > _MOST_NAMED:
            there += f" and {len(ids) - _MOST_NAMED:,} more"
        raise WarehouseFailed(
            f"REPORT_ORGANIZATION_ID is {safe(chosen.id, longest=80)}, which the models"
            f" do not have; they have {there}"
        )
    return [chosen]


def _manifest(report: Report, text: bytes) -> bytes:
    """Return the manifest of a report: its checksum and its inputs."""
    content: Mapping[str, Any] = {
        "file": PAGE,
        "sha256": hashlib.sha256(text).hexdigest(),
        "bytes": len(text),
        "queried_at": f"{report.queried_at.isoformat()}Z",
        "period": {
            "first_day": str(report.period.start.date()),
            "last_day": str(report.period.last_day.date()),
        },
        "organization_id": report.organization_id,
        "accounts": [
            {"kind": account.kind, "id": account.id} for account in report.accounts
        ],
        "models_missing": report.missing,
        "columns_missing": report.columns_missing,
        "rows": {
            "events": report.activity.total,
            "findings": report.findings.count,
            "access": sum(way.ways for way in report.access.ways),
            "coverage": sum(report.completeness.verdicts.values()),
        },
        "findings": report.findings.counts,
        "findings_suppressed": report.findings.suppressed_count,
        "verdicts": report.completeness.verdicts,
    }
    return f"{json.dumps(content, indent=2)}\n".encode()
