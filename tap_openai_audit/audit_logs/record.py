"""How an event becomes a record: nothing is lost, whatever the API adds tomorrow.

What is known has a column. The details object, which the API puts under a key named
like the event's type, becomes `details`; every other key goes to `extra`, and so does
a value that does not fit its column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_openai_audit.audit_logs.schema import SCHEMA
from tap_openai_audit.singer.column_type import column_type
from tap_openai_audit.singer.json_record import (
    NULL,
    as_dictionary,
    fields_of,
    rest,
    take,
)
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from tap_openai_audit.audit_logs.events import Event

_OBJECT = b'"organization.audit_log"'
"""The value of `object` on every event. It is left out of the record."""

_NO_DETAILS = frozenset({"id", "effective_at", "type", "object", "project", "actor"})
"""Keys that every event may have. A type of such a name has no details object."""

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
        """Make the record as a dictionary, for the SDK's own features."""
        return as_dictionary(self.json(event))

    def json(self, event: Event) -> bytes:
        """Make the record as a JSON object."""
        # What is not taken out for a column remains in `extra`.
        extra = fields_of(bytes(event.body))
        id_ = extra.pop("id")
        if bytes(extra["effective_at"]) == b"%d" % event.effective_at:
            del extra["effective_at"]
        if bytes(extra.get("object", b"")) == _OBJECT:
            del extra["object"]
        type_, details = self._type_and_details(extra)
        project = take(extra, "project", _projects)
        actor = take(extra, "actor", _actors)
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
                rest(extra),
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
        if name in _NO_DETAILS or not details.startswith(b"{"):
            return type_, NULL
        del extra[name]
        return type_, details
