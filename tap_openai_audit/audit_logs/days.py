"""What was written of each UTC day: how many events, and a sum that a database checks.

A day is kept as long as its count may change, and until its digest was written. What is
known (`known`) plays no part in it: known events need not be written, as a stream map
may filter them, or the other feed may have emitted them.
"""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_openai_audit.varints import VarintReader, unzigzag, varint, zigzag
from tap_openai_audit.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_openai_audit.audit_logs.events import Event

DAY = 86_400  # seconds

_CHECKSUM_SHIFT = 32
"""The checksum sums up the first 8 hexadecimal digits of 16: any database can do it."""


def day_of(second: int) -> int:
    """Return the UTC day of a second, in days since 1970."""
    return second // DAY


def end_of(day: int) -> int:
    """Return the next midnight; of the last day that a date-time knows, its end."""
    return min((day + 1) * DAY, END - 1)


@dataclass(frozen=True)
class DayCount:
    """What was written of the events of a day, each id once. Times are Unix seconds."""

    events: int
    checksum: int
    """The sum of the first 8 hexadecimal digits of the MD5 of each id."""
    oldest: int
    newest: int
    exact: bool = True
    """False if events were written again that could not be told apart: the table has
    then as many events as this at least, and nothing is known of their ids."""

    def plus(self, other: DayCount) -> DayCount:
        """Return the count of both."""
        if not self.events:
            return replace(other, exact=self.exact and other.exact)
        return DayCount(
            self.events + other.events,
            self.checksum + other.checksum,
            min(self.oldest, other.oldest),
            max(self.newest, other.newest),
            self.exact and other.exact,
        )


def _nothing(day: int, *, exact: bool) -> DayCount:
    return DayCount(0, 0, day * DAY, day * DAY, exact)


class Days:
    """Counts by day, and which of them have changed."""

    def __init__(self, counts: Mapping[int, DayCount] | None = None) -> None:
        """Take counts by their day, in days since 1970."""
        self.counts = dict(sorted((counts or {}).items()))
        self.changed: set[int] = set()
        """Days of which another digest is to be written."""

    def __eq__(self, other: object) -> bool:
        """Tell whether two say the same."""
        return isinstance(other, Days) and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment]  # it changes

    def copy(self) -> Days:
        """Return counts that change apart from these, none of which has changed."""
        return Days(self.counts)

    def add(self, events: Sequence[Event], hashes: Sequence[int]) -> None:
        """Count events that were written.

        Args:
            events: In the order of time.
            hashes: Those of their ids, in the same order.
        """
        begin = 0
        # A long backfill comes here with all its events.
        while begin < len(events):
            day = day_of(events[begin].effective_at)
            end = bisect_left(events, ((day + 1) * DAY,), begin)
            checksum = sum([hash_ >> _CHECKSUM_SHIFT for hash_ in hashes[begin:end]])
            oldest = events[begin].effective_at
            newest = events[end - 1].effective_at
            self._change(day, DayCount(end - begin, checksum, oldest, newest))
            begin = end

    def add_uncertain(self, day: int, events: int) -> None:
        """Count events of a day that were written again, and new ones among them.

        Args:
            day: In days since 1970.
            events: How many of them are new at least.
        """
        count = replace(self.counts.get(day, _nothing(day, exact=False)), exact=False)
        self.counts[day] = replace(count, events=count.events + events)
        self.changed.add(day)

    def begin_again(self, first: int, last: int) -> None:
        """Forget what was counted of some days: it will be written again."""
        for day in range(first, last + 1):
            self.counts[day] = _nothing(day, exact=False)

    def _change(self, day: int, count: DayCount) -> None:
        before = self.counts.get(day)
        self.counts[day] = count if before is None else before.plus(count)
        self.changed.add(day)

    def report_all(self) -> None:
        """Have another digest of each day written."""
        self.changed |= {day for day, count in self.counts.items() if count.events}

    def report_ended(self, after: int, until: int) -> None:
        """Have another digest written of the days that end within a time.

        Args:
            after: The second before the time, in Unix seconds.
            until: Its last second.
        """
        self.changed |= {
            day
            for day, count in self.counts.items()
            if after < end_of(day) <= until and count.events
        }

    def take_changed(self) -> list[tuple[int, DayCount]]:
        """Return the days that have changed since the last time, the oldest first."""
        changed = [(day, self.counts[day]) for day in sorted(self.changed)]
        self.changed.clear()
        return changed

    def drop_before(self, second: int) -> None:
        """Drop the days that end before a second or with it."""
        for day in [day for day in self.counts if end_of(day) <= second]:
            del self.counts[day]

    def encode(self) -> str:
        """Return the form in which they are kept: base64 of variable integers.

        For each day, the oldest first: its distance to the day before, of the first
        from 1970 and signed by zigzag; twice its events, plus one if it is inexact; its
        checksum; the second of its oldest event, from midnight, and the seconds from
        there to the newest.
        """
        previous = None
        out = bytearray()
        for day, count in sorted(self.counts.items()):
            out += varint(zigzag(day) if previous is None else day - previous)
            out += varint(2 * count.events + (not count.exact))
            out += varint(count.checksum)
            out += varint(count.oldest - day * DAY)
            out += varint(count.newest - count.oldest)
            previous = day
        return b64encode(out).decode()

    @classmethod
    def decode(cls, text: str) -> Days:
        """Read the form in which they are kept.

        Raises:
            ValueError: If the text is not such a form.
        """
        data = VarintReader(text)
        counts: dict[int, DayCount] = {}
        day: int | None = None
        while not data.at_end:
            distance = data.varint()
            if day is not None and not distance:
                raise ValueError("a day twice")
            day = unzigzag(distance) if day is None else day + distance
            events, inexact = divmod(data.varint(), 2)
            checksum = data.varint()
            oldest = day * DAY + data.varint()
            newest = oldest + data.varint()
            if not (events or inexact) or not day_of(BEGINNING) <= day < day_of(END):
                raise ValueError("a day that no event has")
            if day_of(newest) != day:
                raise ValueError("an event of another day")
            counts[day] = DayCount(events, checksum, oldest, newest, not inexact)
        return cls(counts)
