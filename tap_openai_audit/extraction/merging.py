"""How buckets are merged until they fit a budget.

Old ones are merged first, and no bucket reaches over midnight (UTC), so that the events
of a day can be counted. None becomes larger than it must, so that the events of one
that has to be emitted again are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.bucket_encoding import ID_BYTES, size_of
from tap_openai_audit.extraction.buckets import Bucket

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DAY = 86_400  # seconds
_EXACT_SHARE = 0.25
"""The part of the budget that the newest buckets keep to themselves, unmerged: most
late events are late by little."""


def merged(
    buckets: Sequence[Bucket], room: int, edges: Sequence[int], exact: int | None
) -> Sequence[Bucket]:
    """Merge neighbours until so many bytes are enough.

    Args:
        buckets: In the order of time.
        room: Bytes that their encoded form may have.
        edges: Seconds that no bucket may reach over.
        exact: A second whose ids stay as they are.
    """
    size, total = size_of(buckets), sum(bucket.ids for bucket in buckets)
    if size <= room:
        return buckets
    newest = max(1, int(room * _EXACT_SHARE) // ID_BYTES)
    most = max(2, total * ID_BYTES // room // 2)
    while size > room and most < 4 * total:
        # The newest stay as they are until all others are as large as they may be.
        exact_from = buckets[-min(newest, len(buckets))].start
        if most > total:
            exact_from = buckets[-1].start + 1
        before = size
        kept = _Kept(edges, exact, exact_from)
        buckets = list(_pass(buckets, most, size - room, kept))
        size = size_of(buckets)
        if size == before:
            most *= 2
    if size > room:
        # Many days with few events each: dates that no clock has shown.
        kept = _Kept(edges, exact, None)
        buckets = list(_pass(buckets, total, size - room, kept))
    return buckets


@dataclass(frozen=True)
class _Kept:
    """What a pass leaves apart."""

    edges: Sequence[int]
    """Seconds that no bucket may reach over."""
    exact: int | None
    """A second whose ids stay as they are."""
    exact_from: int | None
    """From this second on nothing is merged. None also lets buckets reach over
    midnight."""

    def stays(self, start: int) -> bool:
        """Tell whether the ids of a second stay as they are."""
        newest = self.exact_from is not None and start >= self.exact_from
        return newest or start == self.exact

    def parts(self, earlier: int, later: int) -> bool:
        """Tell whether buckets with these starts may not become one."""
        midnight = self.exact_from is not None and earlier // _DAY != later // _DAY
        return midnight or any(earlier < edge <= later for edge in self.edges)


def _pass(
    buckets: Sequence[Bucket], most: int, excess: int, kept: _Kept
) -> Iterator[Bucket]:
    """Merge neighbours up to a count, from the oldest on, until enough is saved.

    Args:
        buckets: In the order of time.
        most: The most ids of a merged bucket.
        excess: Bytes to save.
        kept: What stays apart.
    """
    current: Bucket | None = None
    for start, group in groupby(buckets, key=attrgetter("start")):
        ids = list(group)
        whole = reduce(Bucket.merged, ids)
        done = excess <= 0 or kept.stays(start)
        if current is not None and (
            done or current.ids + whole.ids > most or kept.parts(current.start, start)
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
