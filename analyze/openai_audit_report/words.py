"""How numbers, times and durations are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def amount(number: int, one: str, many: str) -> str:
    """Return a number with what it counts."""
    return f"{number:,} {one if number == 1 else many}"


def listed(parts: Sequence[str]) -> str:
    """Return parts as a list within a sentence."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def day(at: datetime) -> str:
    """Return a day as it stands in a heading."""
    return f"{at.day} {at:%B %Y}"


def clock(at: datetime) -> str:
    """Return day and time as they stand in a table."""
    return f"{at:%Y-%m-%d %H:%M}"


def duration(seconds: int) -> str:
    """Return how long it takes, in its largest unit or two."""
    parts = []
    for size, name in _UNITS:
        if seconds >= size:
            parts.append(f"{seconds // size} {name}")
            seconds %= size
    return " ".join(parts[:2]) or "0 s"


def spoken(name: str) -> str:
    """Return a name of the models as words."""
    return name.replace("_", " ")
