"""The ledger as a stream: one record for each thing read in a run, emitted at the end.

It is what an auditor asks for: which period was asked, under which filters, and
whether it was read in full. Each kind of thing makes a `Row` of what came of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from typing_extensions import override

from tap_openai_audit.singer.columns import (
    anything,
    count,
    flag,
    moment,
    schema_of,
    text,
)
from tap_openai_audit.singer.mapped_stream import MappedStream
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_openai_audit.errors import TapError

LEDGER = "sync_reports"
"""The name of the stream."""


class SyncReports(MappedStream):
    """What was asked, read and emitted in a run, for each scope and reference stream.

    The ledger fills up while the other streams are synced, so this one comes last.
    """

    name = LEDGER
    primary_keys: ClassVar[Sequence[str]] = ("run_id", "scope")
    schema: ClassVar[dict[str, Any]] = schema_of(
        text("run_id", "The run.", required=True),
        text(
            "scope",
            "What was read: the events of the `organization` or the `tenant`, those of"
            " a workspace (`workspace_audit` or `workspace_auth`), or the reference"
            " stream of this name, of which only the counts, the times of the run and"
            " `complete` are told.",
            required=True,
        ),
        text("organization_id", "The organization; null for a workspace's scopes."),
        text("workspace_id", "The workspace; null for all others."),
        text("tap_version", "The version of the tap."),
        text("chain_id", "The chain: all runs that began from each other's state."),
        text("previous_run_id", "The run whose state this one began from."),
        moment("started_at", "When reading began, by the clock of the tap's machine."),
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
        count(
            "events_read",
            "Events read, each counted once; of a reference stream, objects.",
        ),
        count("events_emitted", "Events, or objects, that records were written of."),
        count("events_filtered", "Events, or objects, that a stream map left out."),
        count(
            "events_known",
            "Events read that an earlier run or the other scope had emitted.",
        ),
        count("events_late", "Events emitted from before the bookmark."),
        count("greatest_lateness_seconds", "How far before, at the most."),
        count(
            "events_repeated",
            "Events emitted again with others that they could not be told from.",
        ),
        moment(
            "deep_window_start",
            "The late-arrival scan asked from; null: from the beginning, or none due.",
        ),
        moment("deep_window_end", "The scan asked up to; null: none was due."),
        count(
            "deep_events_emitted",
            "Events that the late-arrival scan emitted, and no read had seen before.",
        ),
        count("deep_events_repeated", "Events that it emitted again."),
        flag(
            "deep_complete",
            "Whether the late-arrival scan was read in full; null: none was due.",
        ),
        text(
            "set_aside",
            "The ids of events without a usable `effective_at`, which are not loaded,"
            " separated by commas; null: none was read.",
        ),
        text("order_observed", "The order in which the API gave events."),
        anything("filters", "The filters in force, by name."),
        flag(
            "complete",
            "Whether it was read in full, of a reference stream all lists and those of"
            " its parent; null: nothing was to be read.",
        ),
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


@dataclass(frozen=True)
class Row:
    """What is told of everything that is read. Times are Unix seconds."""

    scope: str
    """What was read."""
    started_at: int
    finished_at: int | None
    requests: int
    retries: int
    events_read: int
    events_emitted: int
    events_filtered: int
    complete: bool | None
    """Whether it was read in full. None if there was nothing to read."""
    reason: str | None
    """Why it was not."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """The columns that apply to this kind of thing alone. All others are null."""

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that have a value."""
        shared = asdict(self)
        own = shared.pop("own")
        finished = None if self.finished_at is None else iso(self.finished_at)
        times = {"started_at": iso(self.started_at), "finished_at": finished}
        return {**shared, **times, **own}


class Run(Protocol):
    """What the ledger needs to know of a run."""

    @property
    def run_id(self) -> str:
        """The run."""

    @property
    def account(self) -> Mapping[str, str]:
        """The column that says whose events were read."""


class Ledger:
    """The records of a run, in the order in which they were entered."""

    def __init__(self, tap_version: str) -> None:
        self._tap_version = tap_version
        self.records: list[dict[str, Any]] = []

    def enter(self, session: Run, row: Row) -> None:
        """Enter what came of one thing that was read."""
        self.records.append(
            {
                **dict.fromkeys(SyncReports.schema["properties"]),
                "run_id": session.run_id,
                **session.account,
                "tap_version": self._tap_version,
                **row.columns,
            }
        )
