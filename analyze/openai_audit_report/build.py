"""A build: all answers of one moment, then the page, then the files."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai_audit_report.access import Access
from openai_audit_report.activity import Activity
from openai_audit_report.completeness import Completeness
from openai_audit_report.findings import Findings
from openai_audit_report.models import Answers
from openai_audit_report.page import Report, page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openai_audit_report.activity import Events
    from openai_audit_report.completeness import Runs
    from openai_audit_report.settings import Settings

PAGE, MANIFEST = "report.html", "report.json"


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
        place = settings.directory / PAGE
        _write(place, text)
        _write(settings.directory / MANIFEST, _manifest(report, text))
    except OSError as error:
        raise NotWritten(
            f"{settings.directory} cannot be written ({error.strerror}): correct"
            " REPORT_DIRECTORY"
        ) from None
    return place


def asked(settings: Settings) -> Report:
    """Return what the database answers, all of it as of one moment.

    Raises:
        WarehouseFailed: The database cannot be reached, or refuses.
    """
    with settings.warehouse.snapshot() as query:
        now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        answers = Answers(
            query, settings.schema, settings.period, settings.organization_id
        )
        findings, completeness = Findings.of(answers), Completeness.of(answers)
        activity = Activity.of(answers, findings.event_ids)
        logs: list[Events | Runs] = [
            *activity.events,
            *(feed.runs for feed in completeness.feeds),
        ]
        return Report(
            period=settings.period,
            queried_at=now,
            accounts=_accounts(logs),
            missing=answers.missing,
            activity=activity,
            findings=findings,
            access=Access.of(answers, now),
            completeness=completeness,
        )


def _accounts(logs: Iterable[Events | Runs]) -> list[tuple[str, str]]:
    """Return the organizations and workspaces that logs are of, each once."""
    found = {
        ("workspace", log.workspace_id)
        if log.workspace_id
        else ("organization", log.organization_id or "")
        for log in logs
    }
    return sorted((kind, id_) for kind, id_ in found if id_)


def _manifest(report: Report, text: bytes) -> bytes:
    """Return what is known of a report: its checksum, and what it was made of."""
    content: Mapping[str, Any] = {
        "file": PAGE,
        "sha256": hashlib.sha256(text).hexdigest(),
        "bytes": len(text),
        "queried_at": f"{report.queried_at.isoformat()}Z",
        "period": {
            "first_day": str(report.period.start.date()),
            "last_day": str(report.period.last_day.date()),
        },
        "accounts": [
            {"kind": kind, "id": account_id} for kind, account_id in report.accounts
        ],
        "models_missing": report.missing,
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


def _write(place: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole, or as it was before."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink()
        raise
