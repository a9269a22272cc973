"""Log files in memory, for tests of the engine without HTTP and without Singer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tap_openai_audit.errors import ExpiredFile, NoResponse
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.timestamps import iso, unix
from tap_openai_audit.workspace.feed import Feed
from tap_openai_audit.workspace.feed_report import FeedReport
from tap_openai_audit.workspace.hashes import KnownEvents, KnownFiles
from tap_openai_audit.workspace.log_files import (
    Content,
    FilePage,
    LogEvent,
    LogFile,
    Unreadable,
)
from tap_openai_audit.workspace.position import Asked, Position

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from tap_openai_audit.workspace.reports import FileReport

START = 1_790_000_000  # Unix seconds
STEP = 600  # seconds of a file
NOW = START + 60 * 86_400
"""The API's clock."""


@dataclass
class ModelFile:
    """A file of events, one a line; a line that begins with `!` is none.

    Attributes:
        slot: When it ends, in steps from START.
        appears_in: The number of the run from which on it is listed.
        bodies: What downloads bring, in turn, and then the last of them for ever, where
            that is not what it holds.
    """

    id: str
    slot: int
    lines: list[str]
    appears_in: int = 0
    bodies: list[bytes] = field(default_factory=list)
    declared: bytes | None = None
    is_expired: bool = False

    @property
    def body(self) -> bytes:
        return "\n".join(self.lines).encode()

    @property
    def listed(self) -> LogFile:
        declared = self.body if self.declared is None else self.declared
        end = START + self.slot * STEP
        return LogFile(
            self.id, iso(end), end, len(declared), sha256(declared).hexdigest()
        )

    @property
    def ids(self) -> list[str]:
        return [line for line in self.lines if line and not line.startswith("!")]


@dataclass
class ModelFiles:
    """Serves the files that it holds."""

    files: list[ModelFile]
    page_size: int = 100
    run: int = 0
    """Which run asks: later ones see more files."""
    downloads: Counter[str] = field(default_factory=Counter)
    fails_at: frozenset[str] = frozenset()
    """Files whose download fails."""
    pages: list[str] = field(default_factory=list)

    def page(self, after: str, before: str | None) -> FilePage:
        self.pages.append(after)
        listed = sorted(
            (
                file.listed
                for file in self.files
                if file.appears_in <= self.run
                and file.listed.at > unix(after)
                and (before is None or file.listed.at < unix(before))
            ),
            # Ties come in an order of their own.
            key=lambda file: (file.at, file.id[::-1]),
        )
        return FilePage(listed[: self.page_size], len(listed) > self.page_size)

    def download(self, file: LogFile) -> Content:
        if file.id in self.fails_at:
            raise NoResponse("Nobody answers", Cause.TIMEOUT)
        found = next(other for other in self.files if other.id == file.id)
        if found.is_expired:
            raise ExpiredFile("HTTP 404", status=404)
        number = self.downloads[file.id]
        self.downloads[file.id] += 1
        bodies = found.bodies or [found.body]
        body = bodies[min(number, len(bodies) - 1)]
        return Content(body, sha256(body).hexdigest())

    def events(self, body: bytes | bytearray) -> Iterator[LogEvent | Unreadable]:
        for line, text in enumerate(bytes(body).decode().split("\n"), start=1):
            if text.startswith("!"):
                yield Unreadable(line, "no JSON")
            elif text:
                yield LogEvent(line, text, iso(START + line), text.encode())


class Killed(BaseException):
    """The run was killed: nothing of it happens any more."""


class Target:
    """What a target holds, over all runs, and the last state that it confirmed."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.rows: dict[str, FileReport] = {}
        self.state: dict[str, Any] = {}
        self.messages = 0
        self.unconfirmed = 0


@dataclass
class ModelSink:
    """Writes to a target, until it is killed after so many messages."""

    target: Target
    position: Position
    left: int = 10**9
    mapped: Callable[[LogEvent], bool] = lambda _event: True

    def write(self, file: LogFile, events: Sequence[LogEvent]) -> Sequence[LogEvent]:
        assert file.id
        written = [event for event in events if self.mapped(event)]
        for event in written:
            self._message()
            self.target.ids.append(event.id)
            self.target.unconfirmed += 1
        return written

    def enter(self, report: FileReport) -> None:
        self._message()
        self.target.rows[report.file.id] = report

    def checkpoint(self) -> None:
        self._message()
        self.target.state = saved(self.position)
        self.target.unconfirmed = 0

    def _message(self) -> None:
        if not self.left:
            raise Killed
        self.left -= 1
        self.target.messages += 1


def saved(position: Position) -> dict[str, Any]:
    """What is kept of a position between runs."""
    return {
        "bookmark": position.bookmark,
        "known_from": position.known_from,
        "files": position.files.encode(),
        "events": position.events.encode(),
        "begun": position.begun,
        "deep_look_at": position.deep_look_at,
    }


def restored(state: dict[str, Any]) -> Position:
    if not state:
        return Position()
    return Position(
        **{
            **state,
            "files": KnownFiles.decode(state["files"]),
            "events": KnownEvents.decode(state["events"]),
        }
    )


def run(  # noqa: PLR0913 - whatever a run depends on
    api: ModelFiles,
    target: Target,
    *,
    asked: Asked | None = None,
    left: int = 10**9,
    deep: bool = False,
    lost: Collection[int] = (),
    size: int = 8,
) -> Feed:
    """Run once from the state that the target has confirmed."""
    position = restored(target.state)
    sink = ModelSink(target, position, left)
    feed = Feed(
        api,
        position,
        asked or Asked(),
        FeedReport("workspace_audit", started_at=0),
        sink,
        lost=lost,
        size=size,
    )
    feed.read(lambda: None, now=lambda: NOW, deep=deep)
    return feed
