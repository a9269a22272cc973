"""What a file holds, what was emitted of it, and how far a run came with it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_openai_audit.workspace.log_files import (
        LogEvent,
        LogFile,
        Unreadable,
    )


@dataclass(frozen=True)
class Begun:
    """A file of which some events are emitted."""

    file: LogFile
    sha256: str
    """The checksum of the content that they are of."""
    items: int = 0
    """How many events, or parts that are none, were taken from its beginning."""
    emitted: int = 0
    """Events of these that were emitted."""
    filtered: int = 0
    """Events of these of which a stream map made no record."""
    ids_checksum: int = 0
    """Of those that were emitted."""


@dataclass
class FileReport:
    """The counts of one file: its row in the ledger."""

    file: LogFile
    checksum_matches: bool | None = None
    """Whether the content has the checksum that the listing says. None if nobody can
    tell: there is no content, or nothing to compare it with."""
    lines: int = 0
    """Lines that are not blank."""
    events: int = 0
    emitted: int = 0
    """Events that records were written of."""
    filtered: int = 0
    """Events of which a stream map made no record."""
    ids_checksum: int = 0
    """The sum of the first 8 hexadecimal digits of the MD5 of each id emitted."""
    first: str | None = None
    """The earliest timestamp, in the form of this tap."""
    last: str | None = None
    reason: str | None = None
    """Why not all of it could be read."""
    _line: int = 0

    @property
    def known(self) -> int:
        """Events that another file had, or this one before."""
        return self.events - self.emitted - self.filtered

    def count(self, item: LogEvent | Unreadable) -> None:
        """Count the next part of the file."""
        if item.line != self._line:
            self._line = item.line
            self.lines += 1

    def count_event(self, event: LogEvent) -> None:
        """Count an event."""
        self.events += 1
        if event.timestamp is not None:
            self.first = min(self.first or event.timestamp, event.timestamp)
            self.last = max(self.last or event.timestamp, event.timestamp)

    def emit(self, begun: Begun) -> None:
        """Take over how much of it is emitted."""
        self.emitted, self.filtered = begun.emitted, begun.filtered
        self.ids_checksum = begun.ids_checksum

    def refuse(self, item: Unreadable) -> None:
        """Say where the first part is that cannot be read."""
        self.reason = self.reason or f"line {item.line}: {item.reason}"


def id_hash(id_: str) -> int:
    """Return the first 8 hexadecimal digits of the MD5 of an id, as a number.

    Any warehouse can compute the same.
    """
    digest = md5(id_.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big")
