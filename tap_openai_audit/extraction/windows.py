"""Time ranges, and how they are split where they turn out to be too dense.

The whole range of a run begins as one window. Its first page shows how dense events
are at one end: the near part is cut into windows of a few pages each, the far part
stays one stretch whose density is unknown, and is asked in turn. While the density
stays the same the near part doubles each time, so that the beginning of the log is
found in a logarithmic number of requests, without a floor and without empty windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.events import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.extraction.events import Event

BEGINNING = -(2**62)
"""The start of a window that has no earliest second."""

END = 2**62
"""The end of a window that has no latest second."""

_UNKNOWN_PARTS = 8
_SIMILAR = 4.0
_MOST_WINDOWS = 128


@dataclass(frozen=True)
class Window:
    """A half-open time range [start, end), in Unix seconds."""

    start: int = BEGINNING
    end: int = END

    def __contains__(self, second: int) -> bool:
        """Whether a second lies in the window."""
        return self.start <= second < self.end

    @property
    def splittable(self) -> bool:
        """Whether the window can be split: a single second is read by cursor only."""
        return self.end - self.start > 1


@dataclass(frozen=True)
class Stretch:
    """A part of the range that nobody reads yet, and what is believed about it."""

    window: Window

    density: float | None = None
    """Events per second, None where no page has shown it."""

    neighbour_density: float | None = None
    """For an unknown stretch, the density at its border."""

    windows: int = 0
    """For an unknown stretch, how many windows its neighbour was worth."""

    @property
    def pages(self) -> float:
        """How many pages it is believed to hold, 0 when unknown."""
        if self.density is None:
            return 0.0
        return self.density * (self.window.end - self.window.start) / PAGE_SIZE

    def cut(self, pages: float) -> tuple[Stretch, Stretch | None]:
        """Cut a window of about so many pages off the old end.

        Returns:
            The window to read, and the rest, None where nothing is left.
        """
        if self.density is None or self.pages <= 1.25 * pages:
            return self, None
        seconds = max(1, math.ceil(pages * PAGE_SIZE / self.density))
        middle = self.window.start + seconds
        if middle >= self.window.end:
            return self, None
        return (
            Stretch(Window(self.window.start, middle), self.density),
            Stretch(Window(middle, self.window.end), self.density),
        )


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
        self.spans: list[tuple[int, int, int]] = []
        """Oldest second, newest second and number of events of each page."""
        self._falls = self._rises = True
        self._previous: list[int] = []

    def add(self, events: Sequence[Event]) -> None:
        """Take in a page that is not empty."""
        times = self._previous + [event.effective_at for event in events]
        ascending = sorted(times)
        self._rises = self._rises and times == ascending
        self._falls = self._falls and times == ascending[::-1]
        self._previous = times[-1:]
        own = [event.effective_at for event in events]
        self.spans.append((min(own), max(own), len(own)))

    @property
    def order(self) -> Order:
        """The order that all pages agree with."""
        if self._falls and self._rises:
            return Order.UNKNOWN
        if self._falls:
            return Order.NEWEST_FIRST
        return Order.OLDEST_FIRST if self._rises else Order.MIXED


@dataclass(frozen=True)
class Outlook:
    """What the pages read so far let one expect of the rest of a window.

    Densities come from the newer half of the pages read: a burst shows after as many
    pages as lie before it, whatever its scale.
    """

    density: float
    """Events per second where the last pages were."""

    pages: float
    """How many pages may still come."""

    edge: int
    """The last second read."""

    turn: int
    """The second at which the density was last seen to change."""

    falling: bool

    @classmethod
    def of(cls, window: Window, seen: Observation) -> Outlook:
        """Estimate from pages in order. Mirrored time stands for oldest first."""
        falling = seen.order is not Order.OLDEST_FIRST
        spans = seen.spans
        recent = math.ceil(len(spans) / 2)
        earlier, later = spans[:-recent], spans[-recent:]
        count = sum(span[2] for span in later)
        if falling:
            edge = min(span[0] for span in spans)
            newest = max(span[1] for span in spans)
            border = window.end if window.end != END else newest + 1
            turn = min((span[0] for span in earlier), default=border)
            seconds, left = turn - edge, edge - window.start
        else:
            edge = max(span[1] for span in spans)
            oldest = min(span[0] for span in spans)
            border = window.start if window.start != BEGINNING else oldest
            turn = max((span[1] for span in earlier), default=border - 1) + 1
            seconds, left = edge + 1 - turn, window.end - 1 - edge
        density = count / max(seconds, 1)
        pages = density * left / PAGE_SIZE
        return cls(density, pages, edge, turn, falling)


def too_dense(stretch: Stretch, seen: Observation, target: float) -> bool:
    """Whether splitting a window costs less than reading on with one worker.

    Splitting throws away the pages read so far, so what is left must be worth a
    multiple of them, and of what the window was expected to hold.
    """
    if not stretch.window.splittable:
        return False
    if seen.order is Order.MIXED:
        return len(seen.spans) > 1
    rest = Outlook.of(stretch.window, seen).pages
    return rest > max(target, 2 * stretch.pages, 2 * len(seen.spans))


def split(
    stretch: Stretch, seen: Observation, *, target: float, workers: int
) -> list[Stretch]:
    """Split a stretch along what its first pages have shown.

    Args:
        stretch: What was to be read in one piece.
        seen: The pages that showed it to be too dense.
        target: Pages that a window should hold.
        workers: How many windows are read at the same time.

    Returns:
        Stretches that cover the same range without a gap, oldest first.
    """
    if seen.order is Order.MIXED:
        return _split_evenly(stretch.window, seen)
    window, outlook = stretch.window, Outlook.of(stretch.window, seen)
    windows = workers
    if (known := stretch.neighbour_density) is not None and (
        1 / _SIMILAR < outlook.density / known < _SIMILAR
    ):
        windows = min(2 * stretch.windows, _MOST_WINDOWS * workers)
    reach = math.ceil(windows * target * PAGE_SIZE / outlook.density)
    oldest = min(span[0] for span in seen.spans)
    newest = max(span[1] for span in seen.spans)
    near = outlook.edge + 1 - reach if outlook.falling else outlook.edge + reach
    inside, beyond = (near, outlook.turn) if outlook.falling else (outlook.turn, near)
    count = sum(span[2] for span in seen.spans)
    cuts = {window.start, window.end, near, outlook.turn}
    if window.start == BEGINNING and near > oldest:
        cuts.add(oldest)
    if window.end == END and near <= newest:
        cuts.add(newest + 1)
    parts = []
    for start, end in pairwise(
        sorted(c for c in cuts if window.start <= c <= window.end)
    ):
        part = Window(start, end)
        if start == BEGINNING or end == END or not _known(part, outlook, near):
            parts.append(
                Stretch(part, neighbour_density=outlook.density, windows=windows)
            )
        elif inside <= start and end <= beyond:
            parts.append(Stretch(part, outlook.density))
        else:
            parts.append(Stretch(part, count / (newest + 1 - oldest)))
    return parts


def _known(part: Window, outlook: Outlook, near: int) -> bool:
    """Whether a part lies on the side of the cut that pages have shown."""
    return part.start >= near if outlook.falling else part.end <= near


def _split_evenly(window: Window, seen: Observation) -> list[Stretch]:
    """Split where pages come in no order: each is a sample of the whole window."""
    oldest = min(span[0] for span in seen.spans)
    newest = max(span[1] for span in seen.spans)
    first = oldest if window.start == BEGINNING else window.start
    last = newest + 1 if window.end == END else window.end
    step = max(1, math.ceil((last - first) / _UNKNOWN_PARTS))
    cuts = {window.start, *range(first, last, step), last, window.end}
    return [Stretch(Window(a, b)) for a, b in pairwise(sorted(cuts))]
