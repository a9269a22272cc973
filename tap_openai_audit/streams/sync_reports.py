"""The ledger as a stream: one record for each scope and run, emitted at the end.

It is what an auditor asks for: which period was asked, under which filters, and
whether it was read in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_openai_audit.extraction.observation import order_of
from tap_openai_audit.extraction.windows import BEGINNING
from tap_openai_audit.streams.columns import (
    anything,
    count,
    flag,
    moment,
    schema_of,
    text,
)
from tap_openai_audit.streams.mapped_stream import MappedStream
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_openai_audit.errors import TapError
    from tap_openai_audit.session import Session
    from tap_openai_audit.streams.scope_run import ScopeRun


LEDGER = "sync_reports"
"""The name of the stream."""


class SyncReports(MappedStream):
    """What was asked, read and emitted, for each scope of a run.

    The ledger fills up while the other streams are synced, so this one comes last.
    """

    name = LEDGER
    primary_keys: ClassVar[Sequence[str]] = ("run_id", "scope")
    schema: ClassVar[dict[str, Any]] = schema_of(
        text("run_id", "The run.", required=True),
        text("scope", "Whose events: `organization` or `tenant`.", required=True),
        text("organization_id", "The organization."),
        text("tap_version", "The version of the tap."),
        text("chain_id", "The chain: all runs that began from each other's state."),
        text("previous_run_id", "The run whose state this one began from."),
        moment("started_at", "When the scope began."),
        moment("finished_at", "When it ended."),
        moment("window_start", "Asked from; null: everything available."),
        moment("window_end", "Asked up to; null: up to now."),
        moment("oldest_event_at", "The oldest event read."),
        moment("newest_event_at", "The newest event read."),
        moment("bookmark", "Up to where everything there was is emitted."),
        moment("look_from", "From where the next run looks again."),
        moment(
            "covered_from",
            "From when on the chain covers what filters and start_date ask for; null:"
            " from the beginning.",
        ),
        count(
            "lookback_seconds",
            "Seconds before its bookmark that the next run looks again.",
        ),
        count("requests", "Requests made, repeated ones included."),
        count("retries", "Requests that were repeated."),
        count("events_read", "Events read, each counted once."),
        count("events_emitted", "Events that records were written of."),
        count("events_filtered", "Events that a stream map left out."),
        count(
            "events_known",
            "Events read that an earlier run or the other scope had emitted.",
        ),
        count("events_late", "Events emitted from before the bookmark."),
        count("greatest_lateness_seconds", "How far before, at the most."),
        count(
            "events_repeated",
            "Events emitted again, because nobody can tell which of them are late.",
        ),
        count(
            "ids_forgotten",
            "Always 0: nothing is forgotten. Kept for tables that have it.",
        ),
        moment(
            "deep_window_start",
            "The deep look asked from; null: from the beginning, or none was due.",
        ),
        moment("deep_window_end", "The deep look asked up to; null: none was due."),
        count(
            "deep_events_emitted",
            "Events that the deep look emitted, and no look had seen before.",
        ),
        count("deep_events_repeated", "Events that it emitted again."),
        flag(
            "deep_complete",
            "Whether the deep look was read in full; null: none was due.",
        ),
        text("order_observed", "The order in which the API gave events."),
        anything("filters", "The filters in force, by name."),
        flag("complete", "Whether it was read in full; null: nothing was to be read."),
        text("reason", "Why it was not."),
    )

    def __init__(
        self, tap: Tap, ledger: Ledger, *, failed: Callable[[TapError], None]
    ) -> None:
        super().__init__(tap, failed=failed)
        self._ledger = ledger

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Emit what has been entered in this run."""
        yield from self._ledger.records


class Ledger:
    """The records of a run, in the order in which they were entered."""

    def __init__(self, tap_version: str) -> None:
        self._tap_version = tap_version
        self.records: list[dict[str, Any]] = []

    def enter(self, run: ScopeRun, session: Session) -> None:
        """Enter the run of a scope."""
        settings, report, state = session.settings, run.report, run.after
        deep = report.deep
        self.records.append(
            {
                "run_id": session.run_id,
                "organization_id": settings.organization_id,
                "tap_version": self._tap_version,
                "chain_id": state.chain_id,
                "previous_run_id": run.before.run_id,
                "bookmark": _iso(state.position.bookmark),
                "look_from": _iso(state.position.look_from),
                "covered_from": _iso(state.covered_from),
                "lookback_seconds": settings.lookback_seconds,
                "filters": {name: [*own] for name, own in settings.filters.items()},
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
                "events_filtered": report.filtered,
                "events_known": report.known,
                "events_late": report.late,
                "events_repeated": report.repeated,
                "greatest_lateness_seconds": report.latest_by,
                "ids_forgotten": 0,
                "deep_window_start": _iso(deep.window_start) if deep else None,
                "deep_window_end": _iso(deep.window_end) if deep else None,
                "deep_events_emitted": deep.emitted if deep else None,
                "deep_events_repeated": deep.repeated if deep else None,
                "deep_complete": deep.complete if deep else None,
                "order_observed": order_of(report.orders).value,
                "complete": report.complete,
                "reason": report.reason,
            }
        )


def _iso(second: int | None) -> str | None:
    """Write a time; null for none, and for the beginning of everything."""
    return None if second is None or second == BEGINNING else iso(second)
