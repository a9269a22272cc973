"""What the ledger says of the run of a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_openai_audit.audit_logs.observation import order_of
from tap_openai_audit.singer.sync_reports import Row
from tap_openai_audit.timestamps import iso
from tap_openai_audit.windows import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_openai_audit.audit_logs.report import Report
    from tap_openai_audit.audit_logs.run import ScopeRun
    from tap_openai_audit.settings import Settings


def row_of(run: ScopeRun, settings: Settings) -> Row:
    """Make the row of a scope that was read, or was to be."""
    report, state = run.report, run.after
    scan = report.scan
    return _row(
        report,
        {
            "chain_id": state.chain_id,
            "previous_run_id": run.before.run_id,
            "bookmark": _iso(state.position.bookmark),
            "look_from": _iso(state.position.look_from),
            "covered_from": _iso(state.covered_from),
            "lookback_seconds": settings.lookback_seconds,
            "filters": {name: [*own] for name, own in settings.filters.items()},
            "deep_window_start": _iso(scan.window_start) if scan else None,
            "deep_window_end": _iso(scan.window_end) if scan else None,
            "deep_events_emitted": scan.emitted if scan else None,
            "deep_events_repeated": scan.repeated if scan else None,
            "deep_complete": scan.complete if scan else None,
            "set_aside": ",".join(run.set_aside) or None,
            "order_observed": order_of(report.orders).value,
        },
    )


def _row(report: Report, own: Mapping[str, Any]) -> Row:
    return Row(
        scope=report.scope,
        started_at=report.started_at,
        finished_at=report.finished_at,
        requests=report.requests,
        retries=report.retries,
        events_read=report.read,
        events_emitted=report.emitted,
        events_filtered=report.filtered,
        complete=report.complete,
        reason=report.reason,
        own={
            "window_start": _iso(report.window_start),
            "window_end": _iso(report.window_end),
            "oldest_event_at": _iso(report.oldest),
            "newest_event_at": _iso(report.newest),
            "events_known": report.known,
            "events_late": report.late,
            "events_repeated": report.repeated,
            "greatest_lateness_seconds": report.latest_by,
            **own,
        },
    )


def _iso(second: int | None) -> str | None:
    """Write a time; null for none, and for the beginning of everything."""
    return None if second is None or second == BEGINNING else iso(second)
