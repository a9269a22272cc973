"""Which days a report is about, and into which spans of time they are put together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY = timedelta(days=1)

_LAST_DAYS = re.compile(r"([1-9][0-9]{0,3})d")
_MOST_DAYS = 3660  # ten years; more would be a typing error
_DAILY = 62
"""Days that are shown one by one. Of more, a bar would be too thin to be seen."""

_WEEKLY = 450
"""Days that are put together by weeks; more by months."""


class BadPeriod(Exception):
    """A text is no period. The message says which forms there are."""


@dataclass(frozen=True)
class Period:
    """Whole days in UTC, as times without a zone.

    Attributes:
        start: The first midnight.
        end: The midnight after the last day.
    """

    start: datetime
    end: datetime

    @classmethod
    def of(cls, text: str, now: datetime) -> Period:
        """Return the period that a text means.

        Args:
            text: `30d` for 30 days up to and with today, or two days that both belong
                to it, as in `2026-11-01/2026-11-30`.
            now: The time of the query, in UTC without a zone.

        Raises:
            BadPeriod: It means none.
        """
        tomorrow = datetime(now.year, now.month, now.day) + DAY  # noqa: DTZ001 - UTC
        last = _LAST_DAYS.fullmatch(text)
        try:
            if not text.isascii():
                raise _bad()
            if last:
                period = cls(tomorrow - int(last[1]) * DAY, tomorrow)
            else:
                first_day, _, last_day = text.partition("/")
                period = cls(_midnight(first_day), _midnight(last_day) + DAY)
        except (ValueError, OverflowError):
            raise _bad() from None
        if not 1 <= period.days <= _MOST_DAYS:
            raise _bad()
        return period

    @property
    def days(self) -> int:
        """How many days."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> datetime:
        """The midnight at which the last day begins."""
        return self.end - DAY

    @property
    def unit(self) -> str:
        """What a bar of a chart stands for: `day`, `week` or `month`."""
        if self.days <= _DAILY:
            return "day"
        return "week" if self.days <= _WEEKLY else "month"

    @property
    def spans(self) -> list[datetime]:
        """When each day, week (from Monday) or month of the period begins."""
        found: list[datetime] = []
        day = self.start
        while day < self.end:
            begin = self.span_of(day)
            if not found or found[-1] != begin:
                found.append(begin)
            day += DAY
        return found

    def span_of(self, day: datetime) -> datetime:
        """Return when the day, week or month begins that a day is in."""
        if self.unit == "week":
            return day - day.weekday() * DAY
        return day.replace(day=1) if self.unit == "month" else day


def midnight(at: datetime) -> datetime:
    """Return when the day begins that a time is in."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _midnight(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - UTC


def _bad() -> BadPeriod:
    return BadPeriod(
        "a period is 30d for the last 30 days, or its first and its last day, as in"
        f" 2026-11-01/2026-11-30, at most {_MOST_DAYS} days"
    )
