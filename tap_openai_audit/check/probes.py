"""What a check asks of the API of an organization, as a sync would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from tap_openai_audit.audit_logs.api import PATH, AuditLog
from tap_openai_audit.check.conclusions import Made
from tap_openai_audit.check.event_times import SECONDS_END, WrongTimes
from tap_openai_audit.check.time_limit import hasty
from tap_openai_audit.errors import RequestFailed
from tap_openai_audit.http.client import Client
from tap_openai_audit.inventory.listing import by_last_id
from tap_openai_audit.redaction import redacted
from tap_openai_audit.windows import END, Window

if TYPE_CHECKING:
    import logging
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_openai_audit.audit_logs.events import Page
    from tap_openai_audit.check.time_limit import TimeLimit
    from tap_openai_audit.http.endpoint import Endpoint
    from tap_openai_audit.http.response import Response
    from tap_openai_audit.inventory.listing import ListPage
    from tap_openai_audit.settings import Settings
    from tap_openai_audit.singer.signals import Signals

_T = TypeVar("_T")

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
    """Asks the API of an organization."""

    def __init__(
        self,
        settings: Settings,
        time_limit: TimeLimit,
        *,
        signals: Signals,
        logger: logging.Logger,
    ) -> None:
        """Prepare to ask.

        Args:
            settings: Those of the sync that is checked.
            time_limit: Ends all requests in time.
            signals: What ends the check early.
            logger: Logs every request that is repeated.
        """
        self.settings = settings
        self.wrong_times = WrongTimes(settings.admin_key)
        """What was seen so far of events whose time cannot be right."""
        self._client = _Observing(
            hasty(settings.endpoint),
            logger,
            signals.stop,
            observe=self.wrong_times.observe,
        )
        self._ask = time_limit.ask

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
