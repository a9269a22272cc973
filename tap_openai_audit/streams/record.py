"""How an event becomes a record: nothing is lost, whatever the API adds tomorrow.

What is known has a column. The details object, which the API puts under a key named
like the event's type, becomes `details`; every other key goes to `extra`, and so does
a value that does not have the type its column promises. Values are never decoded on
the way: they are passed on as the bytes they came in, numbers to the last digit.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tap_openai_audit.nesting import MOST_LEVELS, shallow

if TYPE_CHECKING:
    from tap_openai_audit.extraction.events import Event

OBJECT = b'"organization.audit_log"'
"""The value of `object` on every event. It is left out of the record."""

NULL = b"null"

_COLUMNS = frozenset({"id", "effective_at", "type", "object", "project", "actor"})
_INT64_DIGITS = 18


class _Project(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _User(msgspec.Struct):
    id: str | None = None
    email: str | None = None


class _Place(msgspec.Struct):
    country: str | None = None
    city: str | None = None
    region: str | None = None
    region_code: str | None = None
    asn: str | None = None
    latitude: str | None = None
    longitude: str | None = None


class _Session(msgspec.Struct):
    user: _User | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    ja3: str | None = None
    ja4: str | None = None
    ip_address_details: _Place | None = None


class _ServiceAccount(msgspec.Struct):
    id: str | None = None


class _ApiKey(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    user: _User | None = None
    service_account: _ServiceAccount | None = None


class _Actor(msgspec.Struct):
    type: str | None = None
    session: _Session | None = None
    api_key: _ApiKey | None = None


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_texts = msgspec.json.Decoder(str)
_projects = msgspec.json.Decoder(_Project | None)
_actors = msgspec.json.Decoder(_Actor | None)


class Recorder:
    """Makes records out of the events of one scope."""

    def __init__(self, scope: str, organization_id: str) -> None:
        """Prepare what is the same on all records."""
        self._constant = b',"scope":%b,"organization_id":%b,"project":' % (
            msgspec.json.encode(scope),
            msgspec.json.encode(organization_id),
        )

    def record(self, event: Event) -> dict[str, Any]:
        """The record as a dictionary, for the SDK's own features.

        Numbers that Python or msgspec would round become decimals.
        """
        record: dict[str, Any] = json.loads(
            self.json(event), parse_float=Decimal, parse_int=_exact
        )
        return record

    def json(self, event: Event) -> bytes:
        """The record as a JSON object."""
        body = bytes(event.body)
        if body.count(b"{") + body.count(b"[") > MOST_LEVELS:
            body = shallow(body)
        # What is not taken out for a column remains in `extra`.
        extra = _fields.decode(body)
        id_ = extra.pop("id")
        if bytes(extra["effective_at"]) == b"%d" % event.effective_at:
            del extra["effective_at"]
        if bytes(extra.get("object", b"")) == OBJECT:
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
                msgspec.json.encode(extra) if extra else NULL,
                b"}",
            )
        )

    @staticmethod
    def _type_and_details(extra: dict[str, msgspec.Raw]) -> tuple[bytes, bytes]:
        """Take out the type, and the object under the key that is named like it."""
        type_ = bytes(extra.get("type", NULL))
        if not type_.startswith(b'"'):
            return NULL, NULL
        del extra["type"]
        name = _texts.decode(type_)
        details = bytes(extra.get(name, NULL))
        if name in _COLUMNS or not details.startswith(b"{"):
            return type_, NULL
        del extra[name]
        return type_, details


def _take(
    extra: dict[str, msgspec.Raw], key: str, decoder: msgspec.json.Decoder[Any]
) -> bytes:
    """Take a value out, unless it is not of the type that its column promises."""
    value = extra.get(key)
    if value is None or not _fits(decoder, value):
        return NULL
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


def iso(second: int) -> str:
    """A second as the one date-time format of this tap: UTC, second precision.

    As text it sorts as time does.
    """
    days, rest = divmod(second, 86_400)
    minutes, seconds = divmod(rest, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{_day(days)}T{hours:02}:{minutes:02}:{seconds:02}+00:00"


@lru_cache(maxsize=64)
def _day(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
