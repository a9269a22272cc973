"""What pages show: the order they come in, and how dense events are.

The order is never assumed. Where pages come newest first, all that follows is thought
on a clock that runs backwards, so that reading always goes forwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.windows import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.extraction.events import Event
    from tap_openai_audit.extraction.windows import Window


class Order(str, Enum):
    """The order in which the API was observed to hand out events."""

    NEWEST_FIRST = "newest_first"
    OLDEST_FIRST = "oldest_first"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class Observation:
    """What the pages of one window have shown so far."""

    def __init__(self) -> None:
        """Begin with no page seen."""
        self.spans: list[tuple[int, int]] = []
        """The oldest and the newest second of each page."""
        self._falls = self._rises = True
        self._last: list[int] = []

    def add(self, events: Sequence[Event]) -> None:
        """Take in a page that is not empty."""
        times = [event.effective_at for event in events]
        self.spans.append((min(times), max(times)))
        times = self._last + times
        ascending = sorted(times)
        self._rises = self._rises and times == ascending
        self._falls = self._falls and times == ascending[::-1]
        self._last = times[-1:]

    @property
    def order(self) -> Order:
        """The order that all pages agree with."""
        if self._falls and self._rises:
            return Order.UNKNOWN
        if self._falls:
            return Order.NEWEST_FIRST
        return Order.OLDEST_FIRST if self._rises else Order.MIXED

    @property
    def falls(self) -> bool:
        """Whether to think on a clock that runs backwards. The API's usual order."""
        return self.order is not Order.OLDEST_FIRST


@dataclass(frozen=True)
class Outlook:
    """What the pages read so far let one expect of the rest of their window.

    Seconds are those of the clock on which reading goes forwards. The density is that
    of the later half of the pages: a burst shows after as many pages as lie before it,
    whatever its scale.
    """

    first: int
    """The first second that brought an event."""

    turn: int
    """From where on the density was seen."""

    edge: int
    """The last second that brought an event."""

    density: float
    """Pages per second from `turn` to `edge`."""

    density_before: float
    """Pages per second over all that was read."""

    left: float
    """How many pages may still come."""

    @classmethod
    def of(cls, window: Window, seen: Observation) -> Outlook:
        """Estimate what is left.

        Args:
            window: The window, mirrored if `seen.falls`.
            seen: Its pages so far, at least one.
        """
        spans = seen.spans
        if seen.falls:
            spans = [(-newest, -oldest) for oldest, newest in spans]
        first = min(span[0] for span in spans)
        edge = max(span[1] for span in spans)
        earlier = spans[: len(spans) // 2]
        begin = first if window.start == BEGINNING else window.start
        turn = max((span[1] + 1 for span in earlier), default=begin)
        density = math.ceil(len(spans) / 2) / max(edge + 1 - turn, 1)
        return cls(
            first=first,
            turn=turn,
            edge=edge,
            density=density,
            density_before=len(spans) / (edge + 1 - first),
            left=density * (window.end - 1 - edge),
        )
