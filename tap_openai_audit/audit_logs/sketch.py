"""What is known of the time before the bookmark, in a few kilobytes.

Each run looks again at the time before its bookmark, because events appear late, and
must not emit again what an earlier run emitted. A sketch tells the two apart. It is a
sorted list of `buckets`, each of which says how many ids are known of its time, and the
sums of two halves of their hashes. Over budget neighbours are merged (`merging`):
counts and sums add up, nothing is forgotten.

A bucket's time begins with its first event and ends where the next bucket of its day
begins. The last one of a day holds nothing but its first second.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import reduce
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.bucket_encoding import decode, encode, room_in
from tap_openai_audit.audit_logs.buckets import Bucket, bucket_of
from tap_openai_audit.audit_logs.days import day_of
from tap_openai_audit.audit_logs.merging import merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_openai_audit.audit_logs.events import Event


class Sketch:
    """The ids known from some second on, as far as a state can hold them."""

    def __init__(self, buckets: Iterable[Bucket] = ()) -> None:
        """Take buckets in the order of time. Of several with one start, each is an id.

        Those of several seconds are never the last of their day.
        """
        self.buckets = tuple(buckets)

    @classmethod
    def of(cls, buckets: Iterable[Bucket]) -> Sketch:
        """Make a sketch of buckets in any order, some ids of which may come twice."""
        ids: dict[tuple[int, int, int, int], Bucket] = {}
        for bucket in buckets:
            known = ids.get(bucket[:4])
            if known is None or bucket.inexact:
                ids[bucket[:4]] = bucket
        found = []
        for _, group in groupby(sorted(ids.values()), key=attrgetter("start")):
            same = list(group)
            if any(bucket.ids > 1 for bucket in same):
                same = [reduce(Bucket.merged, same)]
            found += same
        return cls(found)

    def __eq__(self, other: object) -> bool:
        """Tell whether two sketches say the same."""
        return isinstance(other, Sketch) and self.buckets == other.buckets

    def __hash__(self) -> int:
        """Return the same number for sketches that say the same."""
        return hash(self.buckets)

    def __len__(self) -> int:
        """Return how many ids it was made of."""
        return sum(bucket.ids for bucket in self.buckets)

    def __contains__(self, event: Event) -> bool:
        """Tell whether an event has a bucket of its own: what is merged is not told."""
        first = bisect_left(self.buckets, (event.effective_at,))
        last = bisect_left(self.buckets, (event.effective_at + 1,), first)
        if first == last:
            return False
        wanted = bucket_of(event)[:4]
        return any(bucket[:4] == wanted for bucket in self.buckets[first:last])

    def start_of_reading(self, second: int) -> int:
        """Return where to begin in order to read from a second on.

        A merged bucket can only be resolved when all its time is read.
        """
        place = bisect_right(self.buckets, second, key=attrgetter("start")) - 1
        if place < 0:
            return second
        bucket = self.buckets[place]
        if bucket.ids == 1 or second >= self._end_of(place):
            return second
        return bucket.start

    def _end_of(self, place: int) -> int:
        """Return the second after a bucket's time."""
        start = self.buckets[place].start
        if place + 1 < len(self.buckets):
            following = self.buckets[place + 1].start
            if day_of(following) == day_of(start):
                return following
        return start + 1

    def groups(self, since: int) -> list[tuple[int, int, tuple[Bucket, ...]]]:
        """Return start, end and buckets of each bucket's time from a second on.

        Args:
            since: A second that no merged bucket reaches over.
        """
        first = bisect_left(self.buckets, since, key=attrgetter("start"))
        found = groupby(self.buckets[first:], key=attrgetter("start"))
        grouped = [(start, tuple(buckets)) for start, buckets in found]
        followed = pairwise([*grouped, (None, ())])
        return [
            (
                start,
                following
                if following is not None and day_of(following) == day_of(start)
                else start + 1,
                buckets,
            )
            for (start, buckets), (following, _) in followed
            if start is not None
        ]

    def cut(self, second: int) -> tuple[Sequence[Bucket], Sequence[Bucket]]:
        """Return the buckets before a second, and those from it on.

        A bucket that reaches over it belongs to the latter.
        """
        begin = self.start_of_reading(second)
        first = bisect_left(self.buckets, begin, key=attrgetter("start"))
        return self.buckets[:first], self.buckets[first:]

    def fitted(
        self,
        budget: int,
        *,
        edges: Sequence[int] = (),
        exact: int | None = None,
    ) -> Sketch:
        """Merge until the encoded form fits, as far as that goes.

        A day with events takes some thirty characters, and one more for each edge.

        Args:
            budget: The most characters that the encoded form may have.
            edges: Seconds that no bucket may reach over, such as that where the next
                run begins to read.
            exact: A second whose ids stay as they are.
        """
        return Sketch(merged(self.buckets, room_in(budget), edges, exact))

    def encode(self) -> str:
        """Return the form in which it is kept."""
        return encode(self.buckets)

    @classmethod
    def decode(cls, text: str) -> Sketch:
        """Read the form in which it is kept.

        Raises:
            ValueError: If the text is not such a form.
        """
        return cls(decode(text))
