"""What a check asks of the API: as a sync would, but with the patience of a person."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from tap_openai_audit.api.audit_log import AuditLog
from tap_openai_audit.api.client import Client, Interrupted
from tap_openai_audit.api.listing import by_last_id
from tap_openai_audit.api.refusals import Cause, Refusal
from tap_openai_audit.diagnosis.judgement import Witness
from tap_openai_audit.extraction.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from tap_openai_audit.api import listing
    from tap_openai_audit.extraction.events import Page
    from tap_openai_audit.run import Run

_T = TypeVar("_T")

_SECONDS = 45
_REQUEST_SECONDS = 10
RETRY_SECONDS = 10
"""How long a check tries again at the most; a sync may be more patient."""

_PAGES = 3
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

    def __init__(self, run: Run) -> None:
        """Prepare to ask under the settings of a run."""
        settings = run.settings
        self._signals = run.signals
        patient = replace(
            settings,
            request_timeout_seconds=min(
                settings.request_timeout_seconds, _REQUEST_SECONDS
            ),
            max_retry_seconds=min(settings.max_retry_seconds, RETRY_SECONDS),
        )
        self._client = Client(patient, run.logger, run.signals.stop)
        self._timer = threading.Timer(_SECONDS, run.signals.stop.set)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Begin to measure the time."""
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop to measure the time."""
        self._timer.cancel()

    def page(self, scope: str, window: Window = _EVERYTHING) -> Page:
        """Read the first page of a window, under no filter.

        Raises:
            Refusal: If the API refuses, or the time is over.
        """
        log = AuditLog(self._client, scope, {})
        return self._ask(lambda: log.read_page(window, None))

    def matches(
        self, scope: str, window: Window, filters: Mapping[str, tuple[str, ...]]
    ) -> bool:
        """Whether a window has events under filters.

        Raises:
            Refusal: If the API refuses, or the time is over.
        """
        log = AuditLog(self._client, scope, filters)
        return log.asked and bool(self._ask(lambda: log.read_page(window, None)).events)

    def newest(self, scope: str, window: Window = _EVERYTHING) -> int | None:
        """The time of the newest event on the first page, in Unix seconds.

        Raises:
            Refusal: If the API refuses, or the time is over.
        """
        return newest(self.page(scope, window))

    def witnesses(self, kinds: Sequence[Kind]) -> tuple[list[Witness], list[str]]:
        """List what was made, and say why where that is refused."""
        found: list[Witness] = []
        unread: list[str] = []
        for kind in kinds:
            try:
                found += self._witnesses(kind)
            except Refusal as refusal:  # noqa: PERF203 - one for each kind
                unread.append(f"{kind.path}: {refusal.what}")
        return found, unread

    def _witnesses(self, kind: Kind) -> Iterator[Witness]:
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self._list(kind, cursor)
            for item in page.items:
                created_at = item.get("created_at")
                if isinstance(created_at, int):
                    yield Witness(f"{kind.name} {item.get('id')}", created_at)
            cursor = page.cursor
            if not page.has_more or cursor is None:
                return

    def _list(self, kind: Kind, cursor: str | None) -> listing.Page:
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
            raise Refusal(Cause.TIMEOUT, what) from None


def newest(page: Page) -> int | None:
    """The time of the newest event on a page, in Unix seconds."""
    return max((event.effective_at for event in page.events), default=None)
