"""Parts of events, taken out as the bytes they came in: numbers to the last digit.

What is decoded, to see whether it fits its column, is thrown away.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tap_openai_audit.http.nesting import MOST_LEVELS, shallow

if TYPE_CHECKING:
    from collections.abc import Mapping

NULL = b"null"

_INT64_DIGITS = 18
"""Digits with which every whole number has room in 64 bits; with 19 some have."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def fields_of(body: bytes) -> dict[str, msgspec.Raw]:
    """Take an event apart. What is nested too deeply becomes the text of its JSON."""
    # With fewer brackets than levels nothing can be nested too deeply.
    if body.count(b"{") + body.count(b"[") > MOST_LEVELS:
        body = shallow(body)
    return _fields.decode(body)


def take(
    extra: dict[str, msgspec.Raw], key: str, decoder: msgspec.json.Decoder[Any]
) -> bytes:
    """Take a value out, unless it does not fit its column."""
    value = extra.get(key)
    if value is None or not _fits(decoder, value):
        return NULL
    del extra[key]
    return value


def rest(extra: Mapping[str, msgspec.Raw]) -> bytes:
    """Write what no column took."""
    return msgspec.json.encode(extra) if extra else NULL


def as_dictionary(record: bytes) -> dict[str, Any]:
    """Read a record, for the SDK's own features.

    Fractions become decimals, exact to the last digit, and so do whole numbers that may
    not have room in 64 bits.
    """
    found: dict[str, Any] = json.loads(record, parse_float=Decimal, parse_int=_exact)
    return found


def _fits(decoder: msgspec.json.Decoder[Any], value: msgspec.Raw) -> bool:
    try:
        decoder.decode(value)
    except msgspec.DecodeError:
        return False
    return True


def _exact(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _INT64_DIGITS else Decimal(digits)
