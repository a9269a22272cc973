"""Time ranges, and what is believed about those that nobody reads yet."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

END = 253402300800
"""The end of a window that has no latest second: the year 10000, in Unix seconds."""

BEGINNING = 1 - END
"""The start of a window that has no earliest second."""

_ALMOST = 1.25


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

    @property
    def mirrored(self) -> Window:
        """The same range on a clock that runs backwards."""
        return Window(1 - self.end, 1 - self.start)


@dataclass(frozen=True)
class Stretch:
    """A part of the range that nobody reads yet."""

    window: Window

    density: float | None = None
    """Pages per second, None where no page has shown it."""

    border_density: float | None = None
    """Where the density is unknown, the one at the border."""

    border_windows: int = 0
    """Where the density is unknown, how many windows lie beyond that border."""

    @property
    def pages(self) -> float:
        """How many pages it is believed to hold, 0 when unknown."""
        if self.density is None:
            return 0.0
        return self.density * (self.window.end - self.window.start)

    def cut(self, pages: float) -> tuple[Stretch, Stretch | None]:
        """Cut a window of about so many pages off the old end.

        Returns:
            The window to read, and the rest, None where nothing is left.
        """
        if self.density is None or self.pages <= _ALMOST * pages:
            return self, None
        middle = self.window.start + max(1, math.ceil(pages / self.density))
        if middle >= self.window.end:
            return self, None
        return (
            replace(self, window=Window(self.window.start, middle)),
            replace(self, window=Window(middle, self.window.end)),
        )
