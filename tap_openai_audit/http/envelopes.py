"""The envelope in which the API sends lists.

`{"object": "list", "data": [...], "first_id", "last_id", "has_more"}`, and `next` in
place of `last_id` for some of them. Nothing but `data` is sure to be there. What says
otherwise is no list, whatever its status: an `error`, another `object`, other `data`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tap_openai_audit.http.bodies import BadBody, documents
from tap_openai_audit.redaction import redacted

_LIST = "list"
_LONGEST_NAME = 50
"""Characters of an `object` that are repeated: the API's own have fewer."""


class ErrorInList(BadBody):
    """A body with an error, where a list was asked for. The status may be 200."""

    def __init__(self, error: object) -> None:
        super().__init__("an error")
        self.error = error
        """What the API gives as `error`."""


class Envelope(msgspec.Struct):
    """What one response holds: a part of a list, and what it says of the rest."""

    data: list[msgspec.Raw]
    has_more: bool | None = None
    """Whether another page follows. None if the response does not say."""
    last_id: str | None = None
    next: str | None = None


class Bare(Envelope):
    """Events that came without an envelope."""


class _Body(msgspec.Struct):
    """What may be an envelope."""

    data: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    has_more: bool | None = None
    last_id: str | None = None
    next: str | None = None
    object: Any = None
    error: Any = None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def envelope(body: bytes) -> Envelope:
    """Read the envelope of a list.

    Raises:
        ErrorInList: If it holds an error.
        BadBody: If there is none.
    """
    return _as_one(documents(body, _decode))


def envelope_or_events(body: bytes) -> Envelope:
    """Read the envelope of a list of events, or events without any.

    Collectors report bodies of the audit log that hold bare events, one after the other
    or in an array. They promise nothing of what follows.

    Raises:
        ErrorInList: If it holds an error.
        BadBody: If there is neither.
    """
    return _as_one(documents(body, _decode_bare))


def _decode(body: bytes) -> Envelope:
    return _checked(_decode_body(body))


def _decode_bare(body: bytes) -> Envelope:
    try:
        found = _decode_body(body)
    except msgspec.ValidationError:
        body = body.strip()
        if body.startswith(b"["):
            return Bare(_decode_list(body))
        if _is_event(body):
            return Bare([msgspec.Raw(body)])
        raise
    if found.data is msgspec.UNSET and _is_event(body):
        return Bare([msgspec.Raw(body)])
    return _checked(found)


def _is_event(body: bytes) -> bool:
    """Whether this has an id and a time. An error has neither."""
    return {"id", "effective_at"} <= _decode_object(body).keys()


def _checked(found: _Body) -> Envelope:
    """Return the envelope.

    Raises:
        BadBody: If the body says that it is none.
    """
    if found.error is not None:
        raise ErrorInList(found.error)
    if found.object not in (None, _LIST):
        name = redacted(found.object, longest=_LONGEST_NAME)
        raise BadBody(f"an object that is no list ({name})")
    if isinstance(found.data, msgspec.UnsetType):
        raise BadBody("JSON of another shape (without data)")
    return Envelope(found.data, found.has_more, found.last_id, found.next)


def _as_one(parts: list[Envelope]) -> Envelope:
    """Make one page of all documents in a body."""
    said = [part.has_more for part in parts if part.has_more is not None]
    has_more: bool | None = any(said)
    if not has_more and (not said or any(isinstance(part, Bare) for part in parts)):
        has_more = None
    data = [item for part in parts for item in part.data]
    kind = Bare if all(isinstance(part, Bare) for part in parts) else Envelope
    return kind(data, has_more, parts[-1].last_id, parts[-1].next)
