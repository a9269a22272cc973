"""What goes into an event log, and what is asked of it and found in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Entry(NamedTuple):
    """One event on its way into a log.

    Attributes:
        at: `effective_at`, Unix seconds.
        id: The event's id, which is also its cursor.
        body: The event as JSON.
        labels: What attribute filters find it by, see `sandbox.labels`.
    """

    at: int
    id: str
    body: bytes
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """Which part of a log is asked for.

    Attributes:
        since: First second wanted, Unix seconds, or None.
        until: The second after the last wanted, Unix seconds, or None.
        labels: Alternatives per filter: an event must have one label of each.
        after: The page starts behind this event id.
        before: The page ends in front of this event id.
        limit: Most events on a page.
        order: `newest_first`, `oldest_first` or `shuffled`.
    """

    since: int | None = None
    until: int | None = None
    labels: tuple[tuple[str, ...], ...] = ()
    after: str | None = None
    before: str | None = None
    limit: int = 20
    order: str = "newest_first"


@dataclass(frozen=True)
class Found:
    """One page of a log, in the order it is listed."""

    ids: list[str]
    bodies: list[bytes]
    has_more: bool
