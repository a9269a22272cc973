"""The digest of a day: what a chain of states has written of it.

Before each STATE the digests of the days that it changes are written, so that both are
confirmed together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_openai_audit.audit_logs.days import DAY, end_of
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_openai_audit.audit_logs.days import DayCount
    from tap_openai_audit.audit_logs.state import ScopeState


@dataclass(frozen=True)
class Digest:
    """What a chain has written of a day."""

    scope: str
    chain_id: str
    organization_id: str
    day: int
    """In days since 1970."""
    count: DayCount
    counted_from: int
    """From when on, in Unix seconds, it answers for the day."""
    counted_to: int
    """Up to when: the end of the day, if that is over."""

    @property
    def is_over(self) -> bool:
        """Whether the day is over."""
        return self.counted_to == end_of(self.day)

    def record(self, **stamps: str) -> dict[str, Any]:
        """Make the record, with columns that are the same on all of a run."""
        count = self.count
        return {
            "organization_id": self.organization_id,
            "scope": self.scope,
            "chain_id": self.chain_id,
            "day": iso(self.day * DAY)[: len("2026-01-31")],
            "events": count.events,
            "ids_checksum": count.checksum,
            "oldest_event_at": iso(count.oldest),
            "newest_event_at": iso(count.newest),
            "counted_from": iso(self.counted_from),
            "counted_to": iso(self.counted_to),
            "exact": count.exact,
            "reason": self._reason,
            **stamps,
        }

    @property
    def _reason(self) -> str | None:
        """Say why it does not prove the whole day."""
        reasons = []
        if not self.count.exact:
            reasons.append(
                "events were written again because several late ones came at once, or"
                " the API no longer showed one; or a stream map changed their ids"
            )
        if self.counted_from > self.day * DAY:
            reasons.append("the chain began within the day")
        if not self.is_over:
            reasons.append("the day was not over")
        return "; ".join(reasons) or None


def digests_of(
    state: ScopeState, scope: str, changed: Iterable[tuple[int, DayCount]]
) -> list[Digest]:
    """Return the digests of days that have changed.

    Args:
        state: What the next run begins with, once the digests are written.
        scope: The feed.
        changed: The days and their counts, in order.
    """
    position = state.position
    began, chain_id = position.counted_from, state.chain_id
    if chain_id is None or state.organization_id is None:
        return []
    return [
        Digest(
            scope,
            chain_id,
            state.organization_id,
            day,
            count,
            counted_from := max(day * DAY if began is None else began, day * DAY),
            # What is dated after the API's clock is counted, but nothing is over.
            min(max(position.read_to or 0, counted_from), end_of(day)),
        )
        for day, count in changed
    ]
