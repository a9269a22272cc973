"""What is known of a scope in the middle of a look.

Before the look's window it is what was known before; up to where the look has come it
is what the look found; behind that again what was known before. What lies too far back
to be looked at again is only counted, by day.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.sketch import Sketch
from tap_openai_audit.windows import BEGINNING, EARLIEST_NAMED, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.audit_logs.buckets import Bucket
    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.audit_logs.position import Position
    from tap_openai_audit.audit_logs.sifting import Batch, Written

_CHARACTERS_PER_ID = 24
"""Of the budget of a sketch, for each id of a second that is not emitted to its end: an
id takes up to 16, and the rest needs some room as well."""


class KnownSoFar:
    """The sketch and the counts of a position, as a look changes them."""

    def __init__(self, before: Position, start: int) -> None:
        """Begin a look.

        Args:
            before: What is known before it.
            start: Where it begins to read, in Unix seconds.
        """
        earlier, self._later = before.known.cut(start)
        self._buckets = [*earlier]
        """What is known before the end of what was emitted."""
        self._known_from = max(before.known_from, start if before.is_new else BEGINNING)
        self._days = before.days
        self._counted_from = before.counted_from
        self._start = start

    def take(
        self, batch: Batch, written: Written, keep_from: int, now: int | None
    ) -> None:
        """Take note of a batch that was written.

        Args:
            batch: The batch that follows the last one.
            written: What came of its fresh events.
            keep_from: From when on they may be looked at again, in Unix seconds.
            now: The API's clock, in Unix seconds.
        """
        if self._counted_from is None:
            self._counted_from = self._first_counted(batch, now)
        plain = not batch.known and not batch.inexact and not written.renamed
        if plain and batch.seen and batch.seen[0].effective_at > EARLIEST_NAMED:
            # A long backfill: most events are never looked at again.
            old = _before(written.counted, keep_from)
            if self._counted_from is not None:
                begin = bisect_left(old, (self._counted_from,))
                self._days = self._days.with_events(old[begin:])
            written = replace(written, counted=written.counted[len(old) :])
            fresh = batch.fresh[len(_before(batch.fresh, keep_from)) :]
            batch = replace(batch, fresh=fresh)
        self._buckets += batch.buckets(written)

    def _first_counted(self, batch: Batch, now: int | None) -> int | None:
        """Return from when on a first run counts: from where it asks, or finds any."""
        if self._start != BEGINNING:
            return self._start
        if not batch.seen:
            return None
        first = batch.seen[0].effective_at
        return first if now is None else min(first, now)

    def has_room_in(self, until: int, budget: int) -> bool:
        """Tell whether the ids of a second in the middle of which it is can be kept."""
        cut = takewhile(lambda bucket: bucket.start >= until, reversed(self._buckets))
        return sum(1 for _ in cut) <= budget // _CHARACTERS_PER_ID

    def forget(self, keep_from: int, until: int) -> None:
        """Only count what is not looked at again.

        Args:
            keep_from: From when on everything may be, in Unix seconds. It never
                becomes less.
            until: Up to where, in time, everything is emitted.
        """
        # The time of the last bucket ends where the next one begins, read or not.
        sketch = Sketch([*self._buckets, *self._unread(until)[:1]])
        known_from = named(sketch.start_of_reading(keep_from))
        if known_from <= self._known_from:
            return
        self._known_from = known_from
        place = bisect_left(self._buckets, (self._known_from,))
        old, self._buckets = self._buckets[:place], self._buckets[place:]
        self._days = self._days.with_buckets(old, self._counted_from)

    def _unread(self, until: int) -> Sequence[Bucket]:
        return self._later[bisect_left(self._later, (until,)) :]

    def position(
        self,
        position: Position,
        *,
        until: int,
        repeated: int | None,
        budget: int,
    ) -> Position:
        """Return a position with what is known by now.

        Args:
            position: All else of it.
            until: Up to where, in time, everything is emitted.
            repeated: Where the bucket begins that is being emitted again, if any.
            budget: The most characters that the encoded sketch may have.
        """
        # A deep look of this run ends where its regular look began.
        edges = [position.look_from, until, self._start]
        if self._counted_from is not None:
            edges.append(self._counted_from)
        # In an order of their own within a second, so that nothing new changes nothing.
        known = Sketch(sorted(self._buckets))
        known = known.fitted(budget, edges=edges, exact=until)
        # So that neither memory nor work grows with what is known.
        self._buckets = [*known.buckets]
        unread = [b for b in self._unread(until) if b.start != repeated]
        if unread:
            # The second in the middle of which it is has ids that are in both.
            known = Sketch.of([*known.buckets, *unread])
            known = known.fitted(budget, edges=edges, exact=until)
        return replace(
            position,
            known_from=self._known_from,
            known=known,
            days=self._days,
            counted_from=self._counted_from,
        )


def _before(events: Sequence[Event], second: int) -> Sequence[Event]:
    return events[: bisect_left(events, (second,))]
