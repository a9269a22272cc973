"""What is read: events, pages of them, and the one thing the engine asks of an API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.extraction.windows import Window

PAGE_SIZE = 100
"""Events asked for in one request: the most that the API's `limit` allows."""


class Event(NamedTuple):
    """An audit event. Events compare by time, then by id: the order of emission."""

    effective_at: int
    """When it happened, in Unix seconds."""

    id: str

    body: bytes
    """The event as the API wrote it. The engine hands it on and never looks inside."""


@dataclass(frozen=True)
class Page:
    """One reply of the API."""

    events: Sequence[Event]

    has_more: bool | None
    """Whether the API promises another page. None when it does not say."""

    cursor: str | None
    """Where the next page begins. None when the API does not say."""

    served_at: int | None = None
    """The API's own clock, in Unix seconds."""

    retries: int = 0
    """How many times the request was repeated before it succeeded."""


class PageSource(Protocol):
    """Where the pages of a window come from."""

    def read_page(self, window: Window, cursor: str | None) -> Page:
        """Read one page of a window.

        Args:
            window: The time range asked for.
            cursor: Where the page begins, None for the first page of the window.

        Raises:
            Exception: Whatever ends the run. Faults that pass are retried in here.
        """


class BrokenPromise(Exception):  # noqa: N818 - it is named for what happened
    """The API broke a rule of paging, so that completeness cannot be known."""
