"""The API's clock, as the `Date` of its responses tells it.

What happened is judged by this clock and not by that of this machine, which may be days
off. One wrong or missing `Date` must not count: the earliest time that agrees with any
response says what has happened, and the latest what lies in the future.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tap_openai_audit.windows import END

if TYPE_CHECKING:
    from collections.abc import Callable

_DISAGREE_SECONDS = 60
"""How far the API's clock may be ahead of this machine's before a second response is
asked for: more than clocks differ that are set by NTP."""


class ApiClock:
    """What the API's clock shows. Shared by all threads."""

    def __init__(
        self,
        elapsed: Callable[[], float] = time.monotonic,
        machine: Callable[[], float] = time.time,
    ) -> None:
        """Begin without a response.

        Args:
            elapsed: Seconds that pass evenly.
            machine: This machine's clock, in Unix seconds: used as long as no response
                has shown the API's.
        """
        self._elapsed = elapsed
        self._machine = machine
        self._lock = threading.Lock()
        self._offsets: tuple[float, float] | None = None
        """The least and the most that the API's clock is ahead of `elapsed`."""
        self.responses = 0
        """How many responses have shown it."""

    def observe(self, date: float) -> None:
        """Take note of the `Date` of a response that has just come, in Unix seconds."""
        offset = date - self._elapsed()
        with self._lock:
            self.responses += 1
            least, most = self._offsets or (offset, offset)
            self._offsets = (min(least, offset), max(most, offset))

    def earliest(self, seconds_ago: float = 0) -> int:
        """Return the earliest time that it may be, or was, in Unix seconds."""
        if self._offsets is None:
            return int(self._machine() - seconds_ago)
        return min(int(self._offsets[0] + self._elapsed() - seconds_ago), END - 1)

    @property
    def is_doubtful(self) -> bool:
        """Whether one response alone tells a time, and this machine's does not agree.

        Earlier than this machine's it harms nothing: less counts as happened.
        """
        if self.responses > 1:
            return False
        return not self.responses or self.latest() > self._machine() + _DISAGREE_SECONDS

    def latest(self) -> int:
        """Return the latest time that it may be, in Unix seconds."""
        if self._offsets is None:
            return int(self._machine())
        return min(int(self._offsets[1] + self._elapsed()), END - 1)
