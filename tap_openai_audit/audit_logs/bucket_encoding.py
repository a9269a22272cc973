"""The form in which buckets are kept: base64 of integers of variable length.

The start of the newest bucket; then, from the newest to the oldest, the distance
between its start and the start after it, four times its count, plus one if it is
inexact and two if some of it was left out, and its sums, which have a fixed length
where the bucket is a single id. Of a larger one, how many were left out and their sum
follow, if there are any.
"""

from __future__ import annotations

from base64 import b64encode
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.buckets import HALF_BYTES, Bucket
from tap_openai_audit.varints import (
    VarintReader,
    length_of,
    unzigzag,
    varint,
    zigzag,
)
from tap_openai_audit.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Sequence

ID_BYTES = 2 * HALF_BYTES + 3
"""Of a bucket of one: its hash, its count, and a distance of up to four hours."""

_LONGEST_DISTANCE = 6  # bytes, of ten thousand years
_PADDING = 3  # bytes of base64


def room_in(characters: int) -> int:
    """Return how many bytes of buckets fit so many characters."""
    return characters * 3 // 4 - _LONGEST_DISTANCE - _PADDING


def encode(buckets: Sequence[Bucket]) -> str:
    """Encode buckets that are in the order of time."""
    if not buckets:
        return ""
    previous = buckets[-1].start
    out = bytearray(varint(zigzag(previous)))
    for bucket in reversed(buckets):
        out += _encoded(bucket, previous)
        previous = bucket.start
    return b64encode(out).decode()


def decode(text: str) -> list[Bucket]:
    """Decode buckets.

    Raises:
        ValueError: If the text is not such a form.
    """
    if not text:
        return []
    data = VarintReader(text)
    newest = previous = unzigzag(data.varint())
    buckets: list[Bucket] = []
    while not data.at_end:
        previous -= data.varint()
        buckets.append(_decoded(data, previous))
    buckets.reverse()
    if not (previous >= BEGINNING and newest < END):
        raise ValueError("a time that no event has")
    for earlier, later in pairwise(buckets):
        if earlier.start == later.start and max(earlier.ids, later.ids) > 1:
            raise ValueError("two buckets of one time")
    return buckets


def size_of(buckets: Sequence[Bucket]) -> int:
    """Return how many bytes the encoded form of buckets takes."""
    if not buckets:
        return 0
    size, previous = _LONGEST_DISTANCE, buckets[0].start
    for start, ids, high, low, _, left_out, left_out_high in buckets:
        distance = start - previous
        previous = start
        size += 1 if distance < 0x80 else length_of(distance)  # noqa: PLR2004 - 7 bits
        if ids == 1:
            size += 2 * HALF_BYTES + 1
            continue
        size += length_of(4 * ids + 3) + length_of(high) + length_of(low)
        if left_out:
            size += length_of(left_out) + length_of(left_out_high)
    return size


def _encoded(bucket: Bucket, following: int) -> bytes:
    start, ids, high, low, inexact, left_out, left_out_high = bucket
    flags = inexact + 2 * (left_out > 0)
    begin = varint(following - start) + varint(4 * ids + flags)
    if ids == 1:
        halves = high.to_bytes(HALF_BYTES, "big"), low.to_bytes(HALF_BYTES, "big")
        return b"".join((begin, *halves))
    sums = begin + varint(high) + varint(low)
    return sums + varint(left_out) + varint(left_out_high) if left_out else sums


def _decoded(data: VarintReader, start: int) -> Bucket:
    ids, flags = divmod(data.varint(), 4)
    inexact, some_left_out = bool(flags & 1), flags & 2
    if not ids:
        raise ValueError("a bucket without an id")
    if ids == 1:
        high, low = data.fixed(HALF_BYTES), data.fixed(HALF_BYTES)
        left_out, left_out_high = (1, high) if some_left_out else (0, 0)
    else:
        high, low = data.varint(), data.varint()
        left_out = data.varint() if some_left_out else 0
        left_out_high = data.varint() if some_left_out else 0
    if left_out > ids or left_out_high > high:
        raise ValueError("a bucket of which more is left out than it has")
    return Bucket(start, ids, high, low, inexact, left_out, left_out_high)
