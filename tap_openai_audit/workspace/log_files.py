"""What is read: files, pages of their listing, and what the engine asks of an API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class LogFile:
    """A file, as the API lists it."""

    id: str
    end_time: str
    """In the API's own text, which is what a listing continues after."""
    at: float
    """The same in Unix seconds. Times that differ by less than a microsecond are one:
    they are listed together, which is always safe."""
    size: int | None
    """Bytes, None if the API does not say."""
    sha256: str | None
    """The checksum of its content in lower case, None if the API does not say."""

    @property
    def second(self) -> int:
        """The second of its end."""
        return int(self.at // 1)


@dataclass(frozen=True)
class FilePage:
    """A page of a listing."""

    files: Sequence[LogFile]
    has_more: bool
    """Whether the API promises another page."""


@dataclass(frozen=True)
class Content:
    """What a download brought."""

    body: bytes | bytearray
    sha256: str
    """The checksum of the body in lower case."""

    def is_as_declared(self, file: LogFile) -> bool:
        """Whether it is what the listing says. The checksum alone decides."""
        return file.sha256 is not None and self.sha256 == file.sha256

    def may_be_cut(self, file: LogFile) -> bool:
        """Whether it has fewer bytes than the listing says."""
        return file.size is not None and len(self.body) < file.size


class LogEvent(NamedTuple):
    """An event in a file."""

    line: int
    """The line that it stands on, from 1. Several may stand on one."""
    id: str
    timestamp: str | None
    """When it happened, in the form of this tap. None if the event does not say."""
    body: bytes
    """The event as the API wrote it. The engine hands it on and never looks inside."""


class Unreadable(NamedTuple):
    """A part of a file that is no event."""

    line: int
    """The line that it stands on, from 1."""
    reason: str


class FileSource(Protocol):
    """Where files come from. Faults that pass are retried in here."""

    def page(self, after: str, before: str | None) -> FilePage:
        """List the first files that end after a time, oldest first.

        Args:
            after: ISO 8601.
            before: ISO 8601: only files that end earlier. None for all.

        Raises:
            RequestFailed: If there is no page.
        """

    def download(self, file: LogFile) -> Content:
        """Download a file.

        Raises:
            ExpiredFile: If the API does not have it any more.
            RequestFailed: If it is not to be had for another reason.
        """

    def events(self, body: bytes | bytearray) -> Iterator[LogEvent | Unreadable]:
        """Read what a file holds, in its order."""
