"""When something that is done every so many hours is due again."""

from __future__ import annotations

_HOUR = 3600  # seconds

_SLACK = 1 / 24
"""The part of a period by which it may be cut short: a run a day begins now a little
earlier than the day before, now a little later, and should not skip every other day."""


def due_again_at(done_at: int, every_hours: int) -> int:
    """Return when it is due again, in Unix seconds.

    Args:
        done_at: When it was done last, in Unix seconds.
        every_hours: The period. 0 means that it is always due.
    """
    return done_at + int(every_hours * _HOUR * (1 - _SLACK))
