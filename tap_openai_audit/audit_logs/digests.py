"""The digest of a day as it is written, and which days were written how.

A digest says what this chain of states has written of a UTC day. It is written again
whenever that has changed, so what was written last is kept: a checksum for each day.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING, Any

from tap_openai_audit.audit_logs.days import DAY
from tap_openai_audit.timestamps import iso
from tap_openai_audit.varints import VarintReader, unzigzag, varint, zigzag
from tap_openai_audit.windows import END

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_openai_audit.audit_logs.days import DayCount
    from tap_openai_audit.audit_logs.state import Filters, ScopeState

_CHECKSUM_BYTES = 6
"""With as many a change is overlooked once in 2⁴⁸ days."""


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
    filters: Filters | None
    """Under which the chain reads by now."""

    @property
    def is_over(self) -> bool:
        """Whether the day is over."""
        return self.counted_to == _end_of(self.day)

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
                "events were written again among which several late ones were, or"
                " written with other ids by a stream map"
            )
        if self.counted_from > self.day * DAY:
            reasons.append("the chain began within the day")
        if not self.is_over:
            reasons.append("the day was not over")
        return "; ".join(reasons) or None

    @property
    def checksum(self) -> bytes:
        """What is kept of it once it is written.

        That time passes within the day is no reason to write it again.
        """
        told = (
            self.chain_id,
            self.day,
            self.count,
            self.counted_from,
            self.is_over,
            # What a run that was killed has written may never be read again under
            # others, and what it has told of it must not stand.
            self.filters,
        )
        digest = md5(repr(told).encode(), usedforsecurity=False).digest()
        return digest[:_CHECKSUM_BYTES]


def digests_of(state: ScopeState, scope: str) -> list[Digest]:
    """Return the digests of a scope, the oldest day first."""
    position = state.position
    began, chain_id = position.counted_from, state.chain_id
    if began is None or chain_id is None or state.organization_id is None:
        return []
    return [
        Digest(
            scope,
            chain_id,
            state.organization_id,
            day,
            count,
            counted_from := max(began, day * DAY),
            # What is dated after the API's clock is counted, but nothing is over.
            min(max(position.read_to or 0, counted_from), _end_of(day)),
            state.filters,
        )
        for day, count in position.digests.counts.items()
    ]


def _end_of(day: int) -> int:
    """Return the next midnight; of the last day that a date-time knows, its end."""
    return min((day + 1) * DAY, END - 1)


def encode(checksums: Mapping[int, bytes]) -> str:
    """Encode checksums by their day.

    For each day, the oldest first: its distance to the day before, the first from 1970
    and signed by zigzag, and the six bytes of its checksum.
    """
    out, previous = bytearray(), None
    for day, checksum in sorted(checksums.items()):
        out += varint(zigzag(day) if previous is None else day - previous) + checksum
        previous = day
    return b64encode(out).decode()


def decode(text: str) -> dict[int, bytes]:
    """Decode checksums by their day.

    Raises:
        ValueError: If the text holds something else.
    """
    data, checksums, day = VarintReader(text), dict[int, bytes](), None
    while not data.at_end:
        distance = data.varint()
        if day is not None and not distance:
            raise ValueError("a day twice")
        day = unzigzag(distance) if day is None else day + distance
        fixed = data.fixed(_CHECKSUM_BYTES)
        checksums[day] = fixed.to_bytes(_CHECKSUM_BYTES, "big")
    return checksums


def checksums_of(digests: Iterable[Digest]) -> dict[int, bytes]:
    """Return what is kept of digests by their day."""
    return {digest.day: digest.checksum for digest in digests}
