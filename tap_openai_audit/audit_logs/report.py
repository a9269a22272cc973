"""The counts of one run of one feed: what it asked, read and emitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.audit_logs.observation import Order
    from tap_openai_audit.audit_logs.paging import WindowRead


@dataclass
class Reading:
    """What was read of a time range. Times are Unix seconds."""

    window_start: int | None = None
    """The earliest second asked for, None for everything available."""
    window_end: int | None = None
    """The second before which was asked, None for everything up to now."""
    oldest: int | None = None
    """The oldest event read."""
    newest: int | None = None
    """The newest event read."""
    read: int = 0
    """Events read, each counted once."""
    emitted: int = 0
    """Records written."""
    repeated: int = 0
    """Events emitted again with cells that could not be resolved."""
    repeated_short: int = 0
    """Those of them in whose cell the API no longer showed an event."""
    orders: set[Order] = field(default_factory=set)
    set_aside: dict[str, None] = field(default_factory=dict)
    """The ids of events without a usable time, in the order in which they came."""
    complete: bool | None = False
    """Whether it was read in full. None if there was nothing to read."""

    def note_repeated(self, events: int, *, short: bool) -> None:
        """Count events that were emitted again with a cell.

        Args:
            events: How many.
            short: Whether the API no longer showed an event of the cell.
        """
        self.repeated += events
        self.repeated_short += events if short else 0

    def note_read(self, read: WindowRead) -> None:
        """Count what was read of a window that follows the last one."""
        self.orders.add(read.order)
        self.read += len(read.events)
        self.set_aside |= dict.fromkeys(read.set_aside)
        if read.events:
            oldest = read.events[0].effective_at
            self.oldest = oldest if self.oldest is None else min(self.oldest, oldest)
            self.newest = read.events[-1].effective_at


@dataclass
class Report(Reading):
    """Counts and bounds of one run of one feed: its incremental read, and its scan."""

    scope: str = ""
    started_at: int = 0
    finished_at: int | None = None
    requests: int = 0
    retries: int = 0
    filtered: int = 0
    """Events of which a stream map made no record."""
    known: int = 0
    """Events read that an earlier run or the other feed had emitted."""
    late: int = 0
    """Events emitted although they lie before the bookmark that the run began with."""
    latest_by: int = 0
    """How many seconds before that bookmark the oldest late event lies."""
    is_empty: bool = False
    """Whether the range has no time in it."""
    asked: bool = False
    """Whether the range to read was worked out."""
    reason: str | None = None
    """Why the range was not read in full, or not at all."""
    scan: Reading | None = None
    """The late-arrival scan, None if none was due."""

    def note_late(self, new: Sequence[Event], bookmark: int | None) -> None:
        """Count which of the events emitted lie before the bookmark of the run before.

        Args:
            new: Events in order, none of which was emitted before.
            bookmark: That bookmark, None if no run was before.
        """
        if bookmark is None or not new or new[0].effective_at >= bookmark:
            return
        self.late += sum(event.effective_at < bookmark for event in new)
        self.latest_by = max(self.latest_by, bookmark - new[0].effective_at)
