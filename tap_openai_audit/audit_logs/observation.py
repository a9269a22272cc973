"""What the pages of a window show: the order they come in, and where events are."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.windows import Window

Span = tuple[int, int]
"""The oldest and the newest second of some events, in Unix seconds."""


class Order(str, Enum):
    """The order in which the API was observed to hand out events."""

    NEWEST_FIRST = "newest_first"
    OLDEST_FIRST = "oldest_first"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class Observation:
    """What the pages of one window have shown so far.

    No order is assumed: it is what all pages agree with. Events that are dated after
    the API's clock are kept apart, because they tell nothing of how dense the others
    are.
    """

    def __init__(self) -> None:
        self.pages = 0
        self.now = 0
        """The API's clock at the last page, in Unix seconds."""
        self._spans: list[Span] = []
        self._spans_to_now: list[Span] = []
        self._falls = self._rises = True
        self._last: list[int] = []

    def add(self, events: Sequence[Event], now: int) -> None:
        """Take in a page that is not empty.

        Args:
            events: The events of the page, in its order.
            now: The API's clock, in Unix seconds.
        """
        self.pages += 1
        self.now = max(self.now, now)
        times = [event.effective_at for event in events]
        self._spans.append((min(times), max(times)))
        happened = [at for at in times if at <= now]
        if happened:
            self._spans_to_now.append((min(happened), max(happened)))
        times = self._last + times
        ascending = sorted(times)
        self._rises = self._rises and times == ascending
        self._falls = self._falls and times == ascending[::-1]
        self._last = times[-1:]

    def spans(self, window: Window) -> list[Span]:
        """Return the span of each page that tells how dense a window is.

        Only in a window that lies wholly after the API's clock are those the events
        after it.
        """
        return self._spans if window.start > self.now else self._spans_to_now

    @property
    def order(self) -> Order:
        """The order that all pages agree with."""
        if self._falls and self._rises:
            return Order.UNKNOWN
        if self._falls:
            return Order.NEWEST_FIRST
        return Order.OLDEST_FIRST if self._rises else Order.MIXED


def order_of(orders: Iterable[Order]) -> Order:
    """Return the order of several windows: mixed if they differ."""
    known = set(orders) - {Order.UNKNOWN}
    if not known:
        return Order.UNKNOWN
    return next(iter(known)) if len(known) == 1 else Order.MIXED
