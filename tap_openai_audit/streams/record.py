"""How an event becomes a record: nothing is lost, whatever the API adds tomorrow.

What is known has a column. The details object, which the API puts under a key named
like the event's type, becomes `details`; every other key goes to `extra`, and so does
a value that does not have the type its column promises. Values are never decoded on
the way: they are passed on as the bytes they came in, numbers to the last digit.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tap_openai_audit.nesting import MOST_LEVELS, shallow

if TYPE_CHECKING:
    from tap_openai_audit.extraction.events import Event

OBJECT = b'"organization.audit_log"'
"""The value of `object` on every event. It is left out of the record."""

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
        body = event.body
        if _brackets(body) > MOST_LEVELS:
            body = shallow(body)
        fields = _fields.decode(body)
        type_ = fields.get("type", b"null")
        name, details = None, b"null"
        if _first(type_) == b'"':
            name = _texts.decode(type_)
            if name not in _COLUMNS and _first(fields.get(name, b"")) == b"{":
                details = fields.pop(name)
        else:
            type_ = b"null"
        extra = {
            key: value
            for key, value in fields.items()
            if key not in _COLUMNS or _odd(key, value, event, name)
        }
        return b"".join(
            (
                b'{"id":',
                fields["id"],
                b',"effective_at":"',
                date_time(event.effective_at),
                b'","type":',
                type_,
                self._constant,
                b"null" if "project" in extra else fields.get("project", b"null"),
                b',"actor":',
                b"null" if "actor" in extra else fields.get("actor", b"null"),
                b',"details":',
                details,
                b',"extra":',
                msgspec.json.encode(extra) if extra else b"null",
                b"}",
            )
        )


def _brackets(body: bytes) -> int:
    view = bytes(body)
    return view.count(b"{") + view.count(b"[")


def _first(value: bytes) -> bytes:
    return bytes(memoryview(value)[:1])


def _odd(key: str, value: msgspec.Raw, event: Event, name: str | None) -> bool:
    """Whether a known key holds something that its column cannot."""
    match key:
        case "project":
            return not _fits(_projects, value)
        case "actor":
            return not _fits(_actors, value)
        case "effective_at":
            return bytes(value) != b"%d" % event.effective_at
        case "type":
            return name is None
        case "object":
            return bytes(value) != OBJECT
        case _:
            return False


def _fits(decoder: msgspec.json.Decoder[Any], value: msgspec.Raw) -> bool:
    try:
        decoder.decode(value)
    except msgspec.DecodeError:
        return False
    return True


def _exact(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _INT64_DIGITS else Decimal(digits)


@lru_cache(maxsize=4096)
def date_time(second: int) -> bytes:
    """A second as the one date-time format of this tap: UTC, second precision."""
    return iso(second).encode()


def iso(second: int) -> str:
    """The same as text. It sorts as time does."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
    return moment.isoformat(timespec="seconds")
