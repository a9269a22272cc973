"""The events in a log file of a workspace: JSON Lines, whatever state they come in.

Collectors see lines that hold several objects. Lines end by a line feed, with or
without a carriage return before it; blank ones mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_openai_audit.http.bodies import readable
from tap_openai_audit.redaction import redacted
from tap_openai_audit.timestamps import utc
from tap_openai_audit.workspace.log_files import LogEvent, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_REASON = 100
"""Characters. It goes to the ledger, and says what kind of thing is in the way."""

MARK = b"\xef\xbb\xbf"
"""The byte order mark that some programs write in front of UTF-8."""


class _Head(msgspec.Struct):
    """What the engine needs to know of an event."""

    event_id: str
    timestamp: Any = None


_heads = msgspec.json.Decoder(_Head)


def events_of(body: bytes | bytearray) -> Iterator[LogEvent | Unreadable]:
    """Read what a file holds, without holding more of it than a line."""
    view = memoryview(body)
    begin, number = len(MARK) if body.startswith(MARK) else 0, 0
    while begin < len(body):
        end = body.find(b"\n", begin)
        end = len(body) if end < 0 else end
        number += 1
        line = bytes(view[begin:end]).strip()
        begin = end + 1
        if line:
            yield from _on(line, number)


def _on(line: bytes, number: int) -> Iterator[LogEvent | Unreadable]:
    found, flaw = readable(line, _event)
    for head, event in found:
        if head.event_id:
            yield LogEvent(number, head.event_id, _time(head.timestamp), event)
        else:
            # All of them would pass for one.
            yield Unreadable(number, "an event with an empty event_id")
    if flaw is not None:
        yield Unreadable(number, redacted(flaw, longest=_LONGEST_REASON))


def _event(body: bytes) -> tuple[_Head, bytes]:
    return _heads.decode(body), body


def _time(value: object) -> str | None:
    """Return a time in the form of this tap, None if it is none."""
    try:
        return utc(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None
