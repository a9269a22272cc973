"""How an event becomes a record: nothing is lost, whatever the API adds tomorrow.

What is known has a column. The details object, which the API puts under a key named
like the event's type, becomes `details`; every other key goes to `extra`, and so does
a value that does not fit its column. Values are passed on as the bytes they came in,
numbers to the last digit: what is decoded, to see whether it fits, is thrown away.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tap_openai_audit.nesting import MOST_LEVELS, shallow
from tap_openai_audit.streams.audit_log_schema import SCHEMA
from tap_openai_audit.streams.column_type import column_type
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from tap_openai_audit.extraction.events import Event

_OBJECT = b'"organization.audit_log"'
"""The value of `object` on every event. It is left out of the record."""

_NULL = b"null"

_NO_DETAILS = frozenset({"id", "effective_at", "type", "object", "project", "actor"})
"""Keys that every event may have. A type of such a name has no details object."""

_INT64_DIGITS = 18
"""Digits with which every whole number has room in 64 bits; with 19 some have."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_texts = msgspec.json.Decoder(str)
_projects = msgspec.json.Decoder(column_type(SCHEMA["properties"]["project"]))
_actors = msgspec.json.Decoder(column_type(SCHEMA["properties"]["actor"]))


class Recorder:
    """Makes records out of the events of one scope."""

    def __init__(self, scope: str, organization_id: str) -> None:
        # The part that is the same on all records.
        self._constant = b',"scope":%b,"organization_id":%b,"project":' % (
            msgspec.json.encode(scope),
            msgspec.json.encode(organization_id),
        )

    def record(self, event: Event) -> dict[str, Any]:
        """Make the record as a dictionary, for the SDK's own features.

        Fractions become decimals, exact to the last digit, and so do whole numbers that
        may not have room in 64 bits.
        """
        record: dict[str, Any] = json.loads(
            self.json(event), parse_float=Decimal, parse_int=_exact
        )
        return record

    def json(self, event: Event) -> bytes:
        """Make the record as a JSON object."""
        body = bytes(event.body)
        # With fewer brackets than levels nothing can be nested too deeply.
        if body.count(b"{") + body.count(b"[") > MOST_LEVELS:
            body = shallow(body)
        # What is not taken out for a column remains in `extra`.
        extra = _fields.decode(body)
        id_ = extra.pop("id")
        if bytes(extra["effective_at"]) == b"%d" % event.effective_at:
            del extra["effective_at"]
        if bytes(extra.get("object", b"")) == _OBJECT:
            del extra["object"]
        type_, details = self._type_and_details(extra)
        project = _take(extra, "project", _projects)
        actor = _take(extra, "actor", _actors)
        return b"".join(
            (
                b'{"id":',
                id_,
                b',"effective_at":"',
                iso(event.effective_at).encode(),
                b'","type":',
                type_,
                self._constant,
                project,
                b',"actor":',
                actor,
                b',"details":',
                details,
                b',"extra":',
                msgspec.json.encode(extra) if extra else _NULL,
                b"}",
            )
        )

    @staticmethod
    def _type_and_details(extra: dict[str, msgspec.Raw]) -> tuple[bytes, bytes]:
        """Take out the type, and the object under the key that is named like it."""
        type_ = bytes(extra.get("type", _NULL))
        if not type_.startswith(b'"'):
            return _NULL, _NULL
        del extra["type"]
        name = _texts.decode(type_)
        details = bytes(extra.get(name, _NULL))
        if name in _NO_DETAILS or not details.startswith(b"{"):
            return type_, _NULL
        del extra[name]
        return type_, details


def _take(
    extra: dict[str, msgspec.Raw], key: str, decoder: msgspec.json.Decoder[Any]
) -> bytes:
    """Take a value out, unless it does not fit its column."""
    value = extra.get(key)
    if value is None or not _fits(decoder, value):
        return _NULL
    del extra[key]
    return value


def _fits(decoder: msgspec.json.Decoder[Any], value: msgspec.Raw) -> bool:
    try:
        decoder.decode(value)
    except msgspec.DecodeError:
        return False
    return True


def _exact(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _INT64_DIGITS else Decimal(digits)
