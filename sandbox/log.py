"""An audit log in memory: events as ready JSON, found by time, cursor and label."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

from sandbox.selection import Entry, Found, Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TIE_BITS = 31
_TIES = 1 << _TIE_BITS
_FARTHEST = 1 << 31
_LOWEST, _HIGHEST = -(1 << 62), 1 << 62
_MIX = 0x9E3779B97F4A7C15
_MIX_MASK = (1 << 64) - 1


@dataclass
class EventLog:
    """Events of one scope, sorted by time.

    An event's key is its time and a tie-breaker in one integer, so that a range is
    two bisections and a cursor is one look-up and one bisection.
    """

    _keys: array[int] = field(default_factory=lambda: array("q"))
    _ids: list[str] = field(default_factory=list)
    _bodies: list[bytes] = field(default_factory=list)
    _key_of: dict[str, int] = field(default_factory=dict)
    _postings: dict[str, array[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self._keys)

    def __contains__(self, event_id: object) -> bool:
        """Tell whether an event of this id is in the log."""
        return event_id in self._key_of

    def entries(self) -> Iterator[tuple[str, int]]:
        """Return id and time of each event, oldest first."""
        return zip(self._ids, (key >> _TIE_BITS for key in self._keys), strict=True)

    def unload(self) -> Iterator[tuple[Entry, int]]:
        """Return every event and its tie-breaker, oldest first."""
        labels: dict[int, list[str]] = {}
        for label, keys in self._postings.items():
            for key in keys:
                labels.setdefault(key, []).append(label)
        for key, event_id, body in zip(
            self._keys, self._ids, self._bodies, strict=True
        ):
            found = tuple(labels.get(key, ()))
            yield Entry(key >> _TIE_BITS, event_id, body, found), key % _TIES

    def load(self, entries: Iterable[Entry], count: int) -> None:
        """Add up to `count` entries that are sorted by time, to an empty log."""
        stride = _TIES // (count + 1)
        keys, ids, bodies = self._keys, self._ids, self._bodies
        key_of, postings = self._key_of, self._postings
        tie = 0
        for at, event_id, body, labels in entries:
            key = (at << _TIE_BITS) + tie
            tie += stride
            keys.append(key)
            ids.append(event_id)
            bodies.append(body)
            key_of[event_id] = key
            for label in labels:
                posting = postings.get(label)
                if posting is None:
                    posting = postings[label] = array("q")
                posting.append(key)

    def add(self, entry: Entry, tie: int) -> None:
        """Add one entry where its time puts it.

        Args:
            entry: The event.
            tie: Decides its place among events of the same second.
        """
        at = max(-_FARTHEST, min(_FARTHEST - 1, entry.at))
        key = (at << _TIE_BITS) + tie % _TIES
        position = bisect_left(self._keys, key)
        while position < len(self._keys) and self._keys[position] == key:
            key += 1
            position += 1
        self._keys.insert(position, key)
        self._ids.insert(position, entry.id)
        self._bodies.insert(position, entry.body)
        # Of two events with one id the older is the cursor: a reader then gets past it.
        self._key_of[entry.id] = min(key, self._key_of.get(entry.id, key))
        for label in entry.labels:
            posting = self._postings.setdefault(label, array("q"))
            posting.insert(bisect_left(posting, key), key)

    def find(self, selection: Selection) -> Found:
        """Return one page.

        Raises:
            KeyError: A cursor is not the id of an event in this log.
        """
        low = _LOWEST if selection.since is None else selection.since << _TIE_BITS
        high = _HIGHEST if selection.until is None else selection.until << _TIE_BITS
        after = None if selection.after is None else self._key_of[selection.after]
        before = None if selection.before is None else self._key_of[selection.before]
        backwards = before is not None and after is None
        if selection.order == "shuffled":
            chosen = self._shuffled(selection, low, high, after, before)
            if backwards:
                chosen.reverse()
        else:
            newest_first = selection.order == "newest_first"
            if not newest_first:
                after, before = before, after
            if after is not None:
                high = min(high, after)
            if before is not None:
                low = max(low, before + 1)
            from_top = newest_first != backwards
            if not selection.labels:
                return self._slice(
                    low, high, selection.limit, from_top=from_top, newest=newest_first
                )
            candidates = self._labelled(selection.labels, low, high, from_top=from_top)
            chosen = list(islice(candidates, selection.limit + 1))
        page = chosen[: selection.limit]
        if backwards:
            page.reverse()
        places = [bisect_left(self._keys, key) for key in page]
        return Found(
            [self._ids[place] for place in places],
            [self._bodies[place] for place in places],
            len(chosen) > selection.limit,
        )

    def _slice(
        self, low: int, high: int, limit: int, *, from_top: bool, newest: bool
    ) -> Found:
        first, end = bisect_left(self._keys, low), bisect_left(self._keys, high)
        end = max(first, end)
        has_more = end - first > limit
        if from_top:
            first = max(first, end - limit)
        else:
            end = min(end, first + limit)
        ids, bodies = self._ids[first:end], self._bodies[first:end]
        if newest:
            ids.reverse()
            bodies.reverse()
        return Found(ids, bodies, has_more)

    def _labelled(
        self,
        labels: Sequence[tuple[str, ...]],
        low: int,
        high: int,
        *,
        from_top: bool,
    ) -> Iterator[int]:
        """Return the keys in the range that have one label of each filter."""
        groups = [
            [self._postings[label] for label in set(group) if label in self._postings]
            for group in labels
        ]
        groups.sort(key=lambda group: sum(map(len, group)))
        driver, *others = groups
        slices = [
            posting[bisect_left(posting, low) : bisect_left(posting, high)]
            for posting in driver
        ]
        merged = (
            heapq.merge(*map(reversed, slices), reverse=True)
            if from_top
            else heapq.merge(*slices)
        )
        last = None
        for key in merged:
            if key != last and all(_in_any(group, key) for group in others):
                yield key
            last = key

    def _shuffled(
        self,
        selection: Selection,
        low: int,
        high: int,
        after: int | None,
        before: int | None,
    ) -> list[int]:
        """Return the keys in the range in an order that has nothing to do with time."""
        keys: Iterable[int]
        if selection.labels:
            keys = self._labelled(selection.labels, low, high, from_top=False)
        else:
            first, end = bisect_left(self._keys, low), bisect_left(self._keys, high)
            keys = self._keys[first:end]
        mixed = sorted(chain((_mix(key), key) for key in keys))
        start = 0 if after is None else bisect_right(mixed, (_mix(after), after))
        stop = len(mixed)
        if before is not None:
            stop = bisect_left(mixed, (_mix(before), before))
        return [key for _, key in mixed[start:stop]]


def _in_any(group: list[array[int]], key: int) -> bool:
    for posting in group:
        position = bisect_left(posting, key)
        if position < len(posting) and posting[position] == key:
            return True
    return False


def _mix(key: int) -> int:
    return (key * _MIX & _MIX_MASK) >> 16
