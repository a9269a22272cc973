"""The pace that all workers keep together.

It is AIMD in spirit: a 429 halves the rate of requests at once, each success gives a
tenth of it back. No gap between requests is known beforehand, because the API does not
publish its limits; it is found anew whenever the API says 429. Where a limit is
published, it is kept from the beginning.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_GAP = 0.02
"""Seconds between requests after the first 429: the rate of a few workers."""

_LARGEST_GAP = 2.0
"""Seconds. Longer pauses are for the API to ask for, with `Retry-After`."""

_RECOVERY = 0.9
"""What a success leaves of the gap: seven successes double the rate."""

_MINUTE = 60.0

_NO_GAP = 0.005
"""Seconds from which on the pace no longer matters beside the time of a request."""


class Pace:
    """When the next request may be made. Shared by all threads."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        most_per_minute: int | None = None,
    ) -> None:
        """Begin at full speed.

        Args:
            clock: Seconds that pass evenly.
            most_per_minute: How many requests the API allows in any minute, None where
                nothing is published.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._gap = 0.0
        self._most_per_minute = most_per_minute
        self._made_at: deque[float] = deque(maxlen=most_per_minute or 0)
        """When the requests of the last minute were made."""

    @property
    def slowed(self) -> bool:
        """Whether requests are spread in time at the moment."""
        return self._gap > 0

    def reserve(self) -> float:
        """Take the next turn.

        Returns:
            How many seconds to wait before asking again for a turn, 0 when the request
            may be made now.
        """
        free = not self._gap and self._most_per_minute is None
        if free and self._clock() >= self._next_at:
            return 0.0
        with self._lock:
            now = self._clock()
            next_at = max(self._next_at, self._allowed_at())
            if now < next_at:
                return next_at - now
            self._next_at = now + self._gap
            self._made_at.append(now)
            return 0.0

    @property
    def is_at_its_limit(self) -> bool:
        """Whether the next request has to wait, because so many were made."""
        with self._lock:
            return self._clock() < self._allowed_at()

    def _allowed_at(self) -> float:
        """Return when the published limit allows the next request."""
        full = self._made_at and len(self._made_at) == self._made_at.maxlen
        return self._made_at[0] + _MINUTE if full else 0.0

    def slow_down(self, wait: float) -> None:
        """Make no request for so many seconds, then all at half the rate."""
        with self._lock:
            self._next_at = max(self._next_at, self._clock() + wait)
            self._gap = min(max(2 * self._gap, _FIRST_GAP), _LARGEST_GAP)

    def succeeded(self) -> None:
        """Come back towards full speed, because a request was answered."""
        if self._gap:
            with self._lock:
                gap = self._gap * _RECOVERY
                self._gap = gap if gap > _NO_GAP else 0.0
