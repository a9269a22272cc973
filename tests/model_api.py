"""An audit log in memory, for tests of the engine without HTTP and without Singer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

from tap_openai_audit.audit_logs.events import Event, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_openai_audit.windows import Window


def event(second: int, number: int) -> Event:
    return Event(second, f"audit_log-{number:06}", b"{}")


@dataclass
class ModelApi:
    """Serves the events that it holds, in any order, with pages of any size."""

    events: Sequence[Event]
    order: str = "newest_first"
    page_size: int = 100
    says_has_more: bool = True
    says_cursor: bool = True
    served_at: int = 2 * 10**9
    """The API's clock, in Unix seconds."""
    appears_at: Mapping[str, int] = field(default_factory=dict)
    """When events become visible, by id, if not at once."""
    before_page: Callable[[Window], None] = lambda _window: None
    requests: list[tuple[Window, str | None]] = field(default_factory=list)
    _listings: dict[tuple[Window, int], tuple[object, int, list[Event]]] = field(
        default_factory=dict
    )
    """What was listed of windows: a list is sorted once for all its pages."""

    def read_page(self, window: Window, cursor: str | None) -> Page:
        self.requests.append((window, cursor))
        self.before_page(window)
        now = self.served_at
        listed = self._listed(window, now)
        start = 0
        if cursor:
            # What appeared meanwhile moves the others on, but never the cursor.
            start = next(n for n, e in enumerate(listed) if e.id == cursor) + 1
        page = listed[start : start + self.page_size]
        return Page(
            page,
            start + self.page_size < len(listed) if self.says_has_more else None,
            page[-1].id if page and self.says_cursor else None,
            now,
            full=len(page) == self.page_size,
        )

    def _listed(self, window: Window, now: int) -> list[Event]:
        events = self.events
        known = self._listings.get((window, now))
        if known is not None and known[0] is events and known[1] == len(events):
            return known[2]
        start, end = window.start, window.end
        inside = [
            event
            for event in events
            if start <= event.effective_at < end
            and self.appears_at.get(event.id, now) <= now
        ]
        # Ties come in an order of their own, which is not that of the ids.
        inside.sort(key=lambda event: (event.effective_at, event.id[::-1]))
        if self.order == "newest_first":
            inside.reverse()
        elif self.order == "shuffled":
            inside.sort(key=lambda event: crc32(event.id.encode()))
        self._listings[window, now] = (events, len(events), inside)
        return inside
