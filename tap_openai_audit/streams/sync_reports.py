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

_TIME = th.DateTimeType
_COUNT = th.IntegerType


class SyncReports(Stream):
    """What was asked, read and emitted, for each scope of a run."""

    name = "sync_reports"
    primary_keys: ClassVar[Sequence[str]] = ("run_id", "scope")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("run_id", th.StringType, required=True, description="The run."),
        th.Property("scope", th.StringType, required=True, description="The pass."),
        th.Property("organization_id", th.StringType),
        th.Property("tap_version", th.StringType),
        th.Property("started_at", _TIME),
        th.Property("finished_at", _TIME),
        th.Property(
            "window_start", _TIME, description="Asked from; null: all available."
        ),
        th.Property("window_end", _TIME, description="Asked to; null: up to now."),
        th.Property("oldest_event_at", _TIME),
        th.Property("newest_event_at", _TIME),
        th.Property("bookmark", _TIME, description="Where the next run continues."),
        th.Property("lookback_seconds", _COUNT),
        th.Property("requests", _COUNT),
        th.Property("retries", _COUNT),
        th.Property("events_read", _COUNT),
        th.Property("events_emitted", _COUNT),
        th.Property(
            "events_known", _COUNT, description="Read, but emitted before: not again."
        ),
        th.Property(
            "events_late", _COUNT, description="Emitted from before the bookmark."
        ),
        th.Property("greatest_lateness_seconds", _COUNT),
        th.Property(
            "ids_forgotten",
            _COUNT,
            description="Ids past the state's budget: their events may be repeated.",
        ),
        th.Property("order_observed", th.StringType),
        th.Property("filters", th.ObjectType(additional_properties=True)),
        th.Property("complete", th.BooleanType),
        th.Property("reason", th.StringType, description="Why it is not complete."),
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
