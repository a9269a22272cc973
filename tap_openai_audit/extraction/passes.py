"""One pass over one scope: what is emitted, and where the bookmark stands.

The bookmark is the second up to which everything was emitted. It follows the events
emitted; over a stretch without events it moves up to the end of the windows read, but
never beyond an event that was seen: only that shows how far the API is. It never moves
backwards and never beyond now, so an event dated in the future, which is emitted at
once, does not hide those that come before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tap_openai_audit.extraction.lookback import EmittedInRun, Lookback
from tap_openai_audit.extraction.windows import BEGINNING, END, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_openai_audit.extraction.events import Event
    from tap_openai_audit.extraction.reading import WindowRead
    from tap_openai_audit.extraction.report import Report

CLOCK_TOLERANCE = 24 * 3600
"""How far, in seconds, a bookmark may lie after now before it is held to be wrong."""


@dataclass
class Bookmark:
    """How far a scope was emitted, as the state keeps it."""

    at: int | None = None
    """The second up to which everything was emitted, None before the first event."""

    since: int | None = None
    """From which second on `ids` knows every event that was emitted."""

    ids: Lookback = field(default_factory=Lookback)


@dataclass(frozen=True)
class Range:
    """What the settings ask for, in Unix seconds."""

    start: int | None = None
    end: int | None = None
    lookback: int = 3600


class Emitted(Protocol):
    """Knows which events were emitted."""

    def __contains__(self, event: Event) -> bool:
        """Whether an event was."""


@dataclass(frozen=True)
class Batch:
    """A run of events in order, some of which are to be emitted."""

    new: list[Event]
    """To be emitted now."""

    seen: Sequence[Event]
    """All of them, those included that were emitted before."""

    until: int | None = None
    """The end of their window, where this batch completes it."""


class Pass:
    """Sifts the windows of one scope and keeps its bookmark."""

    def __init__(
        self,
        asked: Range,
        bookmark: Bookmark,
        report: Report,
        *,
        now: int,
        elsewhere: Sequence[Emitted] = (),
    ) -> None:
        """Begin where the last run ended.

        Args:
            asked: What the settings ask for.
            bookmark: How far earlier runs came. It is moved in place.
            report: Where to count.
            now: The current time, in Unix seconds.
            elsewhere: What the other scope's pass has emitted.
        """
        self.bookmark = bookmark
        self.report = report
        self.emitted = EmittedInRun()
        self._lookback = asked.lookback
        self._elsewhere = elsewhere
        self._now = now
        self._newest: int | None = None
        if bookmark.at is not None and bookmark.at > now + CLOCK_TOLERANCE:
            bookmark.at = now
        self._began_at = bookmark.at
        self.window = self._first_window(asked)
        report.window_start = (
            None if asked.start is None and bookmark.at is None else (self.window.start)
        )
        report.window_end = asked.end

    def _first_window(self, asked: Range) -> Window:
        """The range to read: from the lookback before the bookmark on."""
        start = BEGINNING if asked.start is None else asked.start
        if (at := self.bookmark.at) is not None:
            floor = at - asked.lookback
            if self.bookmark.since is not None:
                # Before this the ids are not known: a longer lookback grows into it.
                floor = max(floor, min(self.bookmark.since, at))
            start = max(start, floor)
        end = END if asked.end is None else asked.end
        return Window(start, max(start, end))

    def learn(self, *, now: int | None, newest: int | None) -> None:
        """Take note of the API's clock and of the newest event on any page so far."""
        self._now = self._now if now is None else now
        self._newest = newest

    def sift(self, read: WindowRead, size: int) -> Iterator[Batch]:
        """Tell which events of a window are to be emitted, in batches.

        Each batch must have been emitted and passed to `advance` before the next.
        """
        report = self.report
        report.orders.add(read.order)
        report.read += len(read.events)
        if read.events:
            if report.oldest is None:
                report.oldest = read.events[0].effective_at
            report.newest = read.events[-1].effective_at
        for at in range(0, len(read.events), size):
            seen = read.events[at : at + size]
            last = at + size >= len(read.events)
            new = [event for event in seen if not self._was_emitted(event)]
            yield Batch(new, seen, read.window.end if last else None)
        if not read.events:
            yield Batch([], [], read.window.end)

    def _was_emitted(self, event: Event) -> bool:
        return event in self.bookmark.ids or any(
            event in other for other in self._elsewhere
        )

    def advance(self, batch: Batch) -> None:
        """Move the bookmark over a batch that was emitted."""
        report = self.report
        report.emitted += len(batch.new)
        report.known += len(batch.seen) - len(batch.new)
        began_at = self._began_at
        if began_at is not None and batch.new and batch.new[0].effective_at < began_at:
            late = [e for e in batch.new if e.effective_at < began_at]
            report.late += len(late)
            report.latest_by = max(report.latest_by, began_at - late[0].effective_at)
        if batch.seen:
            self._move_to(batch.seen[-1].effective_at)
        if batch.until is not None and self._newest is not None:
            self._move_to(min(batch.until, self._newest))
        # Only these can be looked at again; a long backfill need not hash every id.
        since = self._since()
        for event in batch.seen:
            if event.effective_at >= since:
                self.bookmark.ids.add(event)
        for event in batch.new:
            self.emitted.add(event)

    def _move_to(self, second: int) -> None:
        second = min(second, self._now)
        if self.bookmark.at is None or second > self.bookmark.at:
            self.bookmark.at = second

    def _since(self) -> int:
        """Where the next run will begin to look."""
        at = self.bookmark.at
        return BEGINNING if at is None else max(at - self._lookback, self.window.start)

    def settle(self, budget: int) -> None:
        """Make the bookmark fit for the state.

        Args:
            budget: The most bytes that the ids may take.
        """
        if self.bookmark.at is None:
            return
        since = self._since()
        self.bookmark.since = None if since == BEGINNING else since
        self.report.forgotten = self.bookmark.ids.trim(since, budget)
