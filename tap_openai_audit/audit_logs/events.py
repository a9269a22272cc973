"""What is read: events, pages of them, and the one thing the engine asks of an API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.windows import Window

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
    """A decoded response of the API."""

    events: Sequence[Event]

    has_more: bool | None
    """Whether the API promises another page. None when it does not say."""

    cursor: str | None
    """Where the next page begins. None when the API does not say."""

    served_at: int
    """What the API's clock showed when it was asked for, in Unix seconds, rather
    earlier than later: all that had appeared by then is in it."""

    date: int | None = None
    """The API's clock as this response tells it, in Unix seconds, None if not."""

    retries: int = 0
    """How many times the request was repeated before it succeeded."""

    bare: bool = False
    """Whether it came without the API's envelope."""

    size: int = 0
    """Bytes of the response. They are in memory as long as its events are."""

    full: bool = False
    """Whether it holds as many events as were asked for."""

    set_aside: Sequence[str] = ()
    """The ids of events that have no usable time: no window can hold them."""


class PageSource(Protocol):
    """Where the pages of a window come from."""

    def read_page(self, window: Window, cursor: str | None) -> Page:
        """Read one page of a window.

        Args:
            window: The time range asked for.
            cursor: Where the page begins, None for the first page of the window.

        Raises:
            VanishedCursor: If the API does not know the cursor any more.
            Exception: Whatever else ends the run. Faults that pass are retried in here.
        """
