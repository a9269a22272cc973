"""The form in which buckets are kept: base64 of integers of variable length.

The second after the last event; then, from the newest bucket to the oldest, the
distance between its start and the start after it, twice its count, plus one if it is
inexact, and its sums, which have a fixed length where the bucket is a single id.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.buckets import HALF_BYTES, Bucket
from tap_openai_audit.extraction.varints import (
    ByteReader,
    unzigzag,
    varint,
    zigzag,
)
from tap_openai_audit.extraction.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Sequence

ID_BYTES = 2 * HALF_BYTES + 3
"""Of a bucket of one: its hash, its count, and a distance of up to four hours."""

_LONGEST_DISTANCE = 6  # bytes, of ten thousand years
_PADDING = 3  # bytes of base64


def room_in(characters: int) -> int:
    """Return how many bytes of buckets fit so many characters, the end left out."""
    return characters * 3 // 4 - _LONGEST_DISTANCE - _PADDING


def encode(buckets: Sequence[Bucket], end: int) -> str:
    """Encode buckets that are in the order of time, and the second after them."""
    out, previous = bytearray(varint(zigzag(end))), end
    for bucket in reversed(buckets):
        out += _encoded(bucket, previous)
        previous = bucket.start
    return b64encode(out).decode()


def decode(text: str) -> tuple[list[Bucket], int]:
    """Decode buckets, and the second after them.

    Raises:
        ValueError: If the text is not such a form.
    """
    data = ByteReader(b64decode(text, validate=True))
    end = previous = unzigzag(data.varint())
    buckets = []
    while not data.at_end:
        previous -= data.varint()
        ids, inexact = divmod(data.varint(), 2)
        if not ids:
            raise ValueError("a bucket without an id")
        high, low = (
            (_half(data.take(HALF_BYTES)), _half(data.take(HALF_BYTES)))
            if ids == 1
            else (data.varint(), data.varint())
        )
        buckets.append(Bucket(previous, ids, high, low, bool(inexact)))
    buckets.reverse()
    if not (previous >= BEGINNING and end <= END):
        raise ValueError("a time that no event has")
    for earlier, later in pairwise(buckets):
        if earlier.start == later.start and max(earlier.ids, later.ids) > 1:
            raise ValueError("two buckets of one time")
    return buckets, end


def size_of(buckets: Sequence[Bucket]) -> int:
    """Return how many bytes the encoded form of buckets takes without the end."""
    size = sum(
        2 * HALF_BYTES + 1
        if count == 1
        else _length(2 * count + 1) + _length(high) + _length(low)
        for _, count, high, low, _ in buckets
    )
    distances = (later[0] - earlier[0] for earlier, later in pairwise(buckets))
    return size + sum(map(_length, distances)) + _LONGEST_DISTANCE


def _half(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _length(number: int) -> int:
    """Return how many bytes an integer of variable length takes."""
    return (number.bit_length() + 6) // 7 or 1


def _encoded(bucket: Bucket, following: int) -> bytes:
    start, count, high, low, inexact = bucket
    sums = (
        high.to_bytes(HALF_BYTES, "big") + low.to_bytes(HALF_BYTES, "big")
        if count == 1
        else varint(high) + varint(low)
    )
    return varint(following - start) + varint(2 * count + inexact) + sums
