"""What is known of the time before the bookmark, in a few kilobytes.

Each run looks again at the time before its bookmark, because events appear late, and
must not emit again what an earlier run emitted. A sketch tells the two apart. It is a
sorted list of buckets, each of which says how many ids were emitted in its time, and
the sums of two halves of their hashes:

- a bucket of one is an id;
- over budget, neighbours are merged: counts and sums add up, nothing is forgotten. Old
  ones are merged first, and no bucket reaches over midnight (UTC), so that the events
  of a day can be counted;
- when a bucket's time has been read again and count and sums are the same, nothing in
  it is new. If they differ by one event or by two, the difference is the hash of the
  new event, or the sum of the hashes of a pair of them, which is found by look-up.
  Otherwise the bucket cannot be resolved: all its events are emitted again, which a
  primary key repairs, rather than one be lost, which nothing repairs.

A bucket's time begins with its first event and ends where the next bucket begins.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import reduce
from hashlib import md5
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_openai_audit.extraction.events import Event

_DAY = 86_400  # seconds
_HALF = 4  # bytes of each half of a hash
_ID_BYTES = 2 * _HALF + 3  # of a bucket of one: its hash, its count, a distance
_LONGEST_DISTANCE = 6  # bytes, of ten thousand years
MOST_RESOLVED = 2
"""New events of a bucket that are found by the difference of its sums. Three would take
a search through all pairs."""

_EXACT_SHARE = 0.25
"""The part of the budget that the newest buckets keep to themselves, unmerged: most
late events are late by little."""


class Bucket(NamedTuple):
    """Some ids that were emitted, in the order of time."""

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

    def merged(self, later: Bucket) -> Bucket:
        """Return one bucket for this one and its neighbour."""
        return Bucket(
            self.start,
            self.ids + later.ids,
            self.high + later.high,
            self.low + later.low,
            self.inexact or later.inexact,
        )


def bucket_of(event: Event) -> Bucket:
    """Return the bucket that holds one event."""
    digest = md5(event.id.encode(), usedforsecurity=False).digest()
    return Bucket(
        event.effective_at,
        1,
        int.from_bytes(digest[:_HALF], "big"),
        int.from_bytes(digest[_HALF : 2 * _HALF], "big"),
    )


@dataclass(frozen=True)
class Resolution:
    """What the events of a bucket's time are, now that they were read again."""

    new: list[Event]
    """Those to be emitted."""
    resolved: bool = True
    """False if the known ones among them cannot be told: then all count as new."""


def resolve(known: Sequence[Bucket], events: Sequence[Event]) -> Resolution:
    """Tell which events were not emitted before.

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


class Sketch:
    """The ids emitted from some second on, as far as a state can hold them."""

    def __init__(self, buckets: Iterable[Bucket] = (), end: int | None = None) -> None:
        """Take buckets.

        Args:
            buckets: In the order of time. Of several with one start, each is an id.
            end: The second after the last event in them, by default after the start of
                the last bucket.
        """
        self.buckets = tuple(buckets)
        last = self.buckets[-1].start + 1 if self.buckets else 0
        self.end = last if end is None else end

    @classmethod
    def of(cls, buckets: Iterable[Bucket], end: int) -> Sketch:
        """Make a sketch of buckets in any order, some of which may come twice."""
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
        return cls(found, end)

    def __eq__(self, other: object) -> bool:
        """Tell whether two sketches say the same."""
        return isinstance(other, Sketch) and (self.buckets, self.end) == (
            other.buckets,
            other.end,
        )

    def __hash__(self) -> int:
        """Return the same number for sketches that say the same."""
        return hash((self.buckets, self.end))

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
        if place < 0 or second >= self.end:
            return second
        bucket = self.buckets[place]
        return second if bucket.ids == 1 else bucket.start

    def groups(self, since: int) -> list[tuple[int, int, tuple[Bucket, ...]]]:
        """Return start, end and buckets of each bucket's time from a second on.

        Args:
            since: A second that no merged bucket reaches over.
        """
        first = bisect_left(self.buckets, since, key=attrgetter("start"))
        found = groupby(self.buckets[first:], key=attrgetter("start"))
        grouped = [(start, tuple(buckets)) for start, buckets in found]
        starts = [*(start for start, _ in grouped), self.end]
        return [
            (start, end, buckets)
            for (start, buckets), (_, end) in zip(
                grouped, pairwise(starts), strict=True
            )
        ]

    def since(self, second: int) -> Sketch:
        """Return what is known from a second on, or from the start of its bucket."""
        first = bisect_left(
            self.buckets, self.start_of_reading(second), key=attrgetter("start")
        )
        return Sketch(self.buckets[first:], self.end)

    def fitted(
        self,
        budget: int,
        *,
        edges: Sequence[int] = (),
        exact: int | None = None,
    ) -> Sketch:
        """Merge until the encoded form fits.

        Args:
            budget: The most characters that the encoded form may have.
            edges: Seconds that no bucket may reach over, such as that where the next
                run begins to read.
            exact: A second whose ids stay as they are.
        """
        room = budget * 3 // 4 - _LONGEST_DISTANCE - 3  # base64, the end, the padding
        return Sketch(_fitted(self.buckets, room, edges, exact), self.end)

    def encode(self) -> str:
        """Return the form in which it is kept: base64 of integers of variable length.

        The end; then of each bucket the distance to the start before, twice its count,
        plus one if it is inexact, and its sums.
        """
        out, previous = bytearray(_varint(_zigzag(self.end))), self.end
        for bucket in reversed(self.buckets):
            out += _encoded(bucket, previous)
            previous = bucket.start
        return b64encode(out).decode()

    @classmethod
    def decode(cls, text: str) -> Sketch:
        """Read the form in which it is kept.

        Raises:
            ValueError: If the text is not such a form.
        """
        data = _Reader(b64decode(text, validate=True))
        end = previous = _unzigzag(data.varint())
        buckets = []
        while not data.at_end:
            previous -= data.varint()
            count, inexact = divmod(data.varint(), 2)
            if count == 1:
                sums = data.fixed(), data.fixed()
            else:
                sums = data.varint(), data.varint()
            if not count:
                raise ValueError("a bucket without an id")
            buckets.append(Bucket(previous, count, *sums, bool(inexact)))
        buckets.reverse()
        for earlier, later in pairwise(buckets):
            if earlier.start == later.start and earlier.ids + later.ids > 2:  # noqa: PLR2004 - two ids
                raise ValueError("two buckets of one time")
        return cls(buckets, end)


def _fitted(
    buckets: Sequence[Bucket], room: int, edges: Sequence[int], exact: int | None
) -> Sequence[Bucket]:
    """Merge neighbours, old ones first, until so many bytes are enough.

    No bucket becomes larger than it must, so that the events of one that has to be
    emitted again are few.
    """
    size, total = _size(buckets), sum(bucket.ids for bucket in buckets)
    if size <= room:
        return buckets
    newest = max(1, int(room * _EXACT_SHARE) // _ID_BYTES)
    most = max(2, total * _ID_BYTES // room // 2)
    while size > room and most < 4 * total:
        # The newest stay as they are until all others are as large as they may be.
        exact_from = buckets[-min(newest, len(buckets))].start
        if most > total:
            exact_from = buckets[-1].start + 1
        before = size
        kept = _Kept(edges, exact, exact_from)
        buckets = list(_pass(buckets, most, size - room, kept))
        size = _size(buckets)
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
        excess -= _size(ids) - _size([current])
    if current is not None:
        yield current


def _size(buckets: Sequence[Bucket]) -> int:
    """Return how many bytes the encoded form of buckets takes without the end."""
    size = sum(
        2 * _HALF + 1
        if count == 1
        else _length(2 * count + 1) + _length(high) + _length(low)
        for _, count, high, low, _ in buckets
    )
    distances = (later[0] - earlier[0] for earlier, later in pairwise(buckets))
    return size + sum(map(_length, distances)) + _LONGEST_DISTANCE


def _length(number: int) -> int:
    """Return how many bytes an integer of variable length takes."""
    return (number.bit_length() + 6) // 7 or 1


def _encoded(bucket: Bucket, following: int) -> bytes:
    start, count, high, low, inexact = bucket
    sums = (
        high.to_bytes(_HALF, "big") + low.to_bytes(_HALF, "big")
        if count == 1
        else _varint(high) + _varint(low)
    )
    return _varint(following - start) + _varint(2 * count + inexact) + sums


class _Reader:
    """Reads integers one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def at_end(self) -> bool:
        return self._position == len(self._data)

    def fixed(self) -> int:
        end = self._position + _HALF
        if end > len(self._data):
            raise ValueError("the sketch is cut off")
        number = int.from_bytes(self._data[self._position : end], "big")
        self._position = end
        return number

    def varint(self) -> int:
        number = shift = 0
        while self._position < len(self._data):
            byte = self._data[self._position]
            self._position += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte has its high bit clear
                return number
            shift += 7
        raise ValueError("the sketch is cut off")


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _unzigzag(number: int) -> int:
    return -(number >> 1) - 1 if number & 1 else number >> 1


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
