"""One window, read by cursor to its end, and the guards on what comes.

The guards catch every way in which paging could end silently or never: a page without
a new id while more is promised, a cursor that does not move, an event outside the
window. A guarded page is asked again a few times; then the run ends with the reason,
and the bookmark stays behind the last window that is complete.

A cursor is an event, and retention may delete it between two pages. The window is then
read again from its beginning, once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.observation import Observation
from tap_openai_audit.audit_logs.planning import too_dense
from tap_openai_audit.errors import BrokenPaging, VanishedCursor
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_openai_audit.audit_logs.events import Event, Page, PageSource
    from tap_openai_audit.audit_logs.observation import Order
    from tap_openai_audit.audit_logs.planning import PlannedWindow
    from tap_openai_audit.windows import Window

_ATTEMPTS = 4
_WAIT_INITIAL = 0.4
"""Seconds before a guarded page is asked again, doubled each time: in all 2.8 s, enough
for a replica that lags behind, and short beside a schedule of minutes."""


@dataclass(frozen=True)
class WindowRead:
    """A window that was read to its end."""

    window: Window
    events: list[Event]
    """All its events, oldest first, ties by id."""
    pages: int
    order: Order
    read_at: int
    """When its first page was answered, in Unix seconds of the API's clock: events that
    appeared later may be missing."""
    set_aside: Sequence[str] = ()
    """The ids of events without a usable time that came with it."""


@dataclass(frozen=True)
class TooDense:
    """A window that was left after some pages, because it is better split."""

    seen: Observation


def read_window(
    source: PageSource,
    planned: PlannedWindow,
    *,
    target: Callable[[], float],
    on_page: Callable[[Page], None],
    pause: Callable[[float], object],
) -> WindowRead | TooDense:
    """Read a window page by page.

    Args:
        source: Where the pages come from.
        planned: The window, and what was believed about it.
        target: How many pages a window should hold now.
        on_page: Told of every page that arrives. What it raises ends the reading.
        pause: Waits so many seconds before a guarded page is asked again.

    Raises:
        BrokenPaging: If the API still breaks a rule of paging after several attempts.
        VanishedCursor: If it forgets cursors time and again.
    """
    reading = _Reading(source, planned, target, on_page, pause)
    try:
        return reading.to_the_end()
    except VanishedCursor:
        before, aside = reading.events, reading.set_aside
    reading = _Reading(source, planned, target, on_page, pause)
    outcome = reading.to_the_end()
    if isinstance(outcome, WindowRead):
        # What the API has deleted meanwhile was there: it is handed on as well.
        events = {event[:2]: event for event in outcome.events}
        events = {**before, **events}
        aside |= dict.fromkeys(outcome.set_aside)
        return replace(outcome, events=sorted(events.values()), set_aside=[*aside])
    return outcome


@dataclass
class _Reading:
    """A window while it is read, up to the first cursor that is gone."""

    source: PageSource
    planned: PlannedWindow
    target: Callable[[], float]
    on_page: Callable[[Page], None]
    pause: Callable[[float], object]
    events: dict[tuple[int, str], Event] = field(default_factory=dict)
    """What came so far, by time and id."""
    set_aside: dict[str, None] = field(default_factory=dict)
    """The ids of events without a usable time, in the order in which they came."""

    def to_the_end(self) -> WindowRead | TooDense:
        window, seen = self.planned.window, Observation()
        cursor: str | None = None
        read_at: int | None = None
        while True:
            page, new, following = self._page(cursor)
            read_at = page.served_at if read_at is None else read_at
            brings = bool(new) or not self.set_aside.keys() >= {*page.set_aside}
            self.events.update((event[:2], event) for event in new)
            self.set_aside |= dict.fromkeys(page.set_aside)
            if new:
                seen.add(new, page.served_at)
            # That a full page is the last one is not believed before one more is empty.
            ends = page.has_more is False and not page.full
            if ends or not (page.has_more or brings):
                events, aside = sorted(self.events.values()), [*self.set_aside]
                return WindowRead(
                    window, events, seen.pages, seen.order, read_at, aside
                )
            may_split = page.has_more is not False and seen.pages
            if may_split and too_dense(self.planned, seen, self.target()):
                return TooDense(seen)
            cursor = following

    def _page(self, cursor: str | None) -> tuple[Page, list[Event], str | None]:
        """Read a page that keeps the rules, its new events, and the next cursor."""
        for attempt in count(1):
            page = self.source.read_page(self.planned.window, cursor)
            self.on_page(page)
            # A time that was corrected makes another version of the event.
            new = [event for event in page.events if event[:2] not in self.events]
            following = page.cursor or (page.events[-1].id if page.events else None)
            brings = bool(new) or not self.set_aside.keys() >= {*page.set_aside}
            fault = _fault(self.planned.window, page, new, brings=brings)
            if fault is None and page.has_more and following == cursor:
                fault = "the API promises more events, but its cursor does not move"
            if fault is None:
                return page, new, following
            if attempt == _ATTEMPTS:
                raise BrokenPaging(fault)
            self.pause(_WAIT_INITIAL * 2 ** (attempt - 1))
        raise AssertionError("unreachable")


def _fault(window: Window, page: Page, new: list[Event], *, brings: bool) -> str | None:
    """Return the rule of paging that a page breaks, in words, None for none."""
    for event in new:
        if event.effective_at not in window:
            return (
                f"the API returned an event of second {event.effective_at}"
                f" ({redacted(event.id, longest=100)}) outside the window that was"
                f" asked for [{window.start}, {window.end})"
            )
    if page.has_more and not brings:
        return "the API promises more events, but its page brings no new one"
    return None
