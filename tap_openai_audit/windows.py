"""Time ranges, in Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass

END = 253402300800
"""The end of a window that has no latest second: the year 10000."""

BEGINNING = 1 - END
"""The start of a window that has no earliest second. With `END` it makes a range that
is the same whichever way time runs."""

EARLIEST_NAMED = 0
"""No request names an earlier second: 1970. The API documents Unix seconds and nothing
of negative ones, so what lies before is read by the window that is open below."""


@dataclass(frozen=True)
class Window:
    """A half-open time range [start, end)."""

    start: int = BEGINNING
    end: int = END

    def __contains__(self, second: int) -> bool:
        """Tell whether a second lies in the window."""
        return self.start <= second < self.end

    @property
    def splittable(self) -> bool:
        """Whether some second may be named that lies inside.

        A single second, and what lies before the first that may be named, is read by
        cursor only.
        """
        return max(self.start + 1, EARLIEST_NAMED) < self.end


def named(second: int) -> int:
    """Return a second as the start of a window: what may not be named is left open."""
    return second if second > EARLIEST_NAMED else BEGINNING
