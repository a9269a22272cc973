"""Tasks done at the same time, whose results are handed on in order, in bounded memory.

Lists of many projects are read by it, and files downloaded. One thread takes the tasks
from their iterator, which may ask an API for them; the workers do them. The caller
never waits on the network itself, so it can look up several times a second, and a run
that is asked to end does so at once.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

_T = TypeVar("_T")
_R = TypeVar("_R")

_RESULTS_PER_TASK = 2
"""Results of a task that wait for the caller: one is taken while the next arrives."""

_HEARTBEAT_SECONDS = 0.2
"""How long a wait lasts before the caller looks up: a person hardly notices."""


@dataclass(eq=False)
class _Place(Generic[_T, _R]):
    """A task in the row, and what came of it so far."""

    task: _T
    size: int
    results: deque[_R] = field(default_factory=deque)
    is_done: bool = False
    error: BaseException | None = None


class OrderedPool(Generic[_T, _R]):
    """Does tasks. Iterate over it to get pairs of a task and a result, in order."""

    def __init__(  # noqa: PLR0913 - what is done, how, and what bounds it
        self,
        tasks: Iterable[_T],
        work: Callable[[_T], Iterable[_R]],
        *,
        heartbeat: Callable[[], None],
        workers: int,
        ahead: int,
        size: Callable[[_T], int] = lambda _: 0,
        most_size: int = 0,
    ) -> None:
        """Prepare to work.

        Args:
            tasks: What is to be done. Another thread asks for it.
            work: Does a task, and gives its results. Several threads call it.
            heartbeat: Called several times a second while the caller waits. What it
                raises ends the work.
            workers: How many tasks are done at the same time.
            ahead: How many tasks are begun, at the most, behind the one whose results
                the caller takes.
            size: How much memory the results of a task take.
            most_size: How much all may take that are begun. A larger task is done
                alone.
        """
        self._tasks = tasks
        self._work = work
        self._heartbeat = heartbeat
        self._workers = workers
        self._ahead = ahead
        self._size = size
        self._most_size = most_size
        self._changed = threading.Condition()
        self._row: deque[_Place[_T, _R]] = deque()
        """What is not handed on, and first what the caller has at the moment."""
        self._wanted: deque[_Place[_T, _R]] = deque()
        """Of these, what no worker has taken."""
        self._all_taken = False
        """Whether there is no further task."""
        self._error: BaseException | None = None
        """Why there is none."""
        self._over = False

    def __iter__(self) -> Generator[tuple[_T, _R], None, None]:
        """Do all tasks.

        Raises:
            BaseException: What a task raised, or the iterator of tasks. The results
                before it are handed on first.
        """
        for run in (self._take_tasks, *[self._do_tasks] * self._workers):
            threading.Thread(target=run, name="pool", daemon=True).start()
        try:
            while (place := self._first()) is not None:
                while self._has_result(place):
                    yield place.task, place.results.popleft()
                if place.error is not None:
                    self._raise(place.error)
                with self._changed:
                    self._row.popleft()
                    self._changed.notify_all()
            if self._error is not None:
                self._raise(self._error)
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _raise(self, error: BaseException) -> None:
        # The run may be ending, which the heartbeat says better.
        self._heartbeat()
        raise error

    def _first(self) -> _Place[_T, _R] | None:
        """Wait for the first task in the row; None after the last."""
        self._wait(lambda: bool(self._row) or self._all_taken)
        return self._row[0] if self._row else None

    def _has_result(self, place: _Place[_T, _R]) -> bool:
        """Wait for the next result of a task, and tell whether there is one."""
        with self._changed:
            self._changed.notify_all()  # there is room for another
        self._wait(lambda: bool(place.results) or place.is_done)
        return bool(place.results)

    def _wait(self, ready: Callable[[], bool]) -> None:
        while True:
            self._heartbeat()
            with self._changed:
                if ready() or self._changed.wait_for(ready, _HEARTBEAT_SECONDS):
                    return

    def _take_tasks(self) -> None:
        """Put tasks into the row, as long as there is room."""
        error = None
        try:
            for task in self._tasks:
                if not self._put(_Place(task, self._size(task))):
                    return
        except BaseException as caught:  # noqa: BLE001 - raised again by the caller
            error = caught
        with self._changed:
            self._error = error
            self._all_taken = True
            self._changed.notify_all()

    def _put(self, place: _Place[_T, _R]) -> bool:
        """Wait for room, and tell whether there was any before the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._fits(place))
            if not self._over:
                self._row.append(place)
                self._wanted.append(place)
                self._changed.notify_all()
            return not self._over

    def _fits(self, place: _Place[_T, _R]) -> bool:
        begun = sum(other.size for other in self._row)
        return not self._row or (
            len(self._row) <= self._ahead and begun + place.size <= self._most_size
        )

    def _do_tasks(self) -> None:
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        """Do the next task, and tell whether there was one before the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or self._wanted or self._all_taken
            )
            if self._over or not self._wanted:
                return False
            place = self._wanted.popleft()
        try:
            for result in self._work(place.task):
                if not self._hand_on(place, result):
                    return False
                # A name that is left over would keep the result in memory.
                del result
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            place.error = error
        with self._changed:
            place.is_done = True
            self._changed.notify_all()
        return True

    def _hand_on(self, place: _Place[_T, _R], result: _R) -> bool:
        """Wait for room, and tell whether the caller still takes results."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or len(place.results) < _RESULTS_PER_TASK
            )
            place.results.append(result)
            self._changed.notify_all()
            return not self._over
