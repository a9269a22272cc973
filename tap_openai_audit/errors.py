"""All that can end a run, or a part of it, in one tree.

TapError                  what happened, what it means and what to do, in one line
├── RequestFailed         a request did not bring what was asked for
│   ├── NoResponse       no response: DNS, proxy, TLS, time, a broken connection
│   ├── ErrorResponse     the response is an error: key, permission, rate, server
│   │   ├── VanishedCursor    the API no longer knows where the next page begins
│   │   └── ExpiredFile       the API no longer has a file that it listed
│   └── BadResponse       the response makes no sense: a redirect, a body, its size
│       ├── BodyTooLarge      more than this machine's memory should hold
│       └── BrokenPaging      pages that do not fit together
├── Interrupted           a request was not made, because the run is ending
├── BadState              a state that cannot be read, or is of another organization
├── EventsSetAside        events that have no usable time
├── MapFailed             a stream map fails on a record
├── FilesFlawed           files of a workspace could not be read in full
├── TargetStopped         messages cannot be written any more
├── StreamFailed          a stream was not read in full, for one of these reasons
└── SyncFailed            the end of a run in which streams failed

Terminated                the operator ends the run; like KeyboardInterrupt no error

Each part of a message that is not fixed goes through `redacted`: what knows the key
masks it there, and each error makes sure that its text is printable and bounded.
Errors compare by identity and are never changed: `dataclasses.replace` makes new ones.
"""

from __future__ import annotations

import signal
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from tap_openai_audit.http.causes import Api, Cause, meaning
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_WHAT = 500
"""Characters. A text of the API has 300 at the most; the rest is for words around it,
such as how often a request was tried."""

_LONGEST_NAME = 100
"""Characters of an identifier. The API's own have fewer than 50."""


@dataclass(eq=False)
class TapError(Exception):
    """The run, or a part of it, failed."""

    what: str
    """What happened, in a few words."""

    def __post_init__(self) -> None:
        """Let no text by that would break or flood a line of the log."""
        self.what = redacted(self.what, longest=_LONGEST_WHAT)

    @property
    def meaning(self) -> str:
        """What it means, and what to do."""
        raise NotImplementedError

    def __str__(self) -> str:
        """Say what happened, what it means and what to do, in one line."""
        return f"{self.what}: {self.meaning}"


@dataclass(eq=False)
class RequestFailed(TapError):
    """A request did not bring what was asked for."""

    cause: Cause
    _: KW_ONLY
    retriable: bool = False
    """Whether asking again can help."""
    retry_after: float | None = None
    """How many seconds the API asks to wait before that."""
    request_id: str | None = None
    """What OpenAI's support asks for. None without a response, or without one in it."""
    api: Api = Api.ORGANIZATION
    """Which API was asked."""

    def __post_init__(self) -> None:
        """Let no identifier by that is none."""
        super().__post_init__()
        if self.request_id is not None:
            self.request_id = redacted(self.request_id, longest=_LONGEST_NAME) or None

    @property
    def meaning(self) -> str:
        """The sentence that sync, check and docs/troubleshooting.md share."""
        return meaning(self.cause, self.api)

    @property
    def happened(self) -> str:
        """What happened, and to which request."""
        identity = f", request id {self.request_id}" if self.request_id else ""
        return f"{self.what}{identity}"

    def __str__(self) -> str:
        """Say what happened, what it means and what to do, in one line."""
        return f"{self.happened}: {self.meaning}"


@dataclass(eq=False)
class NoResponse(RequestFailed):
    """A request got no response."""


@dataclass(eq=False, kw_only=True)
class ErrorResponse(RequestFailed):
    """A request was answered with an error."""

    status: int
    """The HTTP status."""
    from_api: bool = False
    """Whether the API itself says so: the body is its JSON. A proxy's page is not."""
    param: str | None = None
    """The parameter that the API objects to."""

    def __post_init__(self) -> None:
        """Let no identifier by that is none."""
        super().__post_init__()
        if self.param is not None:
            self.param = redacted(self.param, longest=_LONGEST_NAME)


@dataclass(eq=False)
class VanishedCursor(ErrorResponse):
    """The API no longer knows the event after which a page was to begin."""

    cause: Cause = field(default=Cause.VANISHED_CURSOR, init=False)


@dataclass(eq=False)
class ExpiredFile(ErrorResponse):
    """The API no longer has a file that it listed before."""

    cause: Cause = field(default=Cause.EXPIRED_FILE, init=False)


@dataclass(eq=False)
class BadResponse(RequestFailed):
    """A request was answered with something that the API does not send."""


@dataclass(eq=False)
class BodyTooLarge(BadResponse):
    """A body is larger than what memory should hold. A smaller page may be none."""

    cause: Cause = field(default=Cause.BAD_BODY, init=False)


@dataclass(eq=False)
class BrokenPaging(BadResponse):
    """Pages do not fit together, so that completeness cannot be known."""

    cause: Cause = field(default=Cause.BROKEN_PAGING, init=False)


@dataclass(eq=False)
class Interrupted(TapError):
    """A request was not made, because the run is ending."""

    what: str = "The run is ending"

    @property
    def meaning(self) -> str:
        """What it means."""
        return "no further request is made"


@dataclass(eq=False)
class BadState(TapError):
    """A state that this tap did not write."""

    remedy: str = (
        "restore the state of an earlier run, or begin anew with a full refresh, which"
        " repeats all events"
    )

    @property
    def meaning(self) -> str:
        """What to do."""
        return self.remedy


@dataclass(eq=False)
class EventsSetAside(TapError):
    """Events that no time range holds, so that they cannot be loaded."""

    @classmethod
    def of(cls, scope: str, ids: Sequence[str]) -> EventsSetAside:
        """Name the first of them.

        Args:
            scope: The feed that they came with.
            ids: Theirs, at least one.
        """
        named = ", ".join(redacted(id_, longest=_LONGEST_NAME) for id_ in ids[:3])
        more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""  # noqa: PLR2004
        verb = "event has" if len(ids) == 1 else "events have"
        return cls(
            f"{len(ids)} of the {scope} {verb} no usable effective_at: {named}{more}"
        )

    @property
    def meaning(self) -> str:
        """What to do."""
        return (
            "all others are loaded, and later runs do not fail for these: their ids are"
            " in the state and in sync_reports; tell OpenAI's support"
        )


@dataclass(eq=False)
class MapFailed(TapError):
    """A stream map fails on a record."""

    stream: str
    consequence: str = "the stream is not written in full"

    @classmethod
    def on(cls, stream: str, id_: str, time: str, error: Exception) -> MapFailed:
        """Name the event, and what the map raised.

        Args:
            stream: The name of the stream.
            id_: The id of the event.
            time: Its time, or that of the file that it stands in.
            error: What the map raised.
        """
        return cls(
            f"stream_maps fails on the event {redacted(id_, longest=_LONGEST_NAME)} of"
            f" {redacted(time, longest=_LONGEST_NAME)}"
            f" ({type(error).__name__}: {redacted(error)})",
            stream,
            "everything before it is written, and the next run continues there",
        )

    @classmethod
    def on_record(cls, stream: str, key: str, error: Exception) -> MapFailed:
        """Name the record, and what the map raised.

        Args:
            stream: The name of the stream.
            key: What tells the record from others.
            error: What the map raised.
        """
        return cls(
            f"stream_maps fails on the record {redacted(key, longest=_LONGEST_NAME)} of"
            f" {stream} ({type(error).__name__}: {redacted(error)})",
            stream,
        )

    @property
    def meaning(self) -> str:
        """What it means, and what to do."""
        return (
            f"{self.consequence}: correct the expressions of {self.stream} in"
            " stream_maps"
        )


@dataclass(eq=False)
class FilesFlawed(TapError):
    """Files could not be read in full, and never will be. The feed has gone on."""

    @property
    def meaning(self) -> str:
        """What it means, and what to do."""
        return (
            "what could be read of them is written, the next run goes on behind them;"
            " workspace_log_files has the reason of each, which OpenAI's support can"
            " be told"
        )


@dataclass(eq=False)
class TargetStopped(TapError):
    """Messages cannot be written any more."""

    what: str = "The target stopped reading"
    remedy: str = "see its own message"

    @property
    def meaning(self) -> str:
        """What it means, and what to do."""
        return f"{self.remedy}; the next run continues from the last confirmed state"


@dataclass(eq=False)
class StreamFailed(TapError):
    """A stream, or one scope of it, was not read in full."""

    reason: TapError
    remedy: str = ""
    """What to do about this stream besides what the reason says."""

    @property
    def meaning(self) -> str:
        """Why, and what to do."""
        return f"{self.reason}. {self.remedy}" if self.remedy else str(self.reason)

    def __str__(self) -> str:
        """Say which stream it is, what happened and what to do, in one line."""
        return f"{self.what}{',' if self.remedy else ':'} {self.meaning}"


@dataclass(eq=False)
class SyncFailed(TapError):
    """A run in which streams failed, raised when all else is read."""

    failures: tuple[TapError, ...]

    @property
    def meaning(self) -> str:
        """What happened to each, and what to do."""
        return "; ".join(map(str, self.failures))


class Terminated(BaseException):
    """The operator, or what runs the tap, sent a signal that ends the run.

    No `Exception`: what handles errors, in libraries as here, must not handle this, and
    the SDK would log it as an unhandled error with a traceback.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)

    @property
    def exit_code(self) -> int:
        """What a process returns that a signal ended."""
        return 128 + self.signal
