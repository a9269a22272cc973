"""Several lists read at the same time, in bounded memory.

Workers take one list after the other and hand on its pages through a queue that holds
a few pages for each of them. The caller never waits on the network itself, so it can
look up several times a second, and a run that is asked to end does so at once.
"""

from __future__ import annotations

import threading
from itertools import count
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from tap_openai_audit.errors import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

_K = TypeVar("_K")
_Items: TypeAlias = "list[dict[str, Any]]"

_PAGES_PER_WORKER = 2
"""Pages that wait for the caller: one is taken while the next arrives."""

_HEARTBEAT_SECONDS = 0.2
"""How long a wait lasts before the caller looks up: a person hardly notices."""


class ParallelLists(Generic[_K]):
    """Reads lists with several workers.

    Iterate over it to get pairs of the list's key and a page of it, or the error that
    ended it. Pages of a list come in their order; pages of different lists are mixed.
    """

    def __init__(
        self,
        lists: Sequence[_K],
        pages: Callable[[_K], Iterable[_Items]],
        *,
        workers: int,
        heartbeat: Callable[[], None],
    ) -> None:
        """Prepare to read.

        Args:
            lists: The keys of the lists.
            pages: Reads a list page by page. It is called by several threads.
            workers: How many requests may be under way at the same time.
            heartbeat: Called several times a second while the caller waits. What it
                raises ends the reading.
        """
        self._lists = lists
        self._numbers = count()
        self._pages = pages
        self._workers = min(workers, len(lists))
        self._heartbeat = heartbeat
        self._out: Queue[tuple[_K, _Items | RequestFailed] | _End] = Queue(
            _PAGES_PER_WORKER * self._workers
        )
        self._stopped = threading.Event()

    def __iter__(
        self,
    ) -> Generator[tuple[_K, _Items | RequestFailed], None, None]:
        """Read all lists to their end."""
        for number in range(self._workers):
            threading.Thread(
                target=self._work, name=f"lists-{number}", daemon=True
            ).start()
        working = self._workers
        try:
            while working:
                self._heartbeat()
                try:
                    item = self._out.get(timeout=_HEARTBEAT_SECONDS)
                except Empty:
                    continue
                if not isinstance(item, _End):
                    yield item
                elif item.error is None:
                    working -= 1
                else:
                    # The run may be ending, which the heartbeat says better.
                    self._heartbeat()
                    raise item.error
        finally:
            self._stopped.set()

    def _work(self) -> None:
        """Read lists until none is left."""
        error = None
        try:
            for number in self._numbers:
                if number >= len(self._lists) or self._stopped.is_set():
                    break
                self._read(self._lists[number])
        except BaseException as caught:  # noqa: BLE001 - raised again by the caller
            error = caught
        self._hand_on(_End(error))

    def _read(self, key: _K) -> None:
        try:
            for page in self._pages(key):
                self._hand_on((key, page))
                if self._stopped.is_set():
                    break
        except RequestFailed as error:
            self._hand_on((key, error))

    def _hand_on(self, item: tuple[_K, _Items | RequestFailed] | _End) -> None:
        """Wait for room in the queue, unless nobody reads it any more."""
        while not self._stopped.is_set():
            try:
                self._out.put(item, timeout=_HEARTBEAT_SECONDS)
            except Full:
                continue
            return


class _End:
    """A worker has nothing more to do."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
