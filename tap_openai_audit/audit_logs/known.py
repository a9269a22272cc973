"""What is known of a feed: which events were emitted from some second on.

The newest events are known one by one (`recent_ids`), those before by `cells`. A second
may be read again only if everything that was emitted of it is known, so nothing before
`known_from` is ever read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.cells import HOUR, Cells, cell_of, hash_of
from tap_openai_audit.audit_logs.recent_ids import RecentIds
from tap_openai_audit.windows import BEGINNING, EARLIEST_NAMED, END

if TYPE_CHECKING:
    from tap_openai_audit.audit_logs.events import Event

MOST_IDS = 1_000
"""Ids that are kept one by one. With as many dated in the future, which come on top,
and the cells of a month, a state stays below 50 KiB."""

IDS_LEFT = 700
"""How many are left when there are more: shrinking at each STATE would cost time, and
each id takes twelve characters."""

MINUTES_FOR = 2 * HOUR
"""How long a cell has a minute, in seconds before the recent ids: most late events are
late by minutes."""

QUARTERS_FOR = 8 * 24 * HOUR
"""How long a cell has a quarter of an hour: the usual week of the late-arrival scan."""


@dataclass
class Known:
    """Which events were emitted. Times are Unix seconds."""

    known_from: int = BEGINNING
    """From when on everything that was emitted is known."""

    recent_from: int = BEGINNING
    """From when on it is known one by one. It may lie between any two seconds: the cell
    before it ends there. Not before `known_from`, unless a bookmark was set back."""

    ids: RecentIds = field(default_factory=RecentIds)

    cells: Cells = field(default_factory=Cells)

    def __len__(self) -> int:
        """Return how many events are known."""
        return len(self.ids) + self.cells.events

    def __bool__(self) -> bool:
        """Tell whether any is."""
        return bool(len(self))

    def __contains__(self, event: Event) -> bool:
        """Tell whether an event is known one by one."""
        return hash_of(event.id) in self.ids.at(event.effective_at)

    def copy(self) -> Known:
        """Return what changes apart from this."""
        return Known(
            self.known_from, self.recent_from, self.ids.copy(), self.cells.copy()
        )

    def start_for(self, second: int) -> int:
        """Return where to begin in order to read from a second on.

        A cell can only be compared when all of it is read.
        """
        if second < self.recent_from:
            second = self.cells.start_of(second)
        return max(second, self.known_from)

    def end_of_cell(self, start: int) -> int:
        """Return where a cell ends, before the recent ids at the latest."""
        return min(self.cells.end_of(start), self.recent_from)

    def end_for(self, second: int) -> int:
        """Return where to end in order to read all before a second."""
        if second >= self.recent_from:
            return second
        start = self.cells.start_of(second)
        return second if start == second else self.end_of_cell(start)

    def shrink(self, until: int, now: int | None) -> None:
        """Turn the oldest ids into cells where there are too many.

        Args:
            until: Up to where everything is emitted. Later ids stay.
            now: The API's clock. Ids of events dated after it count only where they
                are too many by themselves.
        """
        if until <= self.recent_from:
            return
        horizon = END if now is None else now + 1
        counted = list(self.ids.newest_first(horizon))
        total = sum(count for _, count in counted)
        if len(self.ids) - total > MOST_IDS:
            counted = list(self.ids.newest_first(END))
            total = len(self.ids)
        if total <= MOST_IDS:
            return
        left, second = 0, until
        for second, count in counted:  # noqa: B007 - used after the loop
            left += count
            if left >= IDS_LEFT:
                break
        if left > MOST_IDS:
            # One second with more goes whole.
            second += 1
        self._begin_recent_at(min(until, second, END - 1))

    def _begin_recent_at(self, second: int) -> None:
        if second <= self.recent_from:
            return
        for own, hashes in self.ids.take_before(second).items():
            self.cells.add(own, cell_of(hashes))
        self.recent_from = second

    def widen(self, look_from: int, until: int) -> None:
        """Add up cells that have become older.

        Args:
            look_from: From where the next incremental read begins: from there on a cell
                has a minute, for two hours at most.
            until: Up to where the running read has come. Nothing after it changes.
        """
        recent = self.recent_from
        self.cells.widen(
            min(recent - QUARTERS_FOR, until),
            min(max(look_from, recent - MINUTES_FOR), recent, until),
        )

    def forget_before(self, second: int) -> None:
        """Forget what is not read again.

        Args:
            second: From when on everything may be. Within a cell all of it is kept.
        """
        if second < self.recent_from:
            second = self.cells.start_of(second)
        if second <= max(self.known_from, EARLIEST_NAMED):
            return
        self.known_from = second
        self.cells.forget_before(second)
        if second >= self.recent_from:
            self.recent_from = second
            self.ids.take_before(second)
