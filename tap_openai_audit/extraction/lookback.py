"""Which ids were emitted already, and their compact form in the state.

Each run looks again at the time before its bookmark, because events appear late. What
an earlier run emitted there must not be emitted again, so its ids travel in the state:
six bytes of a hash per id, grouped by the second of the event. Two ids can only be
confused within one second, which for a thousand events in the same second has a chance
of 4 in 10^12 per event.

Past its budget the oldest seconds are forgotten: their events will be emitted again,
which a primary key repairs, rather than be lost, which nothing repairs.
"""

from __future__ import annotations

import binascii
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_openai_audit.extraction.events import Event

_HASH_BYTES = 6
_GROWTH_IN_BASE64 = 3 / 4
_BLOCK = 256


def _hash(id_: str) -> bytes:
    return blake2b(id_.encode(), digest_size=_HASH_BYTES).digest()


class Lookback:
    """The ids emitted in the time that the next run will look at again."""

    def __init__(self) -> None:
        """Begin with no id."""
        self._hashes: dict[int, set[bytes]] = {}
        self._forgotten: dict[int, int] = {}

    def __contains__(self, event: Event) -> bool:
        """Whether an event was emitted, as far as is remembered."""
        hashes = self._hashes.get(event.effective_at)
        return hashes is not None and _hash(event.id) in hashes

    def __len__(self) -> int:
        """How many ids are remembered."""
        return sum(len(hashes) for hashes in self._hashes.values())

    def add(self, event: Event) -> None:
        """Remember an event."""
        self._hashes.setdefault(event.effective_at, set()).add(_hash(event.id))

    def trim(self, since: int, budget: int) -> int:
        """Forget what no run will look at again, and what is past the budget.

        Args:
            since: The earliest second, in Unix seconds, to be looked at again.
            budget: The most bytes that the encoded form may have.

        Returns:
            How many ids at or after `since` are forgotten by now.
        """
        for seconds in (self._hashes, self._forgotten):
            for second in [second for second in seconds if second < since]:
                del seconds[second]
        room = int(budget * _GROWTH_IN_BASE64) - 3
        # The newest seconds are kept: late events are the more likely the newer.
        for second in sorted(self._hashes, reverse=True):
            count = len(self._hashes[second])
            # The distance to the second before takes no more bytes than this.
            distance = len(_varint(_zigzag(second))) + 1
            room -= distance + len(_varint(count)) + _HASH_BYTES * count
            if room < 0:
                del self._hashes[second]
                self._forgotten[second] = self._forgotten.get(second, 0) + count
        return sum(self._forgotten.values())

    def encode(self) -> str:
        """The compact form: for each second its distance, its count, its hashes."""
        out, previous = bytearray(), 0
        for second in sorted(self._hashes):
            hashes = self._hashes[second]
            out += _varint(_zigzag(second - previous))
            out += _varint(len(hashes))
            for hash_ in sorted(hashes):
                out += hash_
            previous = second
        return b64encode(out).decode()

    @classmethod
    def decode(cls, text: str) -> Lookback:
        """Read the compact form.

        Raises:
            ValueError: If the text is not such a form.
        """
        try:
            data = b64decode(text, validate=True)
        except binascii.Error as error:
            raise ValueError("the ids are not base64") from error
        lookback, position, second = cls(), 0, 0
        try:
            while position < len(data):
                distance, position = _read_varint(data, position)
                count, position = _read_varint(data, position)
                second += _unzigzag(distance)
                end = position + count * _HASH_BYTES
                if end > len(data):
                    raise ValueError("the ids are cut off")
                lookback._hashes[second] = {
                    data[at : at + _HASH_BYTES]
                    for at in range(position, end, _HASH_BYTES)
                }
                position = end
        except IndexError as error:
            raise ValueError("the ids are cut off") from error
        return lookback


class EmittedInRun:
    """Every event of this run, so that a second pass does not emit it again.

    Eight bytes an event, in the order of time, in which passes emit.
    """

    def __init__(self) -> None:
        """Begin with no event."""
        self._hashes = array("q")
        self._seconds: list[int] = []
        """The second of the first event of each block of hashes."""

    def add(self, event: Event) -> None:
        """Remember an event. Events come in the order of time."""
        if len(self._hashes) % _BLOCK == 0:
            self._seconds.append(event.effective_at)
        self._hashes.append(hash(event.id))

    def __contains__(self, event: Event) -> bool:
        """Whether an event was emitted in this run."""
        first = max(bisect_left(self._seconds, event.effective_at) - 1, 0)
        last = bisect_right(self._seconds, event.effective_at)
        return hash(event.id) in self._hashes[first * _BLOCK : last * _BLOCK]


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


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte has its high bit clear
            return number, position
        shift += 7
