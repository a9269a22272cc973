"""What was written of each UTC day: how many events, and a sum that a database checks.

A day is counted in two parts. Of what the sketch still knows, its buckets are the
count; what is older is counted here, once for all. Together they are the digest of the
day.
"""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.buckets import Bucket, high_of
from tap_openai_audit.varints import VarintReader, unzigzag, varint, zigzag
from tap_openai_audit.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_openai_audit.audit_logs.events import Event

DAY = 86_400  # seconds


def day_of(second: int) -> int:
    """Return the UTC day of a second, in days since 1970."""
    return second // DAY


@dataclass(frozen=True)
class DayCount:
    """What was written of the events of a day, each id once. Times are Unix seconds."""

    events: int
    checksum: int
    """The sum of the first 8 hexadecimal digits of the MD5 of each id."""
    oldest: int
    newest: int
    exact: bool = True
    """False if events were emitted again that could not be told apart: how many there
    are is then what the API showed at that time."""

    def plus(self, other: DayCount) -> DayCount:
        """Return the count of both."""
        return DayCount(
            self.events + other.events,
            self.checksum + other.checksum,
            min(self.oldest, other.oldest),
            max(self.newest, other.newest),
            self.exact and other.exact,
        )


class Days:
    """Counts by day, of all that was written from some second on."""

    def __init__(self, counts: Mapping[int, DayCount] | None = None) -> None:
        """Take counts by their day, in days since 1970."""
        self.counts = dict(sorted((counts or {}).items()))

    def __eq__(self, other: object) -> bool:
        """Tell whether two say the same."""
        return isinstance(other, Days) and self.counts == other.counts

    def __hash__(self) -> int:
        """Return the same number for those that say the same."""
        return hash(tuple(self.counts.items()))

    def with_buckets(self, buckets: Iterable[Bucket], since: int | None) -> Days:
        """Add buckets, as far as records were written of them.

        Args:
            buckets: None of which is counted already.
            since: What lies before this second is not counted. None: nothing is.
        """
        if since is None:
            return self
        found = (
            (
                bucket.start,
                DayCount(
                    bucket.ids - bucket.left_out,
                    bucket.high - bucket.left_out_high,
                    bucket.start,
                    bucket.start,
                    not bucket.inexact,
                ),
            )
            for bucket in buckets
            if bucket.start >= since
            and (bucket.ids > bucket.left_out or bucket.inexact)
        )
        return self._plus(found)

    def with_events(self, events: Sequence[Event]) -> Days:
        """Add events that a record was written of, in the order of time."""
        found: list[tuple[int, DayCount]] = []
        begin = 0
        # A long backfill comes here with all its events.
        while begin < len(events):
            first = events[begin].effective_at
            end = bisect_left(events, ((day_of(first) + 1) * DAY,), begin)
            own = events[begin:end]
            checksum = sum([high_of(event.id) for event in own])
            last = own[-1].effective_at
            found.append((first, DayCount(len(own), checksum, first, last)))
            begin = end
        return self._plus(found)

    def _plus(self, found: Iterable[tuple[int, DayCount]]) -> Days:
        counts: dict[int, DayCount] = {}
        for second, count in found:
            day = day_of(second)
            before = counts.get(day) or self.counts.get(day)
            counts[day] = count if before is None else before.plus(count)
        return Days(self.counts | counts) if counts else self

    def without(self, days: Iterable[int]) -> Days:
        """Return the counts of all other days."""
        left = self.counts.keys() - set(days)
        return Days({day: self.counts[day] for day in left})

    def uncounted_from(self, day: int) -> Days:
        """Return counts that know nothing of a day, nor of all after."""
        return Days(
            {
                each: count
                if each < day
                else DayCount(0, 0, count.oldest, count.newest, exact=False)
                for each, count in self.counts.items()
            }
        )

    def encode(self) -> str:
        """Return the form in which it is kept: base64 of integers of variable length.

        For each day, the oldest first: its distance to the day before, the first from
        1970 and signed by zigzag; twice its events, plus one if it is inexact; its
        checksum; the second of its oldest event, from midnight, and the seconds from
        there to the newest.
        """
        previous = None
        out = bytearray()
        for day, count in self.counts.items():
            out += varint(zigzag(day) if previous is None else day - previous)
            out += varint(2 * count.events + (not count.exact))
            out += varint(count.checksum)
            out += varint(count.oldest - day * DAY)
            out += varint(count.newest - count.oldest)
            previous = day
        return b64encode(out).decode()

    @classmethod
    def decode(cls, text: str) -> Days:
        """Read the form in which it is kept.

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
