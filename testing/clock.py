"""What time it is for a test whose warehouse has this machine's clock."""

from __future__ import annotations

import time
from datetime import datetime, timezone

_HOUR = 3_600
_DAY = 24 * _HOUR
_PERIOD = 600  # seconds: a file of a workspace's log
_WITHIN_PERIOD = 200
_FIRST, _LAST = 4 * _HOUR, 20 * _HOUR  # of a day


def recent(now: float | None = None) -> str:
    """Return a recent time at which the clock of a sandbox can stand.

    It is far from any boundary: in the middle of ten minutes, and hours from midnight,
    at most eight hours ago. What happens a little earlier or later is of the same file
    and, but for what is hours older, of the same day, whenever the test runs.

    Args:
        now: This machine's clock, Unix seconds, by default as it is.
    """
    now = time.time() if now is None else now  # noqa: TID251 - the warehouse has it
    at = (now - _WITHIN_PERIOD) // _PERIOD * _PERIOD + _WITHIN_PERIOD
    midnight = at // _DAY * _DAY
    if at < midnight + _FIRST:
        at = midnight - _DAY + _LAST + _WITHIN_PERIOD
    elif at > midnight + _LAST:
        at = midnight + _LAST + _WITHIN_PERIOD
    return datetime.fromtimestamp(at, timezone.utc).isoformat()
