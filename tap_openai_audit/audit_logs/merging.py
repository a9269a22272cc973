"""How buckets are merged until they fit a budget.

Old ones are merged first, and none becomes larger than it must, so that the events of
one that has to be emitted again are few. The events of a day must remain countable, so
no bucket reaches over midnight (UTC), and the last second of each day stays apart: it
tells when the newest event of that day was.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.bucket_encoding import ID_BYTES, size_of
from tap_openai_audit.audit_logs.buckets import Bucket
from tap_openai_audit.audit_logs.days import DAY, day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_EXACT_SHARE = 0.25
"""The part of the budget that the newest buckets keep to themselves, unmerged: most
late events are late by little."""

_FIRST_SAVED = 4
"""Bytes that are saved, about, where two ids become one bucket: its sums are longer."""


def merged(
    buckets: Sequence[Bucket], room: int, edges: Iterable[int], exact: int | None
) -> Sequence[Bucket]:
    """Merge neighbours until so many bytes are enough, as far as that goes.

    Args:
        buckets: In the order of time.
        room: Bytes that their encoded form may have.
        edges: Seconds that no bucket may reach over.
        exact: A second whose ids stay as they are.
    """
    size, total = size_of(buckets), sum(bucket.ids for bucket in buckets)
    if size <= room:
        return buckets
    last_of_days = {day_of(bucket.start): bucket.start for bucket in buckets}
    kept = _Kept(sorted({*edges, *last_of_days.values()}), exact)
    newest = max(1, int(room * _EXACT_SHARE) // ID_BYTES)
    most = max(2, total * ID_BYTES // room // 2)
    while size > room and most < 4 * total:
        # The newest stay as they are until all others are as large as they may be.
        exact_from = buckets[-min(newest, len(buckets))].start
        if most > total:
            exact_from = buckets[-1].start + 1
        buckets, left = _pass(buckets, most, size - room, kept, exact_from)
        size = size_of(buckets)
        if left > 0:
            most *= 2
    return buckets


@dataclass(frozen=True)
class _Kept:
    """What stays apart."""

    edges: Sequence[int]
    """Seconds that no bucket may reach over, in order."""
    exact: int | None
    """A second whose ids stay as they are."""

    def end_of(self, start: int) -> int:
        """Return up to where a bucket may reach that begins here."""
        place = bisect_right(self.edges, start)
        midnight = (day_of(start) + 1) * DAY
        return min(midnight, self.edges[place]) if place < len(self.edges) else midnight


def _pass(
    buckets: Sequence[Bucket], most: int, excess: int, kept: _Kept, exact_from: int
) -> tuple[list[Bucket], int]:
    """Merge neighbours up to a count, from the oldest on, until enough is saved.

    It runs at every checkpoint, over all that is known.

    Args:
        buckets: In the order of time.
        most: The most ids of a merged bucket.
        excess: Bytes to save, about.
        kept: What stays apart.
        exact_from: From this second on nothing is merged.

    Returns:
        The buckets, and how many bytes are still to be saved, about.
    """
    found: list[Bucket] = []
    current, end, place = None, 0, 0
    while place < len(buckets) and excess > 0:
        start = buckets[place].start
        if start >= exact_from:
            break
        following = place + 1
        while following < len(buckets) and buckets[following].start == start:
            following += 1
        ids = buckets[place:following]
        place = following
        whole = ids[0] if len(ids) == 1 else reduce(Bucket.merged, ids)
        apart = start == kept.exact
        if current is not None:
            if not apart and start < end and current.ids + whole.ids <= most:
                excess -= len(ids) * ID_BYTES if current.ids > 1 else _FIRST_SAVED
                current = current.merged(whole)
                continue
            found.append(current)
            current = None
        if apart or whole.ids > most:
            found += ids
        else:
            excess -= (len(ids) - 1) * ID_BYTES
            current, end = whole, kept.end_of(start)
    if current is not None:
        found.append(current)
    return [*found, *buckets[place:]], excess
