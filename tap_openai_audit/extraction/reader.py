"""Many windows read in parallel, handed on oldest first.

Workers take windows from the plan and leave what they read in a buffer; the caller
takes it out in the order of time. The buffer is bounded in pages: when it is full,
only the window that the caller waits for may still be begun, so memory does not grow
with the length of the log, and nothing can wait for itself. While older events are
still looked for, the newer ones that are read meanwhile stay to the end, so they may
only take a part of the buffer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.plan import Plan
from tap_openai_audit.extraction.reading import TooDense, WindowRead, read_window

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_openai_audit.extraction.events import Page, PageSource
    from tap_openai_audit.extraction.windows import Stretch, Window

_PAGES_PER_WORKER, _PAGES_PER_WORKER_WHILE_LOOKING = 24, 8
_HEARTBEAT_SECONDS = 0.25


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
        self.served_at: int | None = None
        self.newest: int | None = None
        self._source = source
        self._whole = whole
        self._workers = workers
        self._heartbeat = heartbeat
        self._plan = Plan(whole, workers)
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._position = whole.start
        self._done: dict[int, WindowRead] = {}
        self._pages_held = 0.0
        self._looking = 0
        self._failure: tuple[int, BaseException] | None = None

    def __iter__(self) -> Generator[WindowRead, None, None]:
        """Read everything, oldest first."""
        for number in range(self._workers):
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
                    self._position = read.window.end
                    self._pages_held -= read.pages
                    self._changed.notify_all()
                    return read
                if self._failure is not None and self._failure[0] == self._position:
                    # The run may be ending, which the heartbeat says better.
                    self._heartbeat()
                    raise self._failure[1]
                self._changed.wait(_HEARTBEAT_SECONDS)

    def _work(self) -> None:
        """Read windows until none is left."""
        while (stretch := self._take()) is not None:
            try:
                outcome = read_window(
                    self._source,
                    stretch,
                    target=self._target,
                    on_page=self._count,
                    pause=self._stopped.wait,
                )
            except BaseException as error:  # noqa: BLE001 - raised again by the caller
                self._fail(stretch, error)
                continue
            with self._changed:
                self._pages_held -= stretch.pages
                self._looking -= stretch.density is None
                if isinstance(outcome, TooDense):
                    self._plan.split(stretch, outcome.seen)
                else:
                    self._plan.learn(stretch.window, outcome.pages)
                    self._done[stretch.window.start] = outcome
                    self._pages_held += outcome.pages
                self._changed.notify_all()

    def _take(self) -> Stretch | None:
        """Wait for a window that may be read now, None at the end."""
        with self._changed:
            while not self._stopped.is_set() and self._position < self._whole.end:
                start = self._plan.next_start
                if start is not None and self._may_begin(start):
                    stretch = self._plan.take()
                    self._pages_held += stretch.pages
                    self._looking += stretch.density is None
                    return stretch
                self._changed.wait()
            return None

    def _may_begin(self, start: int) -> bool:
        """Whether the window that begins here is wanted, and there is room for it."""
        if self._failure is not None and start > self._failure[0]:
            return False
        pages = _PAGES_PER_WORKER_WHILE_LOOKING if self._looking else _PAGES_PER_WORKER
        return self._pages_held < pages * self._workers or start == self._position

    def _fail(self, stretch: Stretch, error: BaseException) -> None:
        """Remember the failure that is first in time."""
        with self._changed:
            start = stretch.window.start
            if self._failure is None or start < self._failure[0]:
                self._failure = (start, error)
            self._changed.notify_all()

    def _target(self) -> float:
        with self._changed:
            return self._plan.target

    def _count(self, page: Page) -> None:
        with self._changed:
            self.requests += 1 + page.retries
            self.retries += page.retries
            if page.served_at is not None:
                self.served_at = max(page.served_at, self.served_at or 0)
            if page.events:
                newest = max(event.effective_at for event in page.events)
                if self.newest is None or newest > self.newest:
                    self.newest = newest
