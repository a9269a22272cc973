"""Lets episodes happen beside each other, in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.story.company import Company

#: Something that happens step by step: each value is when it goes on, Unix seconds.
Episode = Generator[int, None, Any]


class Timetable:
    """Episodes and when each of them goes on."""

    def __init__(self) -> None:
        self._next: list[tuple[int, int, Episode]] = []
        self._planned = 0

    def plan(self, at: int, episode: Episode) -> None:
        """Plan an episode; of one second, what was planned first happens first."""
        self._planned += 1
        heapq.heappush(self._next, (at, self._planned, episode))

    def play(self, company: Company, until: float) -> None:
        """Let happen what happens before a moment, Unix seconds."""
        while self._next and self._next[0][0] < until:
            company.now, _, episode = heapq.heappop(self._next)
            goes_on_at = next(episode, None)
            if goes_on_at is not None:
                self.plan(goes_on_at, episode)
