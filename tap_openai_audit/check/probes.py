"""What a check asks of the API: as a sync would, but no longer than a person waits."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from tap_openai_audit.audit_logs.api import PATH, AuditLog
from tap_openai_audit.check.conclusions import Made
from tap_openai_audit.check.event_times import SECONDS_END, WrongTimes
from tap_openai_audit.errors import Interrupted, NotAnswered, RequestFailed
from tap_openai_audit.http.causes import Api, Cause
from tap_openai_audit.http.client import Client
from tap_openai_audit.inventory.listing import by_last_id
from tap_openai_audit.redaction import redacted
from tap_openai_audit.windows import END, Window
from tap_openai_audit.workspace.api import AUDIT_LOG, WorkspaceLogs
from tap_openai_audit.workspace.position import FIRST_TIME

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from tap_openai_audit.audit_logs.events import Page
    from tap_openai_audit.http.endpoint import Endpoint
    from tap_openai_audit.http.response import Response
    from tap_openai_audit.inventory.listing import ListPage
    from tap_openai_audit.settings import Settings
    from tap_openai_audit.singer.signals import Signals
    from tap_openai_audit.workspace.log_files import LogFile

_T = TypeVar("_T")

_SECONDS = 45
"""For all requests together: with the start of the process less than a minute."""

_REQUEST_SECONDS = 10
"""For one request: an API that works answers within two."""

RETRY_SECONDS = 10
"""How long a check tries again at the most; a sync may do so for longer."""

_PAGES = 3
"""Pages of a list that are looked at: the newest things come first, and a hundred on
each page are more than a month's."""

_EVERYTHING = Window()


@dataclass(frozen=True)
class Kind:
    """A kind of thing whose creation is an event."""

    name: str
    path: str
    params: Sequence[tuple[str, str]]


ADMIN_KEYS = Kind("admin key", "/organization/admin_api_keys", [("order", "desc")])
PROJECTS = Kind(
    "project",
    "/organization/projects",
    [("limit", "100"), ("include_archived", "true")],
)


class Probes:
    """Asks the API. A context manager: inside it, all probes together end in time."""

    def __init__(
        self, settings: Settings, *, signals: Signals, logger: logging.Logger
    ) -> None:
        """Prepare to ask.

        Args:
            settings: Those of the sync that is checked.
            signals: What ends the check early.
            logger: Told of every request that is repeated.
        """
        self.settings = settings
        self._signals = signals
        hasty = replace(
            settings,
            request_timeout_seconds=min(
                settings.request_timeout_seconds, _REQUEST_SECONDS
            ),
            max_retry_seconds=min(settings.max_retry_seconds, RETRY_SECONDS),
        )
        self.wrong_times = WrongTimes(settings.admin_key)
        """What was seen so far of events whose time cannot be right."""
        self._client = _Observing(
            hasty.endpoint(Api.ORGANIZATION),
            logger,
            signals.stop,
            observe=self.wrong_times.observe,
        )
        self._workspace = Client(hasty.endpoint(Api.WORKSPACE), logger, signals.stop)
        self._timer = threading.Timer(_SECONDS, signals.stop.set)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Start the time."""
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the time."""
        self._timer.cancel()

    def page(self, scope: str, window: Window = _EVERYTHING) -> Page:
        """Read the first page of a window, under no filter.

        Raises:
            RequestFailed: If there is no page, or the time is over.
        """
        log = AuditLog(self._client, scope, {})
        return self._ask(lambda: log.read_page(window, None))

    def matches(
        self, scope: str, window: Window, filters: Mapping[str, tuple[str, ...]]
    ) -> bool:
        """Whether a window has events under filters.

        Raises:
            RequestFailed: If there is no page, or the time is over.
        """
        log = AuditLog(self._client, scope, filters)
        return log.asked and bool(self._ask(lambda: log.read_page(window, None)).events)

    def newest(self, scope: str, window: Window = _EVERYTHING) -> int | None:
        """The time of the newest event on the first page, in Unix seconds.

        Raises:
            RequestFailed: If there is no page, or the time is over.
        """
        return newest(self.page(scope, window))

    def made(self, kinds: Sequence[Kind]) -> tuple[list[Made], list[str]]:
        """List what was made, and say why where that cannot be listed."""
        found: list[Made] = []
        unread: list[str] = []
        for kind in kinds:
            try:
                found += self._made(kind)
            except RequestFailed as error:  # noqa: PERF203 - one for each kind
                unread.append(f"{kind.path}: {error.what}")
        return found, unread

    def files(self, event_type: str) -> Sequence[LogFile]:
        """List the first log files of a workspace.

        Raises:
            RequestFailed: If there is no listing, or the time is over.
        """
        logs = self._logs(event_type)
        return self._ask(lambda: logs.page(FIRST_TIME)).files

    def download(self, file: LogFile) -> None:
        """Download a log file of a workspace.

        Raises:
            RequestFailed: If it is not to be had, or the time is over.
        """
        logs = self._logs(AUDIT_LOG)
        self._ask(lambda: logs.download(file))

    def _logs(self, event_type: str) -> WorkspaceLogs:
        return WorkspaceLogs(
            self._workspace, self._workspace, self.settings.workspace_id, event_type
        )

    def _made(self, kind: Kind) -> Iterator[Made]:
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self._list(kind, cursor)
            for item in page.items:
                created_at = item.get("created_at")
                if isinstance(created_at, int) and 0 <= created_at < END:
                    id_ = redacted(item.get("id"), self.settings.admin_key)
                    yield Made(f"{kind.name} {id_}", created_at)
            cursor = page.cursor
            if not page.has_more or cursor is None:
                return

    def _list(self, kind: Kind, cursor: str | None) -> ListPage:
        after = [] if cursor is None else [("after", cursor)]
        params = [*kind.params, *after]
        return self._ask(
            lambda: self._client.get(kind.path, params, by_last_id).content
        )

    def _ask(self, ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except Interrupted:
            # Either the operator has had enough, or the timer.
            self._signals.check()
            what = f"No answer within the {_SECONDS} s of the check"
            raise NotAnswered(what, Cause.TIMEOUT) from None


class _Observing(Client):
    """A client that looks at the events of each response before they are read."""

    def __init__(
        self,
        endpoint: Endpoint,
        logger: logging.Logger,
        stop: threading.Event,
        *,
        observe: Callable[[bytes], None],
    ) -> None:
        super().__init__(endpoint, logger, stop)
        self._observe = observe

    @override
    def get(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        read: Callable[[bytes], _T],
    ) -> Response[_T]:
        def observed(body: bytes) -> _T:
            if path == PATH:
                self._observe(body)
            return read(body)

        return super().get(path, params, observed)


def newest(page: Page) -> int | None:
    """The time of the newest event on a page, in Unix seconds.

    One that cannot be right is left out.
    """
    times = (event.effective_at for event in page.events)
    return max((at for at in times if at < SECONDS_END), default=None)
