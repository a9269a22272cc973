"""The pace that all workers keep together.

One worker that is told to slow down slows all of them: nobody asks before the pause is
over, and afterwards requests are spread in time. Each success brings the pace back.
"""

from __future__ import annotations

import threading
import time

_FIRST_GAP, _LARGEST_GAP = 0.02, 2.0
_RECOVERY = 0.9
_NO_GAP = 0.005


class Pace:
    """When the next request may be made. Shared by all threads."""

    def __init__(self) -> None:
        """Begin at full speed."""
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._gap = 0.0

    @property
    def slowed(self) -> bool:
        """Whether requests are spread in time at the moment."""
        return self._gap > 0

    def reserve(self) -> float:
        """Take the next place in the row.

        Returns:
            How many seconds to wait before asking again for a place, 0 when the
            request may be made now.
        """
        if not self._gap and time.monotonic() >= self._next_at:
            return 0.0
        with self._lock:
            now = time.monotonic()
            if now < self._next_at:
                return self._next_at - now
            self._next_at = now + self._gap
            return 0.0

    def slow_down(self, wait: float) -> None:
        """Let nobody ask for so many seconds, then all at half the pace."""
        with self._lock:
            self._next_at = max(self._next_at, time.monotonic() + wait)
            self._gap = min(max(2 * self._gap, _FIRST_GAP), _LARGEST_GAP)

    def succeeded(self) -> None:
        """A request was answered: come back towards full speed."""
        if self._gap:
            with self._lock:
                gap = self._gap * _RECOVERY
                self._gap = gap if gap > _NO_GAP else 0.0
