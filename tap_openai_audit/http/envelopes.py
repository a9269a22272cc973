"""The envelope in which the API sends lists.

`{"object": "list", "data": [...], "first_id", "last_id", "has_more"}`, and `next` in
place of `last_id` for some of them. Nothing but `data` is sure to be there.
"""

from __future__ import annotations

import msgspec

from tap_openai_audit.http.bodies import documents


class Envelope(msgspec.Struct):
    """What one response holds: a part of a list, and what it says of the rest."""

    data: list[msgspec.Raw]
    has_more: bool | None = None
    """Whether another page follows. None if the response does not say."""
    last_id: str | None = None
    next: str | None = None


class Bare(Envelope):
    """Events that came without an envelope."""


_decode = msgspec.json.Decoder(Envelope).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def envelope(body: bytes) -> Envelope:
    """Read the envelope of a list.

    Raises:
        BadBody: If there is none.
    """
    return _as_one(documents(body, _decode))


def envelope_or_events(body: bytes) -> Envelope:
    """Read the envelope of a list of events, or events without any.

    Collectors report bodies of the audit log that hold bare events, one after the other
    or in an array. They promise nothing of what follows.

    Raises:
        BadBody: If there is neither.
    """
    return _as_one(documents(body, _decode_bare))


def _decode_bare(body: bytes) -> Envelope:
    try:
        return _decode(body)
    except msgspec.ValidationError:
        body = body.strip()
        if body.startswith(b"["):
            return Bare(_decode_list(body))
        # What has an id and a time is an event. An error has neither.
        if {"id", "effective_at"} <= _decode_object(body).keys():
            return Bare([msgspec.Raw(body)])
        raise


def _as_one(parts: list[Envelope]) -> Envelope:
    """Make one page of all documents in a body."""
    said = [part.has_more for part in parts if part.has_more is not None]
    has_more: bool | None = any(said)
    if not has_more and (not said or any(isinstance(part, Bare) for part in parts)):
        has_more = None
    data = [item for part in parts for item in part.data]
    kind = Bare if all(isinstance(part, Bare) for part in parts) else Envelope
    return kind(data, has_more, parts[-1].last_id, parts[-1].next)
