"""Tasks are done at the same time, their results come in order, in bounded memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tap_openai_audit.ordered_pool import OrderedPool

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

HANGS_SECONDS = 30  # bounds a hang, and nothing else


class Ended(Exception):
    pass


def results(
    tasks: Iterable[Any],
    work: Callable[[Any], Iterable[Any]],
    *,
    heartbeat: Callable[[], None] = lambda: None,
    **bounds: Any,
) -> Generator[Any, None, None]:
    bounds = {"workers": 4, "ahead": 8, **bounds}
    return iter(OrderedPool(tasks, work, heartbeat=heartbeat, **bounds))


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (1, 8), (4, 4), (8, 32)])
def test_all_results_of_all_tasks_come_in_order(workers: int, ahead: int) -> None:
    found = results(range(60), range, workers=workers, ahead=ahead)
    assert [*found] == [(task, n) for task in range(60) for n in range(task)]


def test_without_a_task_there_is_no_result() -> None:
    assert [*results([], range)] == []


def test_tasks_are_done_at_the_same_time() -> None:
    together = threading.Barrier(4)

    def work(task: int) -> Iterator[int]:
        together.wait(HANGS_SECONDS)
        yield task

    assert [result for _, result in results(range(4), work)] == [*range(4)]


def test_results_wait_for_those_of_the_task_before() -> None:
    second_is_there = threading.Event()

    def work(task: int) -> Iterator[int]:
        if task == 0:
            assert second_is_there.wait(HANGS_SECONDS)
        yield task
        second_is_there.set()

    # What the second yields may wait: two results of each task have room.
    assert [task for task, _ in results(range(5), work)] == [*range(5)]


def test_an_error_comes_behind_the_results_before_it() -> None:
    def work(task: int) -> Iterator[int]:
        yield 1
        if task == 1:
            raise ValueError("a mistake")

    found = results(range(3), work)
    assert [next(found), next(found)] == [(0, 1), (1, 1)]
    with pytest.raises(ValueError, match="a mistake"):
        next(found)


def test_an_error_of_the_tasks_comes_behind_all_results() -> None:
    def tasks() -> Iterator[int]:
        yield 2
        raise ValueError("a mistake")

    found = results(tasks(), range)
    assert [next(found), next(found)] == [(2, 0), (2, 1)]
    with pytest.raises(ValueError, match="a mistake"):
        next(found)


def test_a_caller_who_does_not_take_results_is_not_run_ahead_of() -> None:
    begun: list[int] = []

    def work(task: int) -> Iterator[int]:
        begun.append(task)
        yield task

    for task, _ in results(range(200), work, workers=3, ahead=5):
        assert len(begun) <= task + 1 + 5
    assert len(begun) == 200


def test_a_long_task_is_not_read_ahead_of() -> None:
    given: list[int] = []

    def work(task: int) -> Iterator[int]:
        for number in range(100):
            given.append(number)
            yield task

    for taken, _ in enumerate(results([0], work)):
        # Two wait, and one is in the hands of the worker.
        assert len(given) <= taken + 1 + 3


def test_the_heartbeat_ends_a_wait_for_a_result_that_never_comes() -> None:
    over = threading.Event()
    beats = iter([None, None, Ended()])

    def work(_: int) -> Iterator[int]:
        over.wait(HANGS_SECONDS)
        yield 0

    def heartbeat() -> None:
        if (ending := next(beats)) is not None:
            raise ending

    with pytest.raises(Ended):
        list(results([0], work, heartbeat=heartbeat))
    over.set()


def test_no_task_is_begun_once_the_caller_has_left() -> None:
    begun: list[int] = []
    both, left = threading.Event(), threading.Event()

    def work(task: int) -> Iterator[int]:
        begun.append(task)
        if len(begun) == 3:
            both.set()
        if task:
            left.wait(HANGS_SECONDS)
        yield task

    found = results(range(100), work, workers=2, ahead=50)
    next(found)
    assert both.wait(HANGS_SECONDS)
    found.close()
    left.set()
    for thread in threading.enumerate():
        if thread.name == "pool":
            thread.join(HANGS_SECONDS)
    assert begun == [0, 1, 2]
