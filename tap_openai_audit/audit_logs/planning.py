"""Which window is read next, and when one is better split.

The whole range of a run begins as one window. Its first pages show how dense events are
at one end: the near part is cut into windows of a few pages each, the far part stays
one window of unknown density, and is asked in turn. The near part doubles each time (an
exponential search), so that the beginning of the log is found in a logarithmic number
of requests, without a floor and without empty windows.

Windows are handed out oldest first. They are large while much is left, which saves
requests, and become small towards the end, so that no worker is left with a long
window while the others have nothing to do.

A wrong guess costs requests, never events: what is read and in which order depends only
on windows that follow each other without a gap. Each split makes smaller windows, so
that reading ends whatever the pages hold.
"""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.observation import Order
from tap_openai_audit.windows import (
    BEGINNING,
    EARLIEST_NAMED,
    END,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_openai_audit.audit_logs.observation import Observation, Span

_LEAST_PAGES, _MOST_PAGES = 4.0, 16.0
"""Pages of a window. A window's last page is half empty on average and each window may
be one request too long, so shorter ones cost over a tenth more requests; longer ones
leave a worker behind at the end and fill the buffer."""

_ROUNDS_LEFT = 1.5
"""What is left is cut so that each worker still gets about so many windows of it: more
rounds are more requests, with fewer the last worker is waited for."""

_ALMOST = 1.25
"""A rest of up to a quarter of a window is read with it, not as one of its own."""

_USUAL_VARIATION = 8
"""How much denser than their part of the range a few pages may be without a reason to
split: events come by day more than by night, and on Monday more than on Sunday."""

_PARTS_OF_MIXED = 8
"""Parts of a window whose pages come in no order. Each page is a sample of all of it,
so nothing better is known than to split evenly; eight are three halvings at once."""

_MOST_BORDER_PAGES = 8_192.0
"""Where that doubling ends, to keep the guess near what was seen."""


@dataclass
class Density:
    """How dense events are in a part of the range: what was read of it so far.

    Quiet nights and weekends count as much as they are long, so the next window of the
    part is cut after what all before it held, not after the last.
    """

    pages: float
    seconds: float

    def __float__(self) -> float:
        """Return pages per second."""
        return self.pages / max(self.seconds, 1)

    def learn(self, window: Window, pages: int) -> None:
        """Take in a window of the part that was read."""
        self.pages += pages
        self.seconds += window.end - window.start


@dataclass(frozen=True)
class PlannedWindow:
    """A window that nobody reads yet, and what is believed of it."""

    window: Window

    density: Density | None = None
    """That of the part which the window is of, None where no page has shown it."""

    border_pages: float = 0
    """Where the density is unknown, how many pages are believed beyond that border."""

    @property
    def pages(self) -> float:
        """How many pages it is believed to hold, 0 when unknown."""
        if self.density is None:
            return 0.0
        return float(self.density) * (self.window.end - self.window.start)

    def cut(self, pages: float) -> tuple[PlannedWindow, PlannedWindow | None]:
        """Cut a window of about so many pages off the old end.

        Returns:
            The window to read, and the rest, None where nothing is left.
        """
        if self.density is None or self.pages <= _ALMOST * pages:
            return self, None
        middle = self.window.start + max(1, math.ceil(pages / float(self.density)))
        if middle >= self.window.end:
            return self, None
        return (
            replace(self, window=Window(self.window.start, middle)),
            replace(self, window=Window(middle, self.window.end)),
        )


class Plan:
    """The part of the range that is not read yet."""

    def __init__(self, whole: Window, workers: int) -> None:
        """Begin with the whole range in one piece.

        Args:
            whole: The range to read.
            workers: How many windows are read at the same time.
        """
        self._windows = [PlannedWindow(whole)]
        self._workers = workers

    @property
    def target(self) -> float:
        """How many pages the next window should hold."""
        left = sum(planned.pages for planned in self._windows)
        return min(
            max(left / (_ROUNDS_LEFT * self._workers), _LEAST_PAGES), _MOST_PAGES
        )

    @property
    def next_start(self) -> int | None:
        """Where the next window begins, None when all are handed out."""
        return self._windows[0].window.start if self._windows else None

    def take(self, most: float) -> PlannedWindow:
        """Hand out the oldest window.

        Args:
            most: The most pages that it should hold.
        """
        window, rest = self._windows.pop(0).cut(min(self.target, most))
        if rest is not None:
            self._windows.insert(0, rest)
        return window

    def split(self, planned: PlannedWindow, seen: Observation) -> None:
        """Take back a window that is too dense for one worker, and split it."""
        for part in split(planned, seen, target=self.target, workers=self._workers):
            insort(self._windows, part, key=attrgetter("window.start"))


def too_dense(planned: PlannedWindow, seen: Observation, target: float) -> bool:
    """Tell whether splitting a window costs less than reading on with one worker.

    Splitting throws away the pages read so far, so what is left must be worth a
    multiple of them, and of what the window was expected to hold.

    Args:
        planned: The window.
        seen: Its pages so far, at least one.
        target: Pages that a window should hold.
    """
    if not planned.window.splittable:
        return False
    spans = seen.spans(planned.window)
    if seen.order is Order.MIXED or not spans:
        return seen.pages >= target
    estimate = _Estimate.of(planned.window, seen, spans)
    if estimate.left <= max(target, 2 * seen.pages):
        return False
    if planned.density is None or seen.pages >= 2 * planned.pages:
        return True
    return estimate.density > _USUAL_VARIATION * float(planned.density)


def split(
    planned: PlannedWindow, seen: Observation, *, target: float, workers: int
) -> list[PlannedWindow]:
    """Split a window along what its first pages have shown.

    Args:
        planned: What was to be read in one piece. It can be split.
        seen: The pages that showed it to be too dense.
        target: Pages that a window should hold.
        workers: How many windows are read at the same time.

    Returns:
        Smaller windows that cover the same range without a gap, oldest first.
    """
    spans = seen.spans(planned.window)
    if not spans:
        # All that was seen is dated after the API's clock: what happened lies before.
        cuts: Iterable[int] = [seen.now + 1]
    elif seen.order is Order.MIXED:
        cuts = _even_cuts(planned.window, spans)
    else:
        return _split_towards(planned, seen, spans, target * workers)
    return [PlannedWindow(part) for part in _parts(planned.window, cuts)]


def _split_towards(
    planned: PlannedWindow, seen: Observation, spans: Sequence[Span], pages: float
) -> list[PlannedWindow]:
    """Split where the next part to be read has about so many pages.

    Beyond it, and before the first event seen, the density stays unknown.
    """
    estimate = _Estimate.of(planned.window, seen, spans)
    pages = min(max(pages, 2 * planned.border_pages), _MOST_BORDER_PAGES)
    near = estimate.edge + math.ceil(pages / estimate.density)
    if estimate.mirrored:
        near = min(near, max(1 - EARLIEST_NAMED, estimate.edge + 1))
    cuts = [estimate.turn, near, *([estimate.first] if estimate.open_start else [])]
    parts = _parts(planned.window, map(estimate.in_time, cuts))
    # What is learned of one part later is learned of all that it is cut into.
    density = Density(estimate.density * estimate.seconds, estimate.seconds)
    return [estimate.plan(part, near, pages, density) for part in parts]


def _parts(window: Window, cuts: Iterable[int]) -> list[Window]:
    """Cut a window in at least two, at seconds that may be named."""
    least = max(window.start + 1, EARLIEST_NAMED)
    inside = {cut for cut in cuts if least <= cut < window.end}
    if not inside:
        # Nothing that was seen divides it: halve it. From an open end that reaches any
        # second in 38 steps.
        inside = {least + (window.end - least) // 2}
    bounds = [window.start, *sorted(inside), window.end]
    return [Window(start, end) for start, end in pairwise(bounds)]


def _even_cuts(window: Window, spans: Sequence[Span]) -> Iterable[int]:
    """Return where to split a window whose pages come in no order."""
    first = window.start
    if window.start == BEGINNING:
        first = max(min(span[0] for span in spans), EARLIEST_NAMED)
    last = max(span[1] for span in spans) + 1 if window.end == END else window.end
    step = max(1, math.ceil((last - first) / _PARTS_OF_MIXED))
    return {*range(first, last, step), last}


@dataclass(frozen=True)
class _Estimate:
    """What the pages read so far let one expect of the rest of their window.

    Seconds are counted in the direction of reading: where pages come newest first, each
    second stands for its negative, so that what is left lies after what was read, and
    one computation serves both directions. The density is that of the later half of
    the pages: a burst shows after as many pages as lie before it, whatever its scale.
    """

    mirrored: bool
    """Whether seconds are negatives: as the API's usual order, until pages show
    another."""

    open_start: bool
    """Whether nothing says where events begin."""

    first: int
    """The first second that brought an event."""

    turn: int
    """From where on the density was seen."""

    edge: int
    """The last second that brought an event."""

    density: float
    """Pages per second from `turn` to `edge`."""

    pages: int
    """How many pages were read."""

    left: float
    """How many pages may still come."""

    @property
    def seconds(self) -> int:
        """How long the part is from which the density was taken."""
        return max(self.edge + 1 - self.turn, 1)

    @classmethod
    def of(cls, window: Window, seen: Observation, spans: Sequence[Span]) -> _Estimate:
        mirrored = seen.order is not Order.OLDEST_FIRST
        open_start = window.start == BEGINNING
        if mirrored:
            # After the API's clock no events are to be expected.
            open_start = window.start <= seen.now < window.end
            window = _mirrored(window)
            spans = [(-newest, -oldest) for oldest, newest in spans]
        first = min(span[0] for span in spans)
        edge = max(span[1] for span in spans)
        earlier = spans[: len(spans) // 2]
        begin = first if open_start else window.start
        turn = max((span[1] + 1 for span in earlier), default=begin)
        density = math.ceil(len(spans) / 2) / max(edge + 1 - turn, 1)
        return cls(
            mirrored=mirrored,
            open_start=open_start,
            first=first,
            turn=turn,
            edge=edge,
            density=density,
            pages=len(spans),
            left=density * (window.end - 1 - edge),
        )

    def in_time(self, cut: int) -> int:
        """Return a place to cut, in Unix seconds."""
        return 1 - cut if self.mirrored else cut

    def plan(
        self, part: Window, near: int, pages: float, density: Density
    ) -> PlannedWindow:
        """Return a part of the window with what is believed of it."""
        as_read = _mirrored(part) if self.mirrored else part
        if (
            part.start == BEGINNING
            or part.end == END
            or as_read.start >= near
            or (self.open_start and as_read.end <= self.first)
        ):
            return PlannedWindow(part, border_pages=pages)
        if as_read.start < self.turn:
            return PlannedWindow(part, Density(self.pages, self.edge + 1 - self.first))
        return PlannedWindow(part, density)


def _mirrored(window: Window) -> Window:
    return Window(1 - window.end, 1 - window.start)
