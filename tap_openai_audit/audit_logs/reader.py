"""Many windows read in parallel, handed on oldest first.

Workers take windows from the plan and leave what they read in a buffer; the caller
takes it out in the order of time, which gives backpressure: the buffer is bounded in
bytes, and while it is full only the window that the caller waits for is read on. So
memory grows neither with the length of the log nor with the size of its events. A
deadlock is impossible: windows are taken oldest first, so the one that the caller waits
for is read, being read, or the next to be taken, and it never waits for room. Only the
events of a single second are held whole.

While older events are still looked for, the newer ones that are read meanwhile stay to
the end, so they may only take a part of the buffer.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.paging import TooDense, WindowRead, read_window
from tap_openai_audit.audit_logs.planning import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_openai_audit.audit_logs.events import Page, PageSource
    from tap_openai_audit.audit_logs.planning import PlannedWindow
    from tap_openai_audit.windows import Window

    _Outcome = WindowRead | TooDense | BaseException
    """What came of reading a window."""

_BYTES_PER_WORKER, _MOST_BYTES = 4 << 20, 32 << 20
"""The size of the buffer. Four MiB hold 27 pages of usual events, enough that no worker
waits for another; with 32 MiB in all the process stays far below 150 MB."""

_SHARE_WHILE_LOOKING = 1 / 3

_EVENT_OVERHEAD = 400
"""Bytes that an event takes in memory beside its body, measured with short events."""

_USUAL_PAGE = 150_000
"""Bytes that a page is believed to take before one was seen."""

_HEARTBEAT_SECONDS = 0.25
"""How often the caller looks up while it waits: a signal is seen within this time."""


class Reader:
    """Reads a time range with several workers.

    Iterate over it to get `WindowRead`s that follow each other in time without a gap.
    An error of a worker is raised after all windows before it have been handed on.
    """

    def __init__(
        self,
        source: PageSource,
        whole: Window,
        *,
        workers: int,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to read.

        Args:
            source: Where the pages come from. It is called by several threads.
            whole: The range to read.
            workers: How many requests may be under way at the same time.
            heartbeat: Called before each window and several times a second while the
                caller waits for one. What it raises ends the reading.
        """
        self.requests = 0
        self.retries = 0
        self.pages = 0
        self.waiting = 0
        """Workers with nothing to do: all of them while the target is slower than the
        API, or where little is left."""
        self.served_at: int | None = None
        """The API's clock at the last page, in Unix seconds."""
        self.newest: int | None = None
        """The newest event on any page, those dated after the API's clock left out."""
        self._source = source
        self._whole = whole
        self.workers = workers
        self._heartbeat = heartbeat
        self._plan = Plan(whole, workers)
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._position = whole.start
        self._done: dict[int, WindowRead] = {}
        self._held: dict[int, int] = {}
        """Bytes of each window that is read or was, by its start."""
        self._most_bytes = min(_BYTES_PER_WORKER * workers, _MOST_BYTES)
        self._page_bytes = _USUAL_PAGE
        self._looking = 0
        self._failure: tuple[int, BaseException] | None = None

    def __iter__(self) -> Generator[WindowRead, None, None]:
        """Read everything, oldest first."""
        for number in range(self.workers):
            threading.Thread(
                target=self._work, name=f"reader-{number}", daemon=True
            ).start()
        try:
            while self._position < self._whole.end:
                yield self._next()
        finally:
            with self._changed:
                self._stopped.set()
                self._changed.notify_all()

    def _next(self) -> WindowRead:
        """Wait for the window that comes next in time."""
        while True:
            self._heartbeat()
            with self._changed:
                if (read := self._done.pop(self._position, None)) is not None:
                    del self._held[self._position]
                    self._position = read.window.end
                    self._changed.notify_all()
                    return read
                if self._failure is not None and self._failure[0] == self._position:
                    # The run may be ending, which the heartbeat says better.
                    self._heartbeat()
                    raise self._failure[1]
                self._changed.wait(_HEARTBEAT_SECONDS)

    def _work(self) -> None:
        """Read windows until none is left. Between them nothing of one is held."""
        while (planned := self._take()) is not None:
            self._settle(planned, self._read(planned))

    def _read(self, planned: PlannedWindow) -> _Outcome:
        try:
            return read_window(
                self._source,
                planned,
                target=self._target,
                on_page=partial(self._on_page, planned),
                pause=self._stopped.wait,
            )
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            return error

    def _settle(self, planned: PlannedWindow, outcome: _Outcome) -> None:
        """Keep what was read of a window, or see to it that it is read."""
        start = planned.window.start
        with self._changed:
            self._looking -= planned.density is None
            if isinstance(outcome, WindowRead):
                if planned.density is not None:
                    planned.density.learn(planned.window, outcome.pages)
                self._done[start] = outcome
            else:
                del self._held[start]
                if isinstance(outcome, TooDense):
                    self._plan.split(planned, outcome.seen)
                elif self._failure is None or start < self._failure[0]:
                    self._failure = (start, outcome)
            self._changed.notify_all()

    def _take(self) -> PlannedWindow | None:
        """Wait for a window that may be read now, None at the end."""
        with self._changed:
            while not self._stopped.is_set() and self._position < self._whole.end:
                start = self._plan.next_start
                if start is not None and self._may_begin(start):
                    planned = self._plan.take(self._target_by_size())
                    self._held[start] = 0
                    self._looking += planned.density is None
                    return planned
                self.waiting += 1
                self._changed.wait()
                self.waiting -= 1
            return None

    @property
    def bytes_held(self) -> int:
        """How many bytes the windows take that are read and not yet handed on."""
        with self._changed:
            return sum(self._held.values())

    def _may_begin(self, start: int) -> bool:
        """Tell whether the window that begins here is wanted, and has room."""
        if self._failure is not None and start > self._failure[0]:
            return False
        if start == self._position:
            return True
        most = self._most_bytes * (_SHARE_WHILE_LOOKING if self._looking else 1)
        return self._expected() + self._page_bytes <= most

    def _expected(self) -> int:
        """Return the bytes that are held, and a page for each window that is read."""
        reading = len(self._held) - len(self._done)
        return sum(self._held.values()) + reading * self._page_bytes

    def _target(self) -> float:
        """Return how many pages a window should hold now."""
        with self._changed:
            return min(self._plan.target, self._target_by_size())

    def _target_by_size(self) -> float:
        """Return how many pages of a window leave room for those of other workers."""
        return max(1.0, self._most_bytes / self.workers / self._page_bytes)

    def _on_page(self, planned: PlannedWindow, page: Page) -> None:
        """Take note of a page, and wait for room before the next one.

        Raises:
            _StoppedError: If the caller has stopped reading.
        """
        size = page.size + _EVENT_OVERHEAD * len(page.events)
        now, start = page.served_at, planned.window.start
        happened = [e.effective_at for e in page.events if e.effective_at <= now]
        with self._changed:
            self.pages += 1
            self.requests += 1 + page.retries
            self.retries += page.retries
            self.served_at = max(now, self.served_at or now)
            if happened:
                newest = max(happened)
                self.newest = (
                    newest if self.newest is None else max(newest, self.newest)
                )
            # A page of large events is remembered while smaller ones come.
            self._page_bytes = max(size, self._page_bytes * 9 // 10, _EVENT_OVERHEAD)
            self._held[start] += size
            self.waiting += 1
            self._changed.wait_for(lambda: self._may_go_on(start))
            self.waiting -= 1
        if self._stopped.is_set():
            raise _StoppedError

    def _may_go_on(self, start: int) -> bool:
        """Tell whether there is room for another page of the window."""
        has_room = self._expected() <= self._most_bytes
        return has_room or start == self._position or self._stopped.is_set()


class _StoppedError(Exception):
    """The caller has stopped reading."""
