"""The engine reads everything, in the order of time, whatever the API does."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from model_api import ModelApi, event

from tap_openai_audit.audit_logs.observation import Observation, Order
from tap_openai_audit.audit_logs.planning import PlannedWindow, split, too_dense
from tap_openai_audit.audit_logs.reader import Reader
from tap_openai_audit.errors import BrokenPaging, VanishedCursor
from tap_openai_audit.windows import BEGINNING, END, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_openai_audit.audit_logs.events import Event, Page

YEAR = 365 * 24 * 3600
NOW = 1_790_000_000
ORDERS = ("newest_first", "oldest_first", "shuffled")

#: Times with ties, bursts and gaps on every scale.
times = st.lists(
    st.one_of(
        st.integers(0, 20),
        st.integers(0, 5_000),
        st.integers(0, 2 * YEAR),
        st.sampled_from([7, 4_000, YEAR]),
    ),
    max_size=250,
)
logs = times.map(lambda seconds: [event(s, n) for n, s in enumerate(seconds)])


def read_all(
    api: ModelApi, window: Window | None = None, workers: int = 4
) -> list[Event]:
    reader = Reader(api, window or Window(), workers=workers)
    reads = list(reader)
    for earlier, later in pairwise(read.window for read in reads):
        assert earlier.end == later.start
    return [found for read in reads for found in read.events]


@settings(max_examples=150)
@given(
    log=logs,
    order=st.sampled_from(ORDERS),
    page_size=st.integers(1, 9),
    workers=st.integers(1, 5),
    says=st.tuples(st.booleans(), st.booleans()),
)
def test_every_event_is_read_once_in_order(
    log: list[Event], order: str, page_size: int, workers: int, says: tuple[bool, bool]
) -> None:
    api = ModelApi(log, order, page_size, *says)
    assert read_all(api, workers=workers) == sorted(log)


@settings(max_examples=60)
@given(
    log=logs,
    order=st.sampled_from(ORDERS),
    bounds=st.tuples(st.integers(0, 2 * YEAR), st.integers(0, 2 * YEAR)),
)
def test_only_the_range_asked_for_is_read(
    log: list[Event], order: str, bounds: tuple[int, int]
) -> None:
    window = Window(min(bounds), max(bounds))
    api = ModelApi(log, order, page_size=5)
    assert read_all(api, window) == sorted(e for e in log if e.effective_at in window)


#: Times of any year that a record can say, most of them about now.
any_times = st.lists(
    st.one_of(
        st.integers(NOW - YEAR, NOW),
        st.integers(NOW, NOW + 5_000),
        st.integers(-(10**9), 10**9),
        st.integers(BEGINNING, END - 1),
        st.sampled_from([0, 1, -1, NOW, NOW + 1, END - 1, 32_503_680_000]),
    ),
    max_size=120,
)


@settings(max_examples=200)
@given(
    seconds=any_times,
    order=st.sampled_from(ORDERS),
    page_size=st.integers(1, 9),
    workers=st.integers(1, 4),
)
def test_reading_ends_whatever_year_events_are_dated(
    seconds: list[int], order: str, page_size: int, workers: int
) -> None:
    log = [event(s, n) for n, s in enumerate(seconds)]
    api = ModelApi(log, order, page_size, served_at=NOW)
    assert read_all(api, workers=workers) == sorted(log)
    assert len(api.requests) <= 50 * (1 + len(log))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("future", [[32_503_680_000], [END - 1] * 150])
def test_events_of_the_future_cost_few_requests(order: str, future: list[int]) -> None:
    log = [event(NOW - 600 * n, n) for n in range(2_000)]
    log += [event(second, 10_000 + n) for n, second in enumerate(future)]
    api = ModelApi(log, order, served_at=NOW)
    assert read_all(api, workers=4) == sorted(log)
    assert len(api.requests) < {"shuffled": 120}.get(order, 60)


@settings(max_examples=100)
@given(seconds=any_times, order=st.sampled_from(ORDERS), page_size=st.integers(1, 9))
def test_no_request_names_a_time_before_1970(
    seconds: list[int], order: str, page_size: int
) -> None:
    api = ModelApi([event(s, n) for n, s in enumerate(seconds)], order, page_size)
    read_all(api)
    for window, _ in api.requests:
        assert window.start == BEGINNING or window.start >= 0
        assert window.end >= 0


@given(
    seconds=any_times.filter(bool),
    order=st.sampled_from(ORDERS),
    target=st.floats(2, 12),
    bounds=st.tuples(
        st.one_of(st.just(BEGINNING), st.integers(0, NOW)),
        st.one_of(st.just(END), st.integers(0, END)),
    ),
)
def test_a_split_makes_smaller_windows_without_a_gap(
    seconds: list[int], order: str, target: float, bounds: tuple[int, int]
) -> None:
    whole = Window(*bounds)
    log = [event(s, n) for n, s in enumerate(seconds) if s in whole]
    assume(log and whole.splittable)
    api, seen = ModelApi(log, order, page_size=5), Observation()
    seen.add(api.read_page(whole, None).events, NOW)
    parts = split(PlannedWindow(whole), seen, target=target, workers=4)
    assert parts[0].window.start == whole.start
    assert parts[-1].window.end == whole.end
    assert all(a.window.end == b.window.start for a, b in pairwise(parts))
    assert all(part.window.start < part.window.end for part in parts)
    assert all(part.window != whole for part in parts)
    assert all(part.window.start >= 0 for part in parts[1:])


def test_a_single_second_is_never_split() -> None:
    seen = Observation()
    for page in range(50):
        seen.add([event(5, 100 * page + n) for n in range(100)], NOW)
    assert not too_dense(PlannedWindow(Window(5, 6)), seen, target=2)


def test_the_order_is_observed() -> None:
    def order(*seconds: int) -> Order:
        seen = Observation()
        for number, second in enumerate(seconds):
            seen.add([event(second, number)], NOW)
        return seen.order

    assert order(9, 9, 4) is Order.NEWEST_FIRST
    assert order(4, 9, 9) is Order.OLDEST_FIRST
    assert order(4, 9, 4) is Order.MIXED
    assert order(9, 9) is Order.UNKNOWN


def shaped(shape: str, count: int) -> list[Event]:
    chance = random.Random(7)  # noqa: S311 - no secret
    shapes: dict[str, Callable[[int], int]] = {
        "uniform": lambda _: NOW - chance.randrange(YEAR),
        "burst": lambda n: (
            NOW - YEAR // 2 + chance.randrange(3600)
            if n % 10
            else NOW - chance.randrange(YEAR)
        ),
        "nightly": lambda _: (
            NOW - chance.randrange(365) * 86_400 - chance.randrange(20)
        ),
    }
    return [event(shapes[shape](number), number) for number in range(count)]


@pytest.mark.parametrize("shape", ["uniform", "burst", "nightly"])
@pytest.mark.parametrize("order", ["newest_first", "oldest_first"])
def test_requests_stay_close_to_the_pages_that_hold_the_events(
    shape: str, order: str
) -> None:
    api = ModelApi(shaped(shape, 10_000), order)
    assert read_all(api, workers=8) == sorted(api.events)
    assert len(api.requests) <= 100 * 1.5


def test_the_beginning_is_found_without_a_floor() -> None:
    api = ModelApi([event(1, 1), *(event(NOW - n, 2 + n) for n in range(5_000))])
    assert read_all(api, workers=8) == sorted(api.events)
    empty = len(api.requests) - 51
    assert empty < 40
    assert any(window.start == BEGINNING for window, _ in api.requests)


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (99, 1), (100, 2)])
def test_a_page_that_is_not_full_takes_one_request(count: int, requests: int) -> None:
    api = ModelApi([event(NOW - 10 * n, n) for n in range(count)])
    assert len(read_all(api)) == count
    assert len(api.requests) == requests


class EndsTooEarly(ModelApi):
    """Says on some full pages that nothing follows."""

    def read_page(self, window: Window, cursor: str | None) -> Page:
        page = super().read_page(window, cursor)
        if len(self.requests) % 3 == 0 and page.full:
            return replace(page, has_more=False)
        return page


@pytest.mark.parametrize("order", ORDERS)
def test_a_full_page_that_says_it_is_the_last_one_is_not_believed(order: str) -> None:
    api = EndsTooEarly([event(NOW - 60 * n, n) for n in range(3_000)], order)
    assert read_all(api) == sorted(api.events)


class SetsAside(ModelApi):
    """Has events without a usable time on each page, on some nothing else."""

    def read_page(self, window: Window, cursor: str | None) -> Page:
        page = super().read_page(window, cursor)
        first = page.events[0].id if page.events else "none"
        return replace(page, set_aside=[f"odd-{first}"])


def test_events_without_a_usable_time_keep_none_from_being_read() -> None:
    api = SetsAside([event(NOW - 60 * n, n) for n in range(1_000)])
    reads = list(Reader(api, Window(), workers=2))
    assert [e for read in reads for e in read.events] == sorted(api.events)
    aside = {id_ for read in reads for id_ in read.set_aside}
    assert {f"odd-audit_log-{n:06}" for n in (0, 100, 200)} <= aside


def test_windows_are_read_at_the_same_time() -> None:
    together = threading.Barrier(4)

    def wait_for_the_others(window: Window) -> None:
        if window != Window():
            together.wait(timeout=60)

    api = ModelApi([event(NOW - 60 * n, n) for n in range(3_200)])
    api.before_page = wait_for_the_others
    reader = Reader(api, Window(), workers=4)
    # Each page waits until four are asked for: this ends only if that happens.
    for _ in reader:
        api.before_page = lambda _window: None
        together.abort()
        break


@pytest.mark.parametrize("size", [200, 20_000, 200_000])
def test_the_buffer_is_bounded_in_bytes_whatever_size_events_have(size: int) -> None:
    class Large(ModelApi):
        def read_page(self, window: Window, cursor: str | None) -> Page:
            page = super().read_page(window, cursor)
            return replace(page, size=size * len(page.events))

    api = Large([event(NOW - 60 * n, n) for n in range(6_000)], served_at=NOW)
    reader = Reader(api, Window(NOW - YEAR), workers=4)
    reads = iter(reader)
    read = [*next(reads).events]
    # Nobody takes more until the workers find no more room: what they ask for stays.
    deadline = time.monotonic() + 60
    while reader.waiting < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    most = reader.bytes_held
    for window in reads:
        read += window.events
        most = max(most, reader.bytes_held)
    assert [e.id for e in read] == [e.id for e in sorted(api.events)]
    assert most <= (16 << 20) + 5 * 100 * size


def test_an_error_is_raised_after_all_windows_before_it() -> None:
    def fail(window: Window) -> None:
        if NOW - YEAR // 4 in window and window.end - window.start < YEAR // 8:
            raise RuntimeError("broken")

    api = ModelApi(shaped("uniform", 10_000), before_page=fail)
    reads = iter(Reader(api, Window(NOW - YEAR, NOW + 1), workers=8))
    read: list[Event] = []

    def read_on() -> None:
        while True:
            read.extend(next(reads).events)

    with pytest.raises(RuntimeError, match="broken"):
        read_on()
    assert 5_000 < len(read) < 7_501
    assert read == sorted(api.events)[: len(read)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_openai_audit.audit_logs.paging._WAIT_INITIAL", 0.0)


class Quirky(ModelApi):
    """Breaks a rule of paging from the second page on."""

    quirk = ""

    def read_page(self, window: Window, cursor: str | None) -> Page:
        follows = self.quirk == "stuck"
        page = super().read_page(window, cursor if follows else None)
        match self.quirk:
            case "repeats":
                return replace(page, has_more=True)
            case "empty":
                return replace(
                    page,
                    events=[] if cursor else page.events,
                    has_more=True,
                    cursor="next",
                )
            case "stuck":
                return replace(page, has_more=True, cursor=cursor or page.cursor)
            case _:
                outside = [event(window.end + 1, 999_999)]
                return replace(page, events=outside, has_more=False)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("quirk", "says"),
    [
        ("repeats", "no new one"),
        ("empty", "no new one"),
        ("stuck", "does not move"),
        ("outside", "outside the window"),
    ],
)
def test_broken_paging_is_a_clear_error_and_never_an_endless_loop(
    quirk: str, says: str
) -> None:
    api = Quirky([event(NOW + n, n) for n in range(300)])
    api.quirk = quirk
    with pytest.raises(BrokenPaging, match=says):
        read_all(api, Window(NOW, NOW + 300))
    assert len(api.requests) < 60


@pytest.mark.usefixtures("impatient")
def test_a_fault_of_paging_that_passes_is_survived() -> None:
    class Stumbling(ModelApi):
        def read_page(self, window: Window, cursor: str | None) -> Page:
            page = super().read_page(window, cursor)
            if len(self.requests) % 3 == 1:
                return replace(page, events=[], has_more=True, cursor=None)
            return page

    api = Stumbling([event(NOW + n, n) for n in range(950)])
    assert read_all(api) == sorted(api.events)


def test_a_run_that_is_ending_says_so_rather_than_what_its_workers_met() -> None:
    class Ending(BaseException):
        pass

    ending = threading.Event()

    def interrupted(_window: Window) -> None:
        ending.set()
        raise RuntimeError("interrupted")

    def heartbeat() -> None:
        if ending.is_set():
            raise Ending

    api = ModelApi([event(NOW, 1)], before_page=interrupted)
    with pytest.raises(Ending):
        list(Reader(api, Window(), workers=1, heartbeat=heartbeat))


def test_two_versions_of_an_event_in_one_window_are_both_read() -> None:
    log = [event(NOW, 1), event(NOW + 5, 1), event(NOW + 9, 2)]
    assert read_all(ModelApi(log)) == log


class Forgetful(ModelApi):
    """Forgets the cursors of some requests, as retention does."""

    forgets: Callable[[int], bool] = staticmethod(lambda _request: False)

    def read_page(self, window: Window, cursor: str | None) -> Page:
        if cursor is not None and self.forgets(len(self.requests)):
            self.requests.append((window, cursor))
            raise VanishedCursor("HTTP 400", status=400)
        return super().read_page(window, cursor)


def test_a_window_whose_cursor_vanished_is_read_again() -> None:
    api = Forgetful([event(NOW + n, n) for n in range(300)])
    api.forgets = lambda request: request == 1
    assert read_all(api, Window(NOW, NOW + 300)) == sorted(api.events)


def test_what_was_read_before_the_api_deleted_it_is_handed_on() -> None:
    api = Forgetful([event(NOW + n, n) for n in range(300)], "oldest_first")
    everything = sorted(api.events)

    def forgets(request: int) -> bool:
        api.events = everything[50:]
        return request == 1

    api.forgets = forgets
    assert read_all(api, Window(NOW, NOW + 300)) == everything


def test_cursors_that_vanish_time_and_again_end_the_run() -> None:
    api = Forgetful([event(NOW + n, n) for n in range(300)])
    api.forgets = lambda _request: True
    with pytest.raises(VanishedCursor):
        read_all(api, Window(NOW, NOW + 300))
