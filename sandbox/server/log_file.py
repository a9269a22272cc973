"""One log file of a workspace: its entry, its content, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.organization.workspace import WorkspaceEvent

#: What can be wrong with a file.
TRAPS = {
    "two_on_a_line": "two objects stand on each line",
    "blank_lines": "there are empty lines and lines of blanks",
    "crlf": "lines end with a carriage return too",
    "no_last_newline": "the last line does not end",
    "unparsable_line": "a line in the middle is broken, and the checksum matches",
    "duplicates": "it begins with the last events of the file before it, of its type",
    "hostile": "one more event, of unknown kind, with big numbers and rude texts",
    "wrong_checksum": "the declared checksum is that of something else",
    "wrong_size": "the declared size is that of something else",
    "cut": "each download ends within the last event, and HTTP does not show it",
    "differs": "each download is another one: whole lines, the last ones missing",
    "expired_404": "it is listed until its download is refused with 404",
    "expired_410": "the same with 410",
}
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)"
)


def moment(text: str) -> Decimal:
    """Return an ISO 8601 date and time with its zone as Unix seconds, exactly.

    Raises:
        ValueError: It is none.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not an ISO 8601 date and time with a zone")
    whole, fraction, zone = found.groups()
    at = datetime.fromisoformat(whole + zone.replace("Z", "+00:00"))
    return int(at.timestamp()) + Decimal(f"0.{fraction or 0}")


@dataclass(frozen=True)
class LogFile:
    """A file: immutable, of one type, and of about ten minutes of events.

    Attributes:
        id: Its id.
        type: `AUDIT_LOG` or `AUTH_LOG`.
        end_time: When it ends, as the API writes it.
        events: What is in it.
        visible_at: When it begins to be listed, Unix seconds.
        traps: What is wrong with it, names from TRAPS.
    """

    id: str
    type: str
    end_time: str
    events: tuple[WorkspaceEvent, ...]
    visible_at: float = 0
    traps: frozenset[str] = frozenset()

    @cached_property
    def end(self) -> Decimal:
        """When it ends, Unix seconds."""
        return moment(self.end_time)

    @cached_property
    def entry(self) -> dict[str, Any]:
        """What a listing says of it."""
        content = self.content()
        checksum, size = sha256(content).hexdigest(), len(content)
        if "wrong_checksum" in self.traps:
            checksum = sha256(content + b"\n").hexdigest()
        if "wrong_size" in self.traps:
            size += 1
        return {
            "id": self.id,
            "event_type": self.type,
            "end_time": self.end_time,
            "file_name": f"{self.type.lower()}_{self.end_time}.jsonl",
            "file_size": size,
            "file_sha256": checksum,
        }

    def content(self) -> bytes:
        """Return the file."""
        lines = [event.body for event in self.events]
        if "two_on_a_line" in self.traps:
            lines = [b"".join(lines[at : at + 2]) for at in range(0, len(lines), 2)]
        if "unparsable_line" in self.traps:
            lines.insert(len(lines) // 2, b'{"event_id": "cut off in the mid')
        if "blank_lines" in self.traps:
            lines = [b"", *(line for event in lines for line in (event, b" \t"))]
        ending = b"\r\n" if "crlf" in self.traps else b"\n"
        content = b"".join(line + ending for line in lines)
        return content.rstrip() if "no_last_newline" in self.traps else content

    def downloaded(self, number: int) -> bytes:
        """Return what the download of a number, counted from 0, brings."""
        content = self.content()
        if "cut" in self.traps:
            return content.rstrip()[:-20]
        if "differs" in self.traps:
            lines = content.splitlines(keepends=True)
            return b"".join(lines[: -1 - number % 2]) + b"\n" * number
        return content
