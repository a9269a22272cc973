"""How far a feed is between runs, and what the next run reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tap_openai_audit.audit_logs.days import Days, day_of
from tap_openai_audit.audit_logs.known import Known
from tap_openai_audit.windows import (
    BEGINNING,
    EARLIEST_NAMED,
    END,
    Window,
    named,
)

CLOCK_TOLERANCE = 24 * 3600
"""How far, in seconds, a bookmark may lie after the API's clock before it is held to be
wrong: clocks of servers differ by seconds, those of machines without NTP by hours."""


@dataclass(frozen=True)
class Position:
    """How far a feed is, as it is kept between runs. Times are Unix seconds."""

    bookmark: int | None = None
    """The second up to which everything was emitted, None before the first event."""

    look_from: int = BEGINNING
    """From where the next incremental read begins."""

    read_to: int | None = None
    """Up to when, by the API's clock, everything there was is emitted. None before
    anything was read."""

    known: Known = field(default_factory=Known)
    """Which events were emitted."""

    days: Days = field(default_factory=Days)
    """What was written of each day whose count may change."""

    counted_from: int | None = None
    """From when on everything that was written is counted, None before the first
    event."""

    @property
    def is_new(self) -> bool:
        """Whether nothing was read before."""
        return self.bookmark is None and self.read_to is None

    @property
    def is_empty(self) -> bool:
        """Whether no event was found: then the next run reads what its settings ask."""
        return self.bookmark is None and not self.known

    def set_back(self, now: int, lookback: int) -> Position:
        """Return this position with the bookmark set back to now.

        Args:
            now: The API's clock, in Unix seconds.
            lookback: Seconds before it that are to be read again.
        """
        look_from = named(min(self.look_from, now - lookback))
        known, days = self.known, self.days
        if look_from < known.known_from:
            # What is read again is emitted and counted again.
            known, days = known.copy(), days.copy()
            known.known_from = look_from
            days.begin_again(day_of(max(look_from, EARLIEST_NAMED)), day_of(now))
        return replace(
            self,
            bookmark=now,
            look_from=look_from,
            known=known,
            days=days,
            read_to=None if self.read_to is None else min(self.read_to, now),
        )

    def forgetting_before(self, second: int) -> Position:
        """Return a position of which nothing before a second is read again."""
        known = self.known.copy()
        known.forget_before(second)
        return replace(self, known=known)


@dataclass(frozen=True)
class Asked:
    """What the settings ask for, in Unix seconds."""

    start: int | None = None
    """The earliest second, None for everything available."""
    end: int | None = None
    """The second before which is read, None for everything up to now."""
    lookback: int = 3600
    """Seconds before the newest event that the next run reads again."""
    deep_lookback: int = 0
    """Seconds before it that a late-arrival scan reads again, 0 for none."""


def is_in_the_future(position: Position, now: int | None) -> bool:
    """Tell whether a bookmark lies after a clock by more than clocks differ."""
    if position.bookmark is None or now is None:
        return False
    return position.bookmark > now + CLOCK_TOLERANCE


def range_to_read(asked: Asked, position: Position) -> Window:
    """Return the range of an incremental read.

    Once events were found the position decides where to begin: what lies before is
    emitted, and to begin later would leave a gap. A lookback that became longer grows
    into what is known.
    """
    start = BEGINNING if asked.start is None else asked.start
    end = END if asked.end is None else asked.end
    if not position.is_empty:
        known, start = position.known, position.look_from
        if position.bookmark is not None:
            longer = max(position.bookmark - asked.lookback, known.known_from)
            start = min(start, longer)
        start = known.start_for(start)
        if end < known.recent_from:
            end = known.cells.start_of(end)
    start, end = named(start), max(end, EARLIEST_NAMED)
    return Window(start, max(start, end))


def range_to_scan(asked: Asked, position: Position, end: int) -> Window:
    """Return the range of a late-arrival scan.

    Args:
        asked: What the settings ask for.
        position: How far the feed is after its incremental read.
        end: Where that one began. Cells may have become wider since.
    """
    if position.bookmark is None:
        return Window(end, end)
    known = position.known
    start = max(known.known_from, position.bookmark - asked.deep_lookback)
    start, end = named(known.start_for(start)), known.end_for(end)
    return Window(min(start, end), end)
