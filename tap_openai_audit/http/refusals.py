"""How long an API has refused requests, in all workers together.

A worker that is refused waits, and so do the others: for what the API asks to wait, and
for their turn at the lower pace that follows. All of that is time in which the API does
not answer. What a worker waited itself would be a small part of it: with `Retry-After:
1` and eight workers that keep two seconds apart, one second in sixteen.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STATUSES = frozenset({429, 503})
"""Statuses with which an API refuses a request for now, whatever is asked for."""


class Refusals:
    """The time since the first refusal after the last answer. Shared by all threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin without a refusal.

        Args:
            clock: Seconds that pass evenly.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._excluded = 0.0
        self._excluded_until = 0.0

    def begin(self) -> None:
        """Take note of a refusal: the time begins with the first."""
        with self._lock:
            if self._since is None:
                self._since = self._excluded_until = self._clock()
                self._excluded = 0.0

    def end(self) -> None:
        """Take note of an answer."""
        # Without the lock: nearly every answer finds nothing to end.
        if self._since is not None:
            with self._lock:
                self._since = None

    @property
    def seconds(self) -> float:
        """How many seconds the API has refused requests for, 0 after an answer."""
        with self._lock:
            if self._since is None:
                return 0.0
            return self._clock() - self._since - self._excluded

    def exclude(self, began: float) -> None:
        """Do not count the time since then, in which the tap kept a published limit.

        Args:
            began: When the wait began, by the clock. Waits of several workers at the
                same time are excluded once.
        """
        with self._lock:
            if self._since is not None:
                now = self._clock()
                self._excluded += max(0.0, now - max(began, self._excluded_until))
                self._excluded_until = now
