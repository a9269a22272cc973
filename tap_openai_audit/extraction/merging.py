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
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.bucket_encoding import ID_BYTES, size_of
from tap_openai_audit.extraction.buckets import Bucket
from tap_openai_audit.extraction.days import day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_EXACT_SHARE = 0.25
"""The part of the budget that the newest buckets keep to themselves, unmerged: most
late events are late by little."""


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
    parted = _Parted(sorted({*edges, *last_of_days.values()}), exact)
    newest = max(1, int(room * _EXACT_SHARE) // ID_BYTES)
    most = max(2, total * ID_BYTES // room // 2)
    while size > room and most < 4 * total:
        # The newest stay as they are until all others are as large as they may be.
        exact_from = buckets[-min(newest, len(buckets))].start
        if most > total:
            exact_from = buckets[-1].start + 1
        before = size
        buckets = list(_pass(buckets, most, size - room, parted, exact_from))
        size = size_of(buckets)
        if size == before:
            most *= 2
    return buckets


@dataclass(frozen=True)
class _Parted:
    """What stays apart."""

    edges: Sequence[int]
    """Seconds that no bucket may reach over, in order."""
    exact: int | None
    """A second whose ids stay as they are."""

    def parts(self, earlier: int, later: int) -> bool:
        """Tell whether buckets with these starts may not become one."""
        if day_of(earlier) != day_of(later):
            return True
        place = bisect_right(self.edges, earlier)
        return place < len(self.edges) and self.edges[place] <= later


def _pass(
    buckets: Sequence[Bucket],
    most: int,
    excess: int,
    parted: _Parted,
    exact_from: int,
) -> Iterator[Bucket]:
    """Merge neighbours up to a count, from the oldest on, until enough is saved.

    Args:
        buckets: In the order of time.
        most: The most ids of a merged bucket.
        excess: Bytes to save.
        parted: What stays apart.
        exact_from: From this second on nothing is merged.
    """
    current: Bucket | None = None
    for start, group in groupby(buckets, key=attrgetter("start")):
        ids = list(group)
        whole = reduce(Bucket.merged, ids)
        done = excess <= 0 or start >= exact_from or start == parted.exact
        if current is not None and (
            done or current.ids + whole.ids > most or parted.parts(current.start, start)
        ):
            yield current
            current = None
        if done or (current is None and whole.ids > most):
            yield from ids
            continue
        if current is not None:
            ids.insert(0, current)
            whole = current.merged(whole)
        current = whole
        excess -= size_of(ids) - size_of([current])
    if current is not None:
        yield current
