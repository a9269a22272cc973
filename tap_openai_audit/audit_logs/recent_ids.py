"""Recent ids: the second and a hash of each of the newest events, one by one."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.cells import HASH_BYTES
from tap_openai_audit.varints import VarintReader, unzigzag, varint, zigzag
from tap_openai_audit.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from collections.abc import Set as AbstractSet

_NONE: frozenset[int] = frozenset()


class RecentIds:
    """Hashes of ids by the second of their events."""

    def __init__(self, hashes: Mapping[int, Collection[int]] | None = None) -> None:
        """Take hashes by second."""
        self._hashes = {second: {*own} for second, own in (hashes or {}).items()}

    def __eq__(self, other: object) -> bool:
        """Tell whether two hold the same."""
        return isinstance(other, RecentIds) and self._hashes == other._hashes

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(map(len, self._hashes.values()))

    def copy(self) -> RecentIds:
        """Return ids that change apart from these."""
        return RecentIds(self._hashes)

    def at(self, second: int) -> AbstractSet[int]:
        """Return the hashes of a second."""
        return self._hashes.get(second, _NONE)

    def add(self, second: int, hash_: int) -> None:
        """Remember an event."""
        self._hashes.setdefault(second, set()).add(hash_)

    @property
    def seconds(self) -> list[int]:
        """The seconds of which there are any, in order."""
        return sorted(self._hashes)

    def newest_first(self, before: int) -> Iterator[tuple[int, int]]:
        """Yield seconds before a second, the newest first, and how many each has."""
        for second in reversed(self.seconds):
            if second < before:
                yield second, len(self._hashes[second])

    def take_before(self, second: int) -> dict[int, set[int]]:
        """Remove what lies before a second, and return it."""
        old = [own for own in self._hashes if own < second]
        return {own: self._hashes.pop(own) for own in old}

    def encode(self) -> str:
        """Return the form in which they are kept: base64 of integers.

        For each second, the oldest first: its distance to the one before, of the first
        from 1970 and signed by zigzag; how many ids it has, both of variable length;
        the eight bytes of each hash.
        """
        out, previous = bytearray(), None
        for second in self.seconds:
            own = sorted(self._hashes[second])
            out += varint(zigzag(second) if previous is None else second - previous)
            out += varint(len(own))
            for hash_ in own:
                out += hash_.to_bytes(HASH_BYTES, "big")
            previous = second
        return b64encode(out).decode()

    @classmethod
    def decode(cls, text: str) -> RecentIds:
        """Read the form in which they are kept.

        Raises:
            ValueError: If the text is not such a form.
        """
        data, hashes, second = VarintReader(text), dict[int, set[int]](), None
        while not data.at_end:
            distance = data.varint()
            if second is not None and not distance:
                raise ValueError("a second twice")
            second = unzigzag(distance) if second is None else second + distance
            count = data.varint()
            if not count or not BEGINNING <= second < END:
                raise ValueError("a second that no event has")
            if count * HASH_BYTES > data.left:
                raise ValueError("it is cut off")
            own = {data.fixed(HASH_BYTES) for _ in range(count)}
            if len(own) != count:
                raise ValueError("an id twice")
            hashes[second] = own
        return cls(hashes)
