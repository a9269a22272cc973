"""Buckets of emitted ids: one id, or the count and the sums of several.

When a bucket's time has been read again, and count and sums are the same, nothing in it
is new. If they differ by one event or by two, the difference is the hash of the new
one, or the sum of the hashes of a pair of them, which is found by look-up. Otherwise
the bucket cannot be resolved: all its events are emitted again, which a primary key
repairs, rather than one be lost, which nothing repairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.audit_logs.events import Event

HALF_BYTES = 4
"""Bytes of each half of a hash: 8 hexadecimal digits, which any database can sum up."""

MOST_RESOLVED = 2
"""New events of a bucket that are found by the difference of its sums. Three would take
a search through all pairs."""


class Bucket(NamedTuple):
    """Some ids that are known, in the order of time, all of one UTC day."""

    start: int
    """The second of its first event, in Unix seconds."""
    ids: int
    """How many."""
    high: int
    """The sum of the first 8 hexadecimal digits of the MD5 of each id."""
    low: int
    """The sum of the next 8 digits."""
    inexact: bool = False
    """Whether events of it were emitted again because it could not be resolved."""
    left_out: int = 0
    """How many of the ids no record was written of: the other scope had written it, or
    a stream map filtered it."""
    left_out_high: int = 0
    """The part of `high` that belongs to those."""

    def merged(self, later: Bucket) -> Bucket:
        """Return one bucket for this one and its neighbour."""
        return Bucket(
            self.start,
            self.ids + later.ids,
            self.high + later.high,
            self.low + later.low,
            self.inexact or later.inexact,
            self.left_out + later.left_out,
            self.left_out_high + later.left_out_high,
        )


def high_of(id_: str) -> int:
    """Return the first 8 hexadecimal digits of the MD5 of an id."""
    digest = md5(id_.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:HALF_BYTES], "big")


def bucket_of(event: Event, *, inexact: bool = False, left_out: bool = False) -> Bucket:
    """Return the bucket that holds one event."""
    digest = md5(event.id.encode(), usedforsecurity=False).digest()
    high = int.from_bytes(digest[:HALF_BYTES], "big")
    low = int.from_bytes(digest[HALF_BYTES : 2 * HALF_BYTES], "big")
    if left_out:
        return Bucket(event.effective_at, 1, high, low, inexact, 1, high)
    return Bucket(event.effective_at, 1, high, low, inexact)


@dataclass(frozen=True)
class Resolution:
    """What the events of a bucket's time are, now that they were read again."""

    new: list[Event]
    """Those that were not known."""
    resolved: bool = True
    """False if the known ones among them cannot be told: then all count as new."""


def resolve(known: Sequence[Bucket], events: Sequence[Event]) -> Resolution:
    """Tell which events were not known before.

    Args:
        known: The buckets of one start: several if each is an id.
        events: All events of their time, each once, as they were read now.
    """
    if known[0].ids == 1:
        # The time belongs to what is known: a corrected one makes another version.
        ids = {bucket[:4] for bucket in known}
        return Resolution([e for e in events if bucket_of(e)[:4] not in ids])
    (bucket,) = known
    hashes = [bucket_of(event)[2:4] for event in events]
    added = len(events) - bucket.ids
    high = sum(high for high, _ in hashes) - bucket.high
    low = sum(low for _, low in hashes) - bucket.low
    if added == 0 and high == low == 0:
        return Resolution([])
    place = {pair: position for position, pair in enumerate(hashes)}
    if added == 1 and (high, low) in place:
        return Resolution([events[place[high, low]]])
    if added == MOST_RESOLVED:
        for position, (one, other) in enumerate(hashes):
            found = place.get((high - one, low - other))
            if found is not None and found != position:
                return Resolution([events[p] for p in sorted((position, found))])
    return Resolution(list(events), resolved=False)
