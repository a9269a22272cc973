"""How an event of a workspace becomes a record: nothing is lost.

What is known has a column. Every other key goes to `extra`, and so does a value that
does not fit its column, or that its column does not repeat to the last digit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tap_openai_audit.singer.column_type import column_type
from tap_openai_audit.singer.json_record import (
    NULL,
    as_dictionary,
    fields_of,
    rest,
    take,
)
from tap_openai_audit.timestamps import utc
from tap_openai_audit.workspace.api import AUTH_LOG
from tap_openai_audit.workspace.schemas import AUDIT_SCHEMA, AUTH_SCHEMA

if TYPE_CHECKING:
    from tap_openai_audit.workspace.log_files import LogEvent, LogFile

_TAKEN = (
    "action", "action_result", "action_privilege", "actor", "request_metadata",
    "action_data",
)  # fmt: skip
"""Columns that are named like the key that they are of."""

_SAID_IN_FULL = re.compile(rb'"[0-9T:-]{19}(\.[0-9]{1,6})?(Z|\+00:00)"')
"""Times that the column repeats to the last digit."""

_texts = msgspec.json.Decoder(str)


class Recorder:
    """Makes records out of the events of one workspace and type."""

    def __init__(self, event_type: str, workspace_id: str) -> None:
        schema = AUTH_SCHEMA if event_type == AUTH_LOG else AUDIT_SCHEMA
        self._decoders = {
            name: msgspec.json.Decoder(column_type(schema["properties"][name]))
            for name in _TAKEN
            if name in schema["properties"]
        }
        self._workspace_id = workspace_id
        self._file: LogFile | None = None
        self._stamp = b""
        # The action of a sign-in is in its data.
        self._action_in_data = event_type == AUTH_LOG
        self._constants = {
            "type": event_type,
            "principal": {"id": workspace_id, "type": "CHATGPT_WORKSPACE"},
        }

    def record(self, file: LogFile, event: LogEvent) -> dict[str, Any]:
        """Make the record as a dictionary, for the SDK's own features."""
        return as_dictionary(self.json(file, event))

    def json(self, file: LogFile, event: LogEvent) -> bytes:
        """Make the record as a JSON object."""
        # What is not taken out for a column remains in `extra`.
        extra = fields_of(event.body)
        parts = [b'{"event_id":', extra.pop("event_id")]
        parts += [b',"timestamp":', _timestamp(extra, event)]
        for name, decoder in self._decoders.items():
            if name == "action" and self._action_in_data:
                value = _action_in(extra.get("action_data"))
            else:
                value = take(extra, name, decoder)
            parts += [b',"%b":' % name.encode(), value]
        for name, constant in self._constants.items():
            if _is(extra.get(name), constant):
                del extra[name]
        parts += [self._of_file(file), b',"extra":', rest(extra), b"}"]
        return b"".join(parts)

    def _of_file(self, file: LogFile) -> bytes:
        """Return the part that is the same on all records of a file."""
        if self._file is not file:
            columns = {
                "workspace_id": self._workspace_id,
                "file_id": file.id,
                "file_end_time": utc(file.end_time),
            }
            self._file = file
            self._stamp = b"," + msgspec.json.encode(columns)[1:-1]
        return self._stamp


def _is(value: msgspec.Raw | None, constant: object) -> bool:
    try:
        return value is not None and msgspec.json.decode(value) == constant
    except msgspec.DecodeError:
        return False


def _timestamp(extra: dict[str, msgspec.Raw], event: LogEvent) -> bytes:
    if event.timestamp is None:
        return NULL
    if _SAID_IN_FULL.fullmatch(bytes(extra["timestamp"])):
        del extra["timestamp"]
    return msgspec.json.encode(event.timestamp)


def _action_in(data: msgspec.Raw | None) -> bytes:
    """Copy the action out of an event's data."""
    if data is None or not bytes(data).startswith(b"{"):
        return NULL
    action = fields_of(bytes(data)).get("action")
    return NULL if action is None or not bytes(action).startswith(b'"') else action
