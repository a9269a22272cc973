"""One window, read by cursor to its end, and the guards on what comes.

The guards catch every way in which paging could end silently or never: a page without
a new id while more is promised, a cursor that does not move, an event outside the
window. A guarded page is asked again a few times; then the run ends with the reason,
and the bookmark stays behind the last window that is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.events import BrokenPromise
from tap_openai_audit.extraction.observation import Observation, Order
from tap_openai_audit.extraction.splitting import too_dense

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_openai_audit.extraction.events import Event, Page, PageSource
    from tap_openai_audit.extraction.windows import Stretch, Window

_TRIES = 4
_FIRST_WAIT = 0.4


@dataclass(frozen=True)
class WindowRead:
    """A window that was read to its end."""

    window: Window
    events: list[Event]
    """All its events, oldest first, ties by id."""
    pages: int
    order: Order


@dataclass(frozen=True)
class TooDense:
    """A window that was left after some pages, because it is better split."""

    stretch: Stretch
    seen: Observation


def read_window(
    source: PageSource,
    stretch: Stretch,
    *,
    target: Callable[[], float],
    on_page: Callable[[Page], None],
    pause: Callable[[float], object],
) -> WindowRead | TooDense:
    """Read a window page by page.

    Args:
        source: Where the pages come from.
        stretch: The window, and what was believed about it.
        target: How many pages a window should hold now.
        on_page: Told of every page that arrives, those of windows left included.
        pause: Waits so many seconds before a guarded page is asked again.

    Raises:
        BrokenPromise: If the API still breaks a rule of paging after several tries.
    """
    events: dict[str, Event] = {}
    seen = Observation()
    cursor: str | None = None
    while True:
        for attempt in range(1, _TRIES + 1):
            page = source.read_page(stretch.window, cursor)
            on_page(page)
            new = [event for event in page.events if event.id not in events]
            following = page.cursor or (page.events[-1].id if page.events else None)
            fault = _fault(stretch.window, page, new, cursor, following)
            if fault is None:
                break
            if attempt == _TRIES:
                raise BrokenPromise(fault)
            pause(_FIRST_WAIT * 2 ** (attempt - 1))
        events.update((event.id, event) for event in new)
        if new:
            seen.add(new)
        if not page.has_more and (page.has_more is False or not new):
            return WindowRead(
                stretch.window, sorted(events.values()), len(seen.spans), seen.order
            )
        if too_dense(stretch, seen, target()):
            return TooDense(stretch, seen)
        cursor = following


def _fault(
    window: Window,
    page: Page,
    new: list[Event],
    cursor: str | None,
    following: str | None,
) -> str | None:
    """The rule of paging that a page breaks, in words, None if it breaks none."""
    for event in new:
        if event.effective_at not in window:
            return (
                f"the API returned an event of second {event.effective_at}"
                f" ({event.id}) outside the window that was asked for"
                f" [{window.start}, {window.end})"
            )
    if page.has_more and not new:
        return "the API promises more events, but its page brings no new one"
    if page.has_more and following == cursor:
        return "the API promises more events, but its cursor does not move"
    return None
