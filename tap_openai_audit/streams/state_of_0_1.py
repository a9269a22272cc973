"""The ids in a state of version 0.1.0: six bytes of a BLAKE2 hash each, by second.

They cannot be turned into the hashes of the sketch, so they are kept as they are until
the time that they are of was read again.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_openai_audit.extraction.events import Event

_HASH_BYTES = 6


@dataclass(frozen=True)
class IdsOf01:
    """Ids that were emitted, by the second of their event."""

    hashes: Mapping[int, frozenset[bytes]]

    def __contains__(self, event: Event) -> bool:
        """Tell whether an event was emitted."""
        hashes = self.hashes.get(event.effective_at)
        if hashes is None:
            return False
        return blake2b(event.id.encode(), digest_size=_HASH_BYTES).digest() in hashes


def ids_of_0_1(text: str) -> IdsOf01:
    """Read ids: of each second the distance to the one before, the count, the hashes.

    Raises:
        ValueError: If the text holds something else.
    """
    try:
        data = b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("the ids are not base64") from error
    hashes: dict[int, frozenset[bytes]] = {}
    position = second = 0
    try:
        while position < len(data):
            distance, position = _varint(data, position)
            count, position = _varint(data, position)
            # Zigzag: an odd number stands for a negative one.
            second += -(distance >> 1) - 1 if distance & 1 else distance >> 1
            end = position + count * _HASH_BYTES
            if end > len(data):
                raise ValueError("the ids are cut off")
            hashes[second] = frozenset(
                data[at : at + _HASH_BYTES] for at in range(position, end, _HASH_BYTES)
            )
            position = end
    except IndexError as error:
        raise ValueError("the ids are cut off") from error
    return IdsOf01(hashes)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte has its high bit clear
            return number, position
        shift += 7
