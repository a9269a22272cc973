"""ISO 8601 and Unix seconds: the one place that writes and reads times as text.

All times of this tap are UTC. Inside they are Unix seconds; as text they have one form,
`2026-11-23T08:15:00+00:00`, which sorts as time does.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

_LATEST = 253_402_300_799.999
"""The end of the year 9999, in Unix seconds."""

# Before Python 3.11 `fromisoformat` takes a fraction of three or six digits only.
_FRACTION = re.compile(r"(?<=\d[.,])\d+")


def iso(second: int) -> str:
    """Write Unix seconds as text.

    Args:
        second: A second of the years 1 to 9999.

    Raises:
        OverflowError: If it is of another year.
    """
    days, rest = divmod(second, 86_400)
    minutes, seconds = divmod(rest, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{_day(days)}T{hours:02}:{minutes:02}:{seconds:02}+00:00"


def unix(text: str) -> float:
    """Read Unix seconds from an ISO 8601 text. Without a time zone it is UTC.

    Raises:
        ValueError: If the text is no such time.
        OverflowError: If its offset leads out of the years 1 to 9999.
    """
    # A float rounds the last microsecond of 9999 up to a year that no text can say.
    return min(_moment(text).timestamp(), _LATEST)


def utc(text: str) -> str:
    """Write a time of another text in the form of this tap.

    A fraction of a second is kept, to the microsecond: more no database holds.

    Raises:
        ValueError: If the text is no such time.
        OverflowError: If its offset leads out of the years 1 to 9999.
    """
    return _moment(text).isoformat()


def _moment(text: str) -> datetime:
    text = text.strip()
    if text[-1:] in {"z", "Z"}:
        text = f"{text[:-1]}+00:00"
    text = _FRACTION.sub(lambda match: f"{match[0]:0<6.6}", text, count=1)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)


@lru_cache(maxsize=64)  # events come in the order of time: a few days at a time
def _day(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
