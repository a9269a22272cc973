"""The ids that this run has emitted."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tap_openai_audit.audit_logs.events import Event

_BLOCK = 256
"""Hashes that share one entry in the index of times: an entry for each would take as
much memory as the hashes."""


class KnownIds(Protocol):
    """Knows of some events that they were emitted."""

    def __contains__(self, event: Event) -> bool:
        """Tell whether an event is known to be emitted."""


class EmittedIds:
    """Every id of this run, so that another scope does not emit it again.

    Eight bytes an event, in the order of time, in which scopes are emitted.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._seconds: list[int] = []
        """The second of the first event of each block of hashes."""

    def add(self, event: Event) -> None:
        """Remember an event. Events come in the order of time."""
        if len(self._hashes) % _BLOCK == 0:
            self._seconds.append(event.effective_at)
        self._hashes.append(hash(event.id))

    def __contains__(self, event: Event) -> bool:
        """Tell whether an event was emitted in this run."""
        first = max(bisect_left(self._seconds, event.effective_at) - 1, 0)
        last = bisect_right(self._seconds, event.effective_at)
        return hash(event.id) in self._hashes[first * _BLOCK : last * _BLOCK]
