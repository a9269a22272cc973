"""An audit log in memory, for tests of the engine without HTTP and without Singer."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.events import Event, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_openai_audit.extraction.windows import Window


def event(second: int, number: int) -> Event:
    return Event(second, f"audit_log-{number:06}", b"{}")


@dataclass
class ModelApi:
    """Serves the events that it holds, in any order, with pages of any size."""

    events: Iterable[Event]
    order: str = "newest_first"
    page_size: int = 100
    says_has_more: bool = True
    says_cursor: bool = True
    served_at: int = 2 * 10**9
    before_page: Callable[[Window], None] = lambda _window: None
    requests: list[tuple[Window, str | None]] = field(default_factory=list)

    def read_page(self, window: Window, cursor: str | None) -> Page:
        self.requests.append((window, cursor))
        self.before_page(window)
        listed = self._listed(window)
        ids = [event.id for event in listed]
        start = ids.index(cursor) + 1 if cursor else 0
        page = listed[start : start + self.page_size]
        return Page(
            page,
            start + self.page_size < len(listed) if self.says_has_more else None,
            page[-1].id if page and self.says_cursor else None,
            self.served_at,
        )

    def _listed(self, window: Window) -> list[Event]:
        inside = [event for event in self.events if event.effective_at in window]
        # Ties come in an order of their own, which is not that of the ids.
        inside.sort(key=lambda event: (event.effective_at, event.id[::-1]))
        if self.order == "newest_first":
            inside.reverse()
        elif self.order == "shuffled":
            random.Random(len(inside)).shuffle(inside)  # noqa: S311 - no secret
        return inside
