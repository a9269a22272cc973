"""Which window is read next.

Windows are handed out oldest first. They are large while much is left, which saves
requests, and become small towards the end, so that no worker is left with a long
window while the others have nothing to do.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.splitting import split
from tap_openai_audit.extraction.windows import Stretch, Window

if TYPE_CHECKING:
    from tap_openai_audit.extraction.observation import Observation

_SMALLEST, _LARGEST = 4.0, 10.0
_ROUNDS_LEFT = 1.5
_MOST_DOUBT = 8


class Plan:
    """The part of the range that is not read yet."""

    def __init__(self, whole: Window, workers: int) -> None:
        """Begin with the whole range in one piece.

        Args:
            whole: The range to read.
            workers: How many windows are read at the same time.
        """
        self._stretches = [Stretch(whole)]
        self._workers = workers

    @property
    def target(self) -> float:
        """How many pages the next window should hold."""
        left = sum(stretch.pages for stretch in self._stretches)
        return min(max(left / (_ROUNDS_LEFT * self._workers), _SMALLEST), _LARGEST)

    @property
    def next_start(self) -> int | None:
        """Where the next window begins, None when all are handed out."""
        return self._stretches[0].window.start if self._stretches else None

    def take(self) -> Stretch:
        """Hand out the oldest window."""
        target = self.target
        window, rest = self._stretches.pop(0).cut(target)
        if rest is not None:
            self._stretches.insert(0, rest)
        return window

    def learn(self, read: Window, pages: int) -> None:
        """Believe less of what follows a window that held less than expected."""
        if not self._stretches:
            return
        first = self._stretches[0]
        if first.density is not None and first.window.start >= read.end:
            seen = pages / (read.end - read.start)
            if seen < first.density / 2:
                density = max(seen, first.density / _MOST_DOUBT)
                self._stretches[0] = replace(first, density=density)

    def split(self, stretch: Stretch, seen: Observation) -> None:
        """Take a window back that is too dense for one worker, and split it."""
        for part in split(stretch, seen, target=self.target, workers=self._workers):
            insort(self._stretches, part, key=attrgetter("window.start"))
