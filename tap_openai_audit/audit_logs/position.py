"""How far a scope is between runs, and what the next run reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.days import DAY, Days, day_of
from tap_openai_audit.audit_logs.sketch import Sketch
from tap_openai_audit.windows import (
    BEGINNING,
    EARLIEST_NAMED,
    END,
    Window,
    named,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_openai_audit.audit_logs.emitted_ids import KnownIds

CLOCK_TOLERANCE = 24 * 3600
"""How far, in seconds, a bookmark may lie after the API's clock before it is held to be
wrong: clocks of servers differ by seconds, those of machines without NTP by hours."""


@dataclass(frozen=True)
class Position:
    """How far a scope is, as it is kept between runs. Times are Unix seconds."""

    bookmark: int | None = None
    """The second up to which everything was emitted, None before the first event."""

    look_from: int = BEGINNING
    """From where the next run has to look again."""

    known_from: int = BEGINNING
    """From when on `known` knows every event that was emitted."""

    known: Sketch = field(default_factory=Sketch)

    days: Days = field(default_factory=Days)
    """What was written of the time before `known_from`."""

    counted_from: int | None = None
    """From when on everything that was written is counted, None before the first
    event."""

    read_to: int | None = None
    """Up to when, by the API's clock, everything there was is emitted."""

    known_of_0_1: KnownIds | None = None
    """Ids that a state of an earlier version knows besides."""

    @property
    def is_new(self) -> bool:
        """Whether nothing was emitted before."""
        return self.bookmark is None and not self.known.buckets

    def set_back(self, now: int, lookback: int) -> Position:
        """Return this position with the bookmark set back to now.

        Args:
            now: The API's clock, in Unix seconds.
            lookback: Seconds before it that are to be looked at again.
        """
        look_from = min(self.look_from, now - lookback)
        known_from = min(self.known_from, look_from)
        return replace(
            self,
            bookmark=now,
            look_from=look_from,
            known_from=known_from,
            # What is read again is emitted and counted again.
            days=self.days
            if known_from == self.known_from
            else self.days.uncounted_from(day_of(known_from)),
            read_to=None if self.read_to is None else min(self.read_to, now),
        )

    @property
    def digests(self) -> Days:
        """What was written of each day, each id once, from `counted_from` on."""
        return self.days.with_buckets(self.known.buckets, self.counted_from)

    @property
    def closed_days(self) -> list[int]:
        """The days in `days` that no look will change any more."""
        return [day for day in self.days.counts if (day + 1) * DAY <= self.known_from]

    def forgetting(self, second: int) -> Position:
        """Return a position that only counts what lies before a second.

        What reaches over it is kept.
        """
        if second <= self.known_from:
            return self
        old, kept = self.known.cut(second)
        return replace(
            self,
            known_from=self.known.start_of_reading(second),
            known=Sketch(kept),
            days=self.days.with_buckets(old, self.counted_from),
        )

    def without_days(self, days: Iterable[int]) -> Position:
        """Leave out the counts of days that are told elsewhere."""
        return replace(self, days=self.days.without(days))


@dataclass(frozen=True)
class Asked:
    """What the settings ask for, in Unix seconds."""

    start: int | None = None
    """The earliest second, None for everything available."""
    end: int | None = None
    """The second before which is read, None for everything up to now."""
    lookback: int = 3600
    """Seconds before the newest event that are looked at again by the next run."""
    deep_lookback: int = 0
    """Seconds before it that are looked at again by a deep look, 0 for none."""


def is_in_the_future(position: Position, now: int | None) -> bool:
    """Tell whether a bookmark lies after a clock by more than clocks differ."""
    if position.bookmark is None or now is None:
        return False
    return position.bookmark > now + CLOCK_TOLERANCE


def range_to_read(asked: Asked, position: Position) -> Window:
    """Return the range to read.

    Once there is a position it decides where to begin: what lies before is emitted, and
    to begin later would leave a gap. A lookback that became longer grows into what is
    known.
    """
    start = BEGINNING if asked.start is None else asked.start
    end = END if asked.end is None else asked.end
    if not position.is_new:
        start = min(
            position.look_from, max(position.known_from, _before(asked, position))
        )
        start = position.known.start_of_reading(start)
        # A merged bucket can only be resolved when all its time is read.
        end = position.known.start_of_reading(end)
    start, end = named(start), max(end, EARLIEST_NAMED)
    return Window(start, max(start, end))


def range_to_look_at_deeply(asked: Asked, position: Position, end: int) -> Window:
    """Return the range of a deep look.

    Args:
        asked: What the settings ask for.
        position: How far the scope is after its regular look.
        end: Where that one began.
    """
    if position.bookmark is None:
        return Window(end, end)
    start = max(position.known_from, position.bookmark - asked.deep_lookback)
    start = named(position.known.start_of_reading(start))
    return Window(min(start, end), end)


def _before(asked: Asked, position: Position) -> int:
    return (
        BEGINNING if position.bookmark is None else position.bookmark - asked.lookback
    )
