"""Telling what is new in windows that were read, by the sketch of what is known.

The windows of a look follow each other in time. They are cut where buckets begin, and
each bucket's time is compared as a whole: where it is merged, its events are held until
it was read to its end, or until more came than can be resolved.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.buckets import (
    MOST_RESOLVED,
    Bucket,
    bucket_of,
    resolve,
)
from tap_openai_audit.windows import END, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_openai_audit.audit_logs.emitted_ids import KnownIds
    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.audit_logs.paging import WindowRead
    from tap_openai_audit.audit_logs.sketch import Sketch

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


@dataclass(frozen=True)
class Batch:
    """Some events in order, some of which are to be emitted."""

    new: Sequence[Event]
    """To be emitted now."""

    seen: Sequence[Event]
    """All of them, those included that were emitted before."""

    until: int
    """Up to where, in time, everything is emitted with this batch."""

    fresh: Sequence[Event] = ()
    """Those that this scope did not know: `new`, and what others have emitted."""

    known: tuple[Bucket, ...] = ()
    """What was known of this time, and goes on to be."""

    resolved: bool = True
    """False if some of `new` were emitted before, and nobody can tell which."""

    inexact: bool = False
    """Whether the buckets of these events are inexact."""

    def buckets(self, written: Written) -> list[Bucket]:
        """Return what is known once the batch is written."""
        inexact = self.inexact or written.renamed
        if len(written.counted) == len(self.fresh):
            found = [bucket_of(event, inexact=inexact) for event in self.fresh]
        else:
            ids = {event.id for event in written.counted}
            found = [
                bucket_of(event, inexact=inexact, left_out=event.id not in ids)
                for event in self.fresh
            ]
        if self.known and self.known[0].ids > 1:
            # Nobody can tell where in its time its own events are.
            return [reduce(Bucket.merged, found, self.known[0])]
        return [*self.known, *found]


class Sifter:
    """Tells which events of a scope are new."""

    def __init__(
        self,
        known: Sketch,
        window: Window,
        *,
        elsewhere: Sequence[KnownIds],
        known_of_0_1: KnownIds | None,
    ) -> None:
        """Begin a look.

        Args:
            known: What earlier runs, or earlier looks, have seen of this scope.
            window: All that is read. No bucket has ids on both sides of its start, or
                of its end.
            elsewhere: What the other scope has emitted.
            known_of_0_1: What a state of 0.1.0 knows besides of this scope.
        """
        self._elsewhere = elsewhere
        self._before = known_of_0_1
        self._groups = [
            (start, min(end, window.end), buckets)
            for start, end, buckets in known.groups(window.start)
            if start < window.end
        ]
        self._held: list[Event] | None = None
        """Events of a bucket whose time is not read to its end, None if there is none,
        or if it cannot be resolved."""
        self.repeated: int | None = None
        """Where the last bucket begins that is emitted again."""

    def batches(self, read: WindowRead, size: int) -> Iterator[Batch]:
        """Tell which events of a window are to be emitted, in batches.

        Args:
            read: The window that follows the last one.
            size: The most events of a batch, as far as its buckets allow.
        """
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
        carried = known if known and window.start == known[0].start else ()
        for seen, until in _cut(events, window, size):
            fresh = resolve(known, seen).new if known else seen
            yield Batch(self._not_emitted(fresh), seen, until, fresh, carried)
            carried = ()

    def _sift_bucket(
        self,
        bucket: Bucket,
        events: Sequence[Event],
        window: Window,
        size: int,
        *,
        ends: bool,
    ) -> Iterator[Batch]:
        """Tell the events of a merged bucket apart, of which only sums are known."""
        held = [*(self._held or ()), *events]
        own = self._not_elsewhere(held)
        if len(own) > bucket.ids + MOST_RESOLVED:
            self._held, self.repeated = None, bucket.start
            begin = Window(bucket.start, window.end)
            yield from self._repeat(held, begin, size)
        elif not ends:
            self._held = held
        else:
            self._held = None
            if not held:
                # What the API no longer shows was emitted all the same.
                yield Batch((), (), window.end, known=(bucket,))
                return
            for candidates in (held, own):
                found = resolve([bucket], candidates)
                if found.resolved:
                    yield Batch(
                        self._not_emitted(found.new),
                        held,
                        window.end,
                        found.new,
                        known=(bucket,),
                        inexact=bucket.inexact,
                    )
                    return
            self.repeated = bucket.start
            yield from self._repeat(held, Window(bucket.start, window.end), size)

    def _repeat(
        self, events: Sequence[Event], window: Window, size: int
    ) -> Iterator[Batch]:
        """Emit all events of a bucket again: nobody can tell which are known."""
        for seen, until in _cut(events, window, size):
            new = self._not_emitted(seen)
            yield Batch(new, seen, until, seen, resolved=False, inexact=True)

    def _not_emitted(self, events: Sequence[Event]) -> Sequence[Event]:
        """Leave out what the other scope has emitted, or a state of 0.1.0 knows."""
        own = self._not_elsewhere(events)
        if self._before is None:
            return own
        return [event for event in own if event not in self._before]

    def _not_elsewhere(self, events: Sequence[Event]) -> Sequence[Event]:
        for known in self._elsewhere:
            events = [event for event in events if event not in known]
        return events

    def counted(self, batch: Batch, written: Written) -> Written:
        """Count the fresh events of a batch that a run of 0.1.0 has written."""
        if self._before is None or len(batch.new) == len(batch.fresh):
            return written
        before = [event for event in batch.fresh if event in self._before]
        return replace(written, counted=sorted([*written.counted, *before]))


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
