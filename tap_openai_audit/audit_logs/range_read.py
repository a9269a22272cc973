"""A time range that is read: which events are new, and what is known afterwards.

An incremental read (`incremental`) moves the bookmark, a late-arrival scan (`scan`)
finds what appeared too late for all incremental reads. Both compare in the same way:
before the recent ids cell by cell, from there on second by second.
"""

from __future__ import annotations

import abc
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.cells import (
    EMPTY,
    HOUR,
    MOST_RESOLVED,
    Cell,
    cell_of,
    hash_of,
    new_among,
)
from tap_openai_audit.audit_logs.days import day_of
from tap_openai_audit.audit_logs.emitted_ids import EmittedIds
from tap_openai_audit.audit_logs.known import Known
from tap_openai_audit.windows import BEGINNING, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_openai_audit.audit_logs.days import DayCount
    from tap_openai_audit.audit_logs.emitted_ids import KnownIds
    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.audit_logs.paging import WindowRead
    from tap_openai_audit.audit_logs.position import Position
    from tap_openai_audit.audit_logs.report import Reading

_BATCH_BYTES = 4 << 20
"""Bytes of the bodies of a batch: its records are made before any of them is written,
and beside the buffer they should not matter."""


@dataclass(frozen=True)
class Written:
    """What came of the new events of a batch."""

    records: int
    """How many records were made."""

    counted: Sequence[Event]
    """The events that have a record of which a warehouse can count them, in order."""

    renamed: bool = False
    """Whether a stream map has given others a record that cannot be counted."""


NOTHING = Written(0, ())


@dataclass
class _CellRead:
    """A cell while its events are read."""

    start: int
    known: Cell
    read: Cell = EMPTY
    held: list[Event] = field(default_factory=list)
    """Events that cannot be told apart before the cell was read to its end."""
    unresolved: bool = False
    """Whether they cannot be told apart at all."""
    kept: bool = False
    """Whether what was known stays, whatever was read."""
    emitted: int = 0
    """Records written that are counted."""


@dataclass(frozen=True)
class Batch:
    """Some events in order, some of which are to be emitted."""

    seen: Sequence[Event]
    """All of them, those included that were emitted before."""

    new: Sequence[Event]
    """To be emitted now."""

    fresh: Sequence[Event]
    """Those that this feed did not know: `new`, and what the other feed has emitted."""

    until: int
    """Up to where, in time, everything is emitted with this batch."""

    ends: bool = True
    """Whether a STATE may follow: not within a second, nor within a cell."""

    cell: _CellRead | None = None
    """The cell that they belong to, None where events are known one by one."""

    @property
    def resolved(self) -> bool:
        """False if some of `new` were emitted before, and it is not known which."""
        return self.cell is None or not self.cell.unresolved

    @property
    def is_short(self) -> bool:
        """Whether a cell could not be resolved because the API lacks an event of it."""
        cell = self.cell
        return cell is not None and (
            cell.read.events <= cell.known.events + MOST_RESOLVED
        )


class RangeRead(abc.ABC):
    """Compares the windows of a time range, and keeps what is known in step."""

    reading: Reading
    """What was read so far."""

    def __init__(
        self,
        window: Window,
        before: Position,
        elsewhere: Sequence[KnownIds] = (),
        *,
        may_be_cut_off: bool = True,
        remembers: bool = True,
    ) -> None:
        """Begin.

        Args:
            window: The range that is read. It begins and ends where cells do.
            before: How far the feed is.
            elsewhere: What the other feed has emitted.
            may_be_cut_off: Whether events that are missing may have become too old for
                the API: not where other filters leave them out.
            remembers: Whether the ids are needed for another feed of this run.
        """
        self.window = window
        self.emitted = EmittedIds()
        self.days = before.days.copy()
        self.at_end = True
        """Whether a STATE may be written now."""
        self._before = before
        self._elsewhere = elsewhere
        self._until = window.start
        """Up to where, in time, everything is emitted."""
        self._known = before.known.copy()
        if before.is_empty:
            self._known = Known()
            self._known.forget_before(window.start)
        self._may_be_cut_off = may_be_cut_off
        self._remembers = remembers
        self._reported_to = before.read_to
        """Up to when days that end are reported."""
        self._counted_from = before.counted_from
        self._seconds = self._known.ids.seconds
        """Those of which ids were known when the range was begun."""
        self._cell: _CellRead | None = None
        """The cell that is not read to its end."""
        self._seen_any = self._missed_any = False
        """Whether a known cell was seen that has events, and one that has none left."""
        self._now: int | None = None
        """The API's clock, in Unix seconds."""

    def learn(self, *, now: int | None, newest: int | None) -> None:  # noqa: ARG002
        """Take note of the API's clock and of the newest event on any page so far."""
        self._now = now

    def batches(self, read: WindowRead, size: int) -> Iterator[Batch]:
        """Tell which events of a window are to be emitted, in batches.

        Each batch must have been emitted and passed to `advance` before the next.

        Args:
            read: The window that follows the last one.
            size: The most events of a batch, as far as one second allows.
        """
        self.reading.note_read(read)
        window, events = read.window, read.events
        middle = min(max(self._known.recent_from, window.start), window.end)
        place = bisect_left(events, (middle,)) if window.start < middle else 0
        if window.start < middle:
            older = Window(window.start, middle)
            yield from self._compare_cells(events[:place], older, size)
        if middle < window.end:
            newer = events[place:] if place else events
            yield from self._compare_ids(newer, Window(middle, window.end), size)

    def _compare_ids(
        self, events: Sequence[Event], window: Window, size: int
    ) -> Iterator[Batch]:
        """Tell events apart one by one."""
        first = bisect_left(self._seconds, window.start)
        fresh: Sequence[bool] | None = None
        if first < bisect_left(self._seconds, window.end, first):
            ids = self._known.ids
            fresh = [hash_of(e.id) not in ids.at(e.effective_at) for e in events]
        for begin, end, ends in _cut(events, size):
            seen = events[begin:end]
            own = seen if fresh is None else [*compress(seen, fresh[begin:end])]
            until = window.end if end == len(events) else seen[-1].effective_at + 1
            yield Batch(seen, self._not_elsewhere(own), own, until, ends)

    def _compare_cells(
        self, events: Sequence[Event], window: Window, size: int
    ) -> Iterator[Batch]:
        """Tell events apart by the cells that they belong to."""
        cells, begin, at = self._known.cells, 0, window.start
        starts = cells.starts_between(cells.start_of(window.start), window.end)
        begun = () if self._cell is None else (self._cell.start,)
        of_events = {cells.start_of(event.effective_at) for event in events}
        for start in sorted({*begun, *starts, *of_events}):
            end = min(self._known.end_of_cell(start), self.window.end)
            last = bisect_left(events, (end,), begin)
            own, begin = events[begin:last], last
            if self._cell is None:
                self._cell = _CellRead(start, cells[start])
            yield from self._compare_cell(self._cell, own, end, window.end, size)
            at = end
        if at < window.end:
            yield Batch((), (), (), window.end)

    def _compare_cell(
        self, cell: _CellRead, events: Sequence[Event], end: int, until: int, size: int
    ) -> Iterator[Batch]:
        """Compare a part of a cell, or all of it.

        Args:
            cell: What is known of the cell, and what was read of it.
            events: Those that follow.
            end: Where the cell ends.
            until: Up to where it was read.
            size: The most events of a batch.
        """
        ends = end <= until
        cell.read = cell.read.plus(cell_of(hash_of(e.id) for e in events))
        cell.held += events
        if cell.known.events and not cell.unresolved:
            most = cell.known.events + MOST_RESOLVED
            if len(self._not_elsewhere(cell.held)) > most:
                cell.unresolved = True
            elif ends:
                self._cell = None
                yield from self._emit(cell, self._resolve(cell), end, size, ends=True)
                return
            else:
                return
        self._cell = None if ends else cell
        self._seen_any = self._seen_any or bool(cell.read.events)
        fresh = [True] * len(cell.held)
        yield from self._emit(cell, fresh, end, size, ends=ends)

    def _resolve(self, cell: _CellRead) -> Sequence[bool]:
        """Tell which events are new of a cell that was read to its end."""
        held, count = cell.held, len(cell.held)
        if self._is_cut_off(cell):
            cell.kept = True
            return [False] * count
        fresh = [True] * count
        own = [place for place in range(count) if self._not_elsewhere([held[place]])]
        for candidates in (range(count), own):
            hashes = [hash_of(held[place].id) for place in candidates]
            places = new_among(cell.known, hashes)
            if places is not None:
                new = {candidates[place] for place in places}
                known = {*candidates} - new
                return [place not in known for place in range(count)]
        cell.unresolved = True
        return fresh

    def _is_cut_off(self, cell: _CellRead) -> bool:
        """Tell whether the API has deleted events of a cell because they are old.

        So it seems if it shows no event of a known cell, or fewer of the first that
        follows such ones. Otherwise each day would end with a cell emitted again where
        retention is shorter than the late-arrival scan.
        """
        if not cell.read.events:
            self._missed_any = True
            return True
        first = self._missed_any and not self._seen_any and self._may_be_cut_off
        self._seen_any = True
        return first and cell.read.events < cell.known.events

    def _emit(
        self, cell: _CellRead, fresh: Sequence[bool], end: int, size: int, *, ends: bool
    ) -> Iterator[Batch]:
        """Emit the fresh events of those held, and end the cell with the last batch."""
        held, cell.held = cell.held, []
        if not held and not ends:
            return
        for begin, after, _ in _cut(held, size):
            seen = held[begin:after]
            own = [*compress(seen, fresh[begin:after])]
            last = ends and after == len(held)
            until = end if last else cell.start
            yield Batch(seen, self._not_elsewhere(own), own, until, last, cell)

    def _not_elsewhere(self, events: Sequence[Event]) -> Sequence[Event]:
        """Leave out what the other feed has emitted."""
        for known in self._elsewhere:
            events = [event for event in events if event not in known]
        return events

    def advance(self, batch: Batch, written: Written) -> None:
        """Move on over a batch that was emitted."""
        self.at_end = batch.ends
        if batch.ends:
            self._until = batch.until
        if batch.cell is None:
            self._take_ids(batch, written)
        else:
            self._take_cell(batch, batch.cell, written)
        if written.renamed:
            for day in {day_of(event.effective_at) for event in batch.new}:
                self.days.add_uncertain(day, 0)
        if self._remembers:
            for event in batch.new:
                self.emitted.add(event)

    def _take_ids(self, batch: Batch, written: Written) -> None:
        hashes = [hash_of(event.id) for event in batch.fresh]
        if len(written.counted) == len(batch.fresh):
            self._count(written.counted, hashes)
        else:
            self._count(written.counted, [hash_of(e.id) for e in written.counted])
        # A long backfill: most events are never read again.
        forgotten = self._keep_from() // HOUR * HOUR
        first = bisect_left(batch.fresh, (forgotten,)) if batch.ends else 0
        add = self._known.ids.add
        for event, hash_ in zip(batch.fresh[first:], hashes[first:], strict=True):
            add(event.effective_at, hash_)

    def _take_cell(self, batch: Batch, cell: _CellRead, written: Written) -> None:
        cell.emitted += len(written.counted)
        if not cell.unresolved:
            hashes = [hash_of(event.id) for event in written.counted]
            self._count(written.counted, hashes)
        if not batch.ends:
            return
        if cell.unresolved:
            # The table has those that were known, and those that are read now.
            more = max(0, cell.emitted - cell.known.events)
            self.days.add_uncertain(day_of(cell.start), more)
        if cell.read.events and not cell.kept:
            self._known.cells[cell.start] = cell.read

    def _count(self, events: Sequence[Event], hashes: Sequence[int]) -> None:
        """Count events that were written."""
        if not events:
            return
        self.days.add(events, hashes)
        first = events[0].effective_at
        if self._counted_from is None:
            if self.window.start != BEGINNING:
                first = min(first, self.window.start)
            elif self._now is not None:
                first = min(first, self._now)
            self._counted_from = first
        # A late event of a day before would be in the digest, and not in the query.
        self._counted_from = min(self._counted_from, first)

    def complete(self) -> None:
        """Take note that the range was read in full."""
        self.reading.complete = True if self.window.start < self.window.end else None

    def position(self) -> tuple[Position, list[tuple[int, DayCount]]]:
        """Return how far the feed is by now, and the days that have changed.

        Only where `at_end`. A day is left out of the position, and returned for the
        last time, when nothing can change it any more.
        """
        look_from, read_to = self._look_from(), self._read_to()
        known = self._known
        known.shrink(self._until, self._now)
        known.widen(look_from, self._until)
        known.forget_before(self._keep_from())
        before = self._reported_to
        if read_to is not None:
            self.days.report_ended(BEGINNING if before is None else before, read_to)
            self._reported_to = read_to
        changed = self.days.take_changed()
        if read_to is not None:
            self.days.drop_before(min(known.known_from, read_to))
        return self._position(), changed

    @abc.abstractmethod
    def _keep_from(self) -> int:
        """Return from when on everything may be read again, in Unix seconds."""

    @abc.abstractmethod
    def _look_from(self) -> int:
        """Return from where the next incremental read begins."""

    @abc.abstractmethod
    def _read_to(self) -> int | None:
        """Return up to when everything there was is emitted."""

    def _position(self) -> Position:
        """Return how far the feed is."""
        return replace(
            self._before,
            look_from=self._look_from(),
            read_to=self._read_to(),
            known=self._known.copy(),
            days=self.days.copy(),
            counted_from=self._counted_from,
        )


def _cut(events: Sequence[Event], size: int) -> Iterator[tuple[int, int, bool]]:
    """Cut events into batches, bounded in number and in bytes.

    A batch goes on to the end of a second if that makes it no more than twice as large.

    Yields:
        Where a batch begins and ends, and whether a second ends with it. The last one
        may be empty.
    """
    begin = held = 0
    last = len(events) - 1
    for place, event in enumerate(events):
        held += len(event.body)
        count = place + 1 - begin
        if place == last or (count < size and held <= _BATCH_BYTES):
            continue
        ends = events[place + 1].effective_at > event.effective_at
        if ends or count >= 2 * size or held > _BATCH_BYTES:
            yield begin, place + 1, ends
            begin, held = place + 1, 0
    yield begin, len(events), True
