"""How numbers, times and durations are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_SHORT = {"api": "API", "gpts": "GPTs", "scim": "SCIM", "sso": "SSO"}
_FEEDS = {
    "organization": "Organization",
    "tenant": "Tenant",
    "workspace_audit": "Workspace, audit log",
    "workspace_auth": "Workspace, sign-ins",
}
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


def counts(numbers: Mapping[str, int]) -> str:
    """Return how many there are of each, as in `2 partial, 28 proven`."""
    return ", ".join(f"{number:,} {name}" for name, number in numbers.items())


def spoken(name: str) -> str:
    """Return a name of the models as words."""
    words = " ".join(_SHORT.get(word, word) for word in name.split("_"))
    return f"{words[:1].upper()}{words[1:]}"


def feed(source: str) -> str:
    """Return what a source of events is called."""
    return _FEEDS.get(source, spoken(source))
