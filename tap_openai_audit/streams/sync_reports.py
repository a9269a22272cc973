"""The ledger as a stream: one record for each scope and run, emitted at the end.

It is what an auditor asks for: which period was asked, under which filters, and
whether it was read in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

from tap_openai_audit.streams.record import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_openai_audit.extraction.report import Report

_TEXT, _TIME, _COUNT = th.StringType, th.DateTimeType, th.IntegerType


def _column(name: str, kind: Any, description: str) -> th.Property[Any]:  # noqa: ANN401
    return th.Property(name, kind, description=description)


class SyncReports(Stream):
    """What was asked, read and emitted, for each scope of a run."""

    name = "sync_reports"
    primary_keys: ClassVar[Sequence[str]] = ("run_id", "scope")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("run_id", th.StringType, required=True, description="The run."),
        th.Property("scope", th.StringType, required=True, description="The pass."),
        _column("organization_id", _TEXT, "The organization."),
        _column("tap_version", _TEXT, "The version of the tap."),
        _column("started_at", _TIME, "When the pass began."),
        _column("finished_at", _TIME, "When it ended."),
        _column("window_start", _TIME, "Asked from; null: everything available."),
        _column("window_end", _TIME, "Asked up to; null: up to now."),
        _column("oldest_event_at", _TIME, "The oldest event read."),
        _column("newest_event_at", _TIME, "The newest event read."),
        _column("bookmark", _TIME, "Where the next run continues."),
        _column("lookback_seconds", _COUNT, "How far before it that run looks again."),
        _column("requests", _COUNT, "Requests made, repeated ones included."),
        _column("retries", _COUNT, "Requests that were repeated."),
        _column("events_read", _COUNT, "Events read, each counted once."),
        _column("events_emitted", _COUNT, "Events emitted."),
        _column("events_known", _COUNT, "Events read that were emitted before."),
        _column("events_late", _COUNT, "Events emitted from before the bookmark."),
        _column("greatest_lateness_seconds", _COUNT, "How far before, at the most."),
        _column(
            "ids_forgotten",
            _COUNT,
            "Ids past the state's budget: their events may be emitted again.",
        ),
        _column("order_observed", _TEXT, "The order in which the API gave events."),
        _column(
            "filters",
            th.ObjectType(additional_properties=True),
            "The filters in force, by name.",
        ),
        _column("complete", th.BooleanType, "Whether the range was read in full."),
        _column("reason", _TEXT, "Why it was not."),
    ).to_dict()

    def __init__(self, tap: Tap, reports: Iterable[Mapping[str, Any]]) -> None:
        """Take the reports to emit, which fill up while other streams are synced."""
        super().__init__(tap)
        self._reports = reports

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Emit what has been reported in this run."""
        yield from (dict(report) for report in self._reports)


def as_record(report: Report) -> dict[str, Any]:
    """The columns that come from the engine."""
    return {
        "scope": report.scope,
        "started_at": iso(report.started_at),
        "finished_at": _iso(report.finished_at),
        "window_start": _iso(report.window_start),
        "window_end": _iso(report.window_end),
        "oldest_event_at": _iso(report.oldest),
        "newest_event_at": _iso(report.newest),
        "requests": report.requests,
        "retries": report.retries,
        "events_read": report.read,
        "events_emitted": report.emitted,
        "events_known": report.known,
        "events_late": report.late,
        "greatest_lateness_seconds": report.latest_by,
        "ids_forgotten": report.forgotten,
        "order_observed": report.order.value,
        "complete": report.complete,
        "reason": report.reason,
    }


def _iso(second: int | None) -> str | None:
    return None if second is None else iso(second)
