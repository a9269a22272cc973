"""Incremental reading of one scope: what is emitted, and from where the next run reads.

The **bookmark** is the second up to which everything that was there is emitted. It
follows the events; over a stretch without events it moves to the end of the windows
read, but never beyond the newest event seen: only that shows how far the API is. It
never moves backwards. An event that is dated after the API's clock is emitted at once,
and moves nothing.

The bookmark alone does not say from where the next run has to look again. An event may
appear up to `lookback` seconds after its own time, so it can be missing from a window
that was read before it appeared; and windows are read ahead of what the target takes,
possibly hours ahead. What counts is when a window was read. The next run begins at

    max(start of the window, min(read at, newest event seen) - lookback)

of the window for which this is least. Windows that end before their own term are
settled and do not count. With it the promise is: an event that appears within
`lookback` seconds of its own time is emitted, however long the target stalls.

What is read again and was emitted before is known by the sketch.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.buckets import (
    MOST_RESOLVED,
    Bucket,
    bucket_of,
    resolve,
)
from tap_openai_audit.extraction.emitted_ids import EmittedIds
from tap_openai_audit.extraction.position import Asked, Position, range_to_read
from tap_openai_audit.extraction.sketch import Sketch
from tap_openai_audit.extraction.windows import BEGINNING, END, Window, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_openai_audit.extraction.emitted_ids import KnownIds
    from tap_openai_audit.extraction.events import Event
    from tap_openai_audit.extraction.paging import WindowRead
    from tap_openai_audit.extraction.report import Report

_BATCH_BYTES = 4 << 20
"""Bytes of the bodies of a batch: its records are made before any of them is written,
and beside the buffer they should not matter."""

_CHARACTERS_PER_ID = 24
"""Of the budget of a sketch, for each id of a second that is not emitted to its end: an
id takes up to 16, and the rest needs some room as well."""


@dataclass(frozen=True)
class Batch:
    """Some events in order, some of which are to be emitted."""

    new: Sequence[Event]
    """To be emitted now."""

    seen: Sequence[Event]
    """All of them, those included that were emitted before."""

    until: int
    """Up to where, in time, everything is emitted with this batch."""

    resolved: bool = True
    """False if some of `new` were emitted before, and nobody can tell which."""

    inexact: bool = False
    """Whether a bucket of this time was inexact before."""


@dataclass(frozen=True)
class _Unsettled:
    """A window in which events may still appear."""

    window: Window
    read_at: int


class Incremental:
    """Sifts the windows of one scope and keeps its position."""

    def __init__(
        self,
        asked: Asked,
        position: Position,
        report: Report,
        *,
        elsewhere: Sequence[KnownIds] = (),
    ) -> None:
        """Begin where the last run ended.

        Args:
            asked: What the settings ask for.
            position: How far earlier runs came.
            report: Where to count.
            elsewhere: What the other scope has emitted.
        """
        self.report = report
        self.emitted = EmittedIds()
        self._lookback = asked.lookback
        before = position.known_of_0_1
        self._elsewhere = [*elsewhere, *([] if before is None else [before])]
        self._before = position
        self._bookmark = position.bookmark
        self._now: int | None = None
        self._newest = position.bookmark
        self.window = range_to_read(asked, position)
        self._until = self.window.start
        """Up to where, in time, everything is emitted."""
        self._unsettled: list[_Unsettled] = []
        self._groups = position.known.groups(self.window.start)
        self._held: list[Event] | None = None
        """Events of a bucket whose time is not read to its end, None if there is none,
        or if it cannot be resolved."""
        self._repeated: int | None = None
        """Where the last bucket begins that is emitted again."""
        self._ids: list[Bucket] = []
        """What this run has seen, as far as a later run may look at it again."""
        self._end = BEGINNING
        """The second after the last event of `_ids`."""
        self._savable = position
        self._merged_until = BEGINNING
        """Buckets of `_ids` may be merged up to here."""
        start, end = self.window.start, self.window.end
        report.window_start = None if start == BEGINNING else start
        report.window_end = None if end == END else end
        report.asked = True
        report.is_empty = start == end

    def learn(self, *, now: int | None, newest: int | None) -> None:
        """Take note of the API's clock and of the newest event on any page so far."""
        self._now = now
        if newest is not None:
            self._newest = newest if self._newest is None else max(newest, self._newest)

    def batches(self, read: WindowRead, size: int) -> Iterator[Batch]:
        """Tell which events of a window are to be emitted, in batches.

        Each batch must have been emitted and passed to `advance` before the next.

        Args:
            read: The window that follows the last one.
            size: The most events of a batch, as far as its buckets allow.
        """
        self._unsettled.append(_Unsettled(read.window, read.read_at))
        report = self.report
        report.orders.add(read.order)
        report.read += len(read.events)
        if read.events:
            report.oldest = _least(report.oldest, read.events[0].effective_at)
            report.newest = read.events[-1].effective_at
        for window, known, ends in self._parts(read.window):
            first = bisect_left(read.events, (window.start,))
            last = bisect_left(read.events, (window.end,), first)
            events = read.events[first:last]
            if not known or known[0].ids == 1:
                yield from self._sift_ids(known, events, window, size)
            elif window.start == known[0].start or self._held is not None:
                yield from self._sift_bucket(known[0], events, window, size, ends=ends)
            else:
                # The rest of a bucket that cannot be resolved.
                yield from self._repeat(events, window, size)

    def _parts(
        self, window: Window
    ) -> Iterator[tuple[Window, tuple[Bucket, ...], bool]]:
        """Cut a window where buckets begin.

        Yields:
            A part of the window, its buckets, and whether their time ends with it.
        """
        at = window.start
        while at < window.end:
            while self._groups and self._groups[0][1] <= at:
                self._groups.pop(0)
            start, end, known = self._groups[0] if self._groups else (END, END, ())
            if at < start:
                until, known, ends = min(start, window.end), (), False
            else:
                until, ends = min(end, window.end), end <= window.end
            yield Window(at, until), known, ends
            at = until

    def _sift_ids(
        self,
        known: tuple[Bucket, ...],
        events: Sequence[Event],
        window: Window,
        size: int,
    ) -> Iterator[Batch]:
        """Tell events apart one by one: what is known of them are ids, if anything."""
        if known and window.start == known[0].start:
            self._ids += known
            self._end = max(self._end, known[0].start + 1)
        for seen, until in _cut(events, window, size):
            new = resolve(known, seen).new if known else seen
            yield Batch(self._not_elsewhere(new), seen, until)

    def _sift_bucket(
        self,
        bucket: Bucket,
        events: Sequence[Event],
        window: Window,
        size: int,
        *,
        ends: bool,
    ) -> Iterator[Batch]:
        """Tell the events of a merged bucket apart, of which only sums are known.

        They are held until its time is read to its end, or until more came than can be
        resolved.
        """
        held = [*(self._held or ()), *events]
        own = self._not_elsewhere(held)
        if len(own) > bucket.ids + MOST_RESOLVED:
            self._held, self._repeated = None, bucket.start
            begin = Window(bucket.start, window.end)
            yield from self._repeat(held, begin, size)
        elif not ends:
            self._held = held
        else:
            self._held = None
            for candidates in (held, own):
                found = resolve([bucket], candidates)
                if found.resolved:
                    new = self._not_elsewhere(found.new)
                    yield Batch(new, held, window.end, inexact=bucket.inexact)
                    return
            self._repeated = bucket.start
            yield from self._repeat(held, Window(bucket.start, window.end), size)

    def _repeat(
        self, events: Sequence[Event], window: Window, size: int
    ) -> Iterator[Batch]:
        """Emit all events of a bucket again: nobody can tell which are known."""
        for seen, until in _cut(events, window, size):
            new = self._not_elsewhere(seen)
            yield Batch(new, seen, until, resolved=False, inexact=True)

    def _not_elsewhere(self, events: Sequence[Event]) -> Sequence[Event]:
        """Leave out what the other scope has emitted, or a state of 0.1.0 knows."""
        for known in self._elsewhere:
            events = [event for event in events if event not in known]
        return events

    def advance(self, batch: Batch, written: int) -> None:
        """Move on over a batch that was emitted.

        Args:
            batch: The batch.
            written: How many records were made of its new events.
        """
        report = self.report
        report.emitted += written
        report.filtered += len(batch.new) - written
        report.known += len(batch.seen) - len(batch.new)
        if not batch.resolved:
            report.repeated += len(batch.new)
        else:
            self._count_late(batch.new)
        self._until = batch.until
        self._move_to(
            max(
                (e.effective_at for e in batch.seen if not self._is_ahead(e)),
                default=None,
            )
        )
        if self._newest is not None:
            self._move_to(min(batch.until, self._newest))
        # A long backfill need not hash every id: only these can be looked at again.
        since = self._look_from()
        for event in batch.seen:
            if event.effective_at >= since:
                bucket = bucket_of(event)
                self._ids.append(
                    bucket._replace(inexact=True) if batch.inexact else bucket
                )
                self._end = max(self._end, event.effective_at + 1)
        for event in batch.new:
            self.emitted.add(event)

    def _count_late(self, new: Sequence[Event]) -> None:
        began_at = self._before.bookmark
        if began_at is None or not new or new[0].effective_at >= began_at:
            return
        report = self.report
        report.late += sum(event.effective_at < began_at for event in new)
        report.latest_by = max(report.latest_by, began_at - new[0].effective_at)

    def _is_ahead(self, event: Event) -> bool:
        """Tell whether an event is dated after the API's clock."""
        return self._now is not None and event.effective_at > self._now

    def _move_to(self, second: int | None) -> None:
        if second is not None and (self._bookmark is None or second > self._bookmark):
            self._bookmark = second

    def _look_from(self) -> int:
        """Return from where the next run has to look again, as far as is known now.

        It never becomes less: windows follow each other, and the newest event only
        becomes newer.
        """
        newest = self._newest
        if newest is None:
            return self.window.start
        terms = [
            (each, min(each.read_at, newest) - self._lookback)
            for each in self._unsettled
        ]
        self._unsettled = [each for each, term in terms if each.window.end > term]
        least = min(
            [
                self._until,
                *(
                    max(each.window.start, term)
                    for each, term in terms
                    if each.window.end > term
                ),
            ]
        )
        return named(least)

    def position(self, budget: int) -> Position:
        """Return how far the scope is by now.

        In the middle of a second only its ids tell which of it are emitted. Where they
        are too many for the sketch, this is the position before that second.

        Args:
            budget: The most characters that the encoded sketch may have.
        """
        cut = takewhile(lambda b: b.start >= self._until, reversed(self._ids))
        if len({bucket[:4] for bucket in cut}) <= budget // _CHARACTERS_PER_ID:
            self._savable = self._position(budget)
        return self._savable

    def _position(self, budget: int) -> Position:
        look_from = self._look_from()
        unread = [
            bucket
            for bucket in self._before.known.buckets
            if bucket.start >= self._until and bucket.start != self._repeated
        ]
        own = self._ids
        if look_from > self._merged_until:
            # A bucket's time reaches up to the next one, but its ids lie before.
            own = [bucket for bucket in own if bucket.start >= look_from]
        until, edges = self._until, (look_from, self._until)
        seen = Sketch.of(own, self._end).fitted(budget, edges=edges, exact=until)
        # So that neither memory nor work grows with what is known.
        self._ids, self._merged_until = list(seen.buckets), until
        end = max(self._end, self._before.known.end if unread else BEGINNING)
        known = Sketch.of([*seen.buckets, *unread], end).since(look_from)
        known = known.fitted(budget, edges=edges, exact=until)
        before = self._before
        position = Position(self._bookmark, look_from, look_from, known)
        if before.bookmark is not None and self._until <= before.bookmark:
            position = replace(position, known_of_0_1=before.known_of_0_1)
        return position


def _cut(
    events: Sequence[Event], window: Window, size: int
) -> Iterator[tuple[Sequence[Event], int]]:
    """Cut the events of a window into batches, bounded in number and in bytes.

    Yields:
        Some events, and up to where in time they are all there are.
    """
    begin = held = 0
    for place, event in enumerate(events):
        held += len(event.body)
        if place + 1 < len(events) and (
            place + 1 - begin >= size or held > _BATCH_BYTES
        ):
            yield events[begin : place + 1], event.effective_at
            begin, held = place + 1, 0
    yield events[begin:], window.end


def _least(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)
