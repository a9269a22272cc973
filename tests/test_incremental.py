"""Across runs every event is emitted once, whatever is late, killed or stalled."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_api import ModelApi, event

from tap_openai_audit.extraction.events import Event
from tap_openai_audit.extraction.extract import extract
from tap_openai_audit.extraction.incremental import Incremental
from tap_openai_audit.extraction.observation import Order
from tap_openai_audit.extraction.paging import WindowRead
from tap_openai_audit.extraction.position import Asked, Position, is_in_the_future
from tap_openai_audit.extraction.reader import Reader
from tap_openai_audit.extraction.report import Report
from tap_openai_audit.extraction.sketch import Sketch
from tap_openai_audit.extraction.windows import BEGINNING, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOOKBACK = 100
NOW = 10**6
BUDGET = 28 * 1024


class Killed(Exception):
    pass


@dataclass
class Runs:
    """Runs of one scope that hand their position on, as it is kept between runs."""

    asked: Asked = field(default_factory=lambda: Asked(lookback=LOOKBACK))
    saved: Position = field(default_factory=Position)
    emitted: list[Event] = field(default_factory=list)
    confirmed: int = 0
    """How many of `emitted` were followed by a checkpoint."""
    budget: int = BUDGET
    page_size: int = 7

    def run(
        self,
        events: Sequence[Event],
        *,
        order: str = "newest_first",
        killed_after: int | None = None,
        size: int = 10,
        now: int = NOW,
    ) -> Report:
        api = ModelApi(events, order, self.page_size, served_at=now)
        return self.run_on(api, killed_after=killed_after, size=size)

    def run_on(
        self,
        api: ModelApi,
        *,
        killed_after: int | None = None,
        size: int = 10,
        on_write: Callable[[], None] = lambda: None,
    ) -> Report:
        report = Report("organization", started_at=api.served_at)
        incremental = Incremental(self.asked, self.saved, report)
        killed = False

        def write(new: Sequence[Event]) -> int:
            nonlocal killed
            self.emitted += new
            on_write()
            killed = killed_after is not None and report.emitted >= killed_after
            if killed:
                raise Killed
            return len(new)

        def checkpoint() -> None:
            if not killed:
                position = incremental.position(self.budget)
                encoded = position.known.encode()
                assert len(encoded) <= max(self.budget, 200)
                restored = Sketch.decode(encoded)
                assert restored == position.known
                # No id is counted twice. What the API deleted may still be known.
                assert len(position.known) <= len({*api.events, *self.emitted})
                if position is not self.saved:
                    self.confirmed = len(self.emitted)
                self.saved = position

        reader = Reader(api, incremental.window, workers=2)
        with suppress(Killed):
            extract(reader, incremental, write=write, checkpoint=checkpoint, size=size)
        return report


def logs(earliest: int, latest: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(earliest, latest), max_size=40)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Event]]:
    """What appears before each run: late by no more than the lookback."""
    number, newest, history = 0, 0, []
    for _ in range(draw(st.integers(1, 5))):
        appeared = []
        for second in draw(logs(max(newest - LOOKBACK, 0), newest + 500)):
            appeared.append(event(second, number))
            number += 1
        newest = max([newest, *(one.effective_at for one in appeared)])
        history.append(appeared)
    return history


orders = st.sampled_from(["newest_first", "oldest_first", "shuffled"])


@settings(max_examples=150)
@given(history=histories(), order=orders, size=st.integers(1, 15))
def test_every_event_is_emitted_once_across_runs(
    history: list[list[Event]], order: str, size: int
) -> None:
    runs, visible = Runs(), []
    for appeared in history:
        visible += appeared
        runs.run(visible, order=order, size=size)
        assert Counter(runs.emitted) == Counter(visible)


@settings(max_examples=150)
@given(data=st.data(), history=histories(), order=orders, size=st.integers(1, 15))
def test_a_killed_run_loses_nothing_and_repeats_only_what_no_state_followed(
    data: st.DataObject, history: list[list[Event]], order: str, size: int
) -> None:
    runs, visible, repeatable = Runs(), [], Counter[Event]()
    for appeared in history:
        visible += appeared
        for _ in range(data.draw(st.integers(0, 2))):
            killed_after = data.draw(st.integers(0, 30))
            runs.run(visible, order=order, size=size, killed_after=killed_after)
            repeatable.update(runs.emitted[runs.confirmed :])
            runs.confirmed = len(runs.emitted)
    runs.run(visible, order=order, size=size)
    times_emitted = Counter(runs.emitted)
    assert set(times_emitted) == set(visible)
    for one, times in times_emitted.items():
        assert times <= 1 + repeatable[one]


@settings(max_examples=200)
@given(
    data=st.data(),
    history=histories(),
    order=orders,
    size=st.integers(1, 15),
    budget=st.integers(60, 400),
)
def test_a_small_budget_repeats_rather_than_loses(
    data: st.DataObject, history: list[list[Event]], order: str, size: int, budget: int
) -> None:
    runs, visible = Runs(budget=budget), []
    for appeared in history:
        visible += appeared
        if data.draw(st.booleans()):
            killed_after = data.draw(st.integers(0, 30))
            runs.run(visible, order=order, size=size, killed_after=killed_after)
        report = runs.run(visible, order=order, size=size)
        assert set(runs.emitted) == set(visible)
        before = len(runs.emitted)
        assert report.complete
        # Merged ids cause no repetition as long as nothing changed.
        runs.run(visible, order=order, size=size)
        assert len(runs.emitted) == before


@st.composite
def live_logs(draw: st.DrawFn) -> tuple[ModelApi, list[int]]:
    """A log that goes on while it is read: each event appears within the lookback of
    its own time, by the API's clock. Some are dated in the future."""
    api = ModelApi([], draw(orders), draw(st.integers(1, 9)), served_at=NOW)
    events, appears_at = [], {}
    for number, second in enumerate(draw(logs(NOW - 2_000, NOW + 3_000))):
        one = event(second, number)
        events.append(one)
        appears_at[one.id] = second + draw(st.integers(0, LOOKBACK))
    for number, ahead in enumerate(draw(st.lists(st.integers(1, 10**9), max_size=2))):
        one = event(NOW + ahead, 10_000 + number)
        events.append(one)
        appears_at[one.id] = NOW - draw(st.integers(0, 500))
    api.events, api.appears_at = events, appears_at
    return api, draw(st.lists(st.sampled_from([0, 0, 1, 50, 2_000]), min_size=1))


@settings(max_examples=300)
@given(
    data=st.data(),
    live=live_logs(),
    size=st.integers(1, 15),
    outages=st.lists(st.integers(0, 4), max_size=3),
)
def test_an_event_that_appears_in_time_is_emitted_however_long_targets_stall(
    data: st.DataObject,
    live: tuple[ModelApi, list[int]],
    size: int,
    outages: list[int],
) -> None:
    api, stalls = live
    left = list(stalls)

    def stall() -> None:
        if left:
            api.served_at += left.pop()

    runs = Runs()
    for number in range(4):
        if number in outages:
            api.served_at += 3_000
        killed_after = data.draw(st.one_of(st.none(), st.integers(0, 30)))
        runs.run_on(api, killed_after=killed_after, size=size, on_write=stall)
        api.served_at += data.draw(st.integers(0, 600))
    api.served_at = NOW + 20_000
    runs.run_on(api, size=size)
    assert set(runs.emitted) >= {
        e for e in api.events if e.effective_at <= NOW + 20_000
    }
    before = len(runs.emitted)
    runs.run_on(api, size=size)
    assert len(runs.emitted) == before


def test_a_stalled_target_does_not_hide_what_appeared_meanwhile() -> None:
    events = [event(NOW - n, n) for n in range(300)]
    late = event(NOW - 50, 9_000)
    api = ModelApi([*events, late], served_at=NOW, appears_at={late.id: NOW + 40})
    runs = Runs()

    def stall() -> None:
        api.served_at = NOW + 7_200

    runs.run_on(api, on_write=stall)
    assert late not in runs.emitted
    assert runs.saved.look_from == NOW - LOOKBACK
    runs.run_on(api)
    assert Counter(runs.emitted) == Counter([*events, late])


def test_a_late_event_is_emitted_once() -> None:
    runs = Runs()
    runs.run([event(1_000, 1), event(2_000, 2)])
    late = event(1_950, 3)
    report = runs.run([event(1_000, 1), event(2_000, 2), late])
    runs.run([event(1_000, 1), event(2_000, 2), late])
    assert runs.emitted == [event(1_000, 1), event(2_000, 2), late]
    assert (report.late, report.latest_by) == (1, 50)


def test_a_second_event_of_the_bookmarks_second_is_emitted() -> None:
    runs = Runs(Asked(lookback=0))
    runs.run([event(1_000, 1)])
    runs.run([event(1_000, 1), event(1_000, 2)])
    assert runs.emitted == [event(1_000, 1), event(1_000, 2)]


def test_the_bookmark_never_moves_backwards() -> None:
    runs = Runs()
    runs.run([event(1_000, 1)])
    runs.run([event(950, 2)])
    assert runs.saved.bookmark == 1_000


def test_an_event_from_the_future_moves_nothing() -> None:
    runs = Runs()
    future = event(NOW + 10**7, 1)
    runs.run([event(NOW - 10, 2), future])
    assert runs.saved.bookmark == NOW - 10
    # The API was two hours behind: what it had was no newer than ten seconds ago.
    runs.run([event(NOW - 10, 2), future, event(NOW + 5, 3)], now=NOW + 7_200)
    assert runs.emitted == [event(NOW - 10, 2), future, event(NOW + 5, 3)]


def test_a_log_with_nothing_but_the_future_is_emitted_once() -> None:
    runs = Runs()
    future = event(NOW + 10**7, 1)
    runs.run([future])
    runs.run([future])
    runs.run([event(NOW - 10, 2), future])
    assert runs.emitted == [future, event(NOW - 10, 2)]


def test_a_time_that_was_corrected_makes_a_second_version() -> None:
    runs = Runs()
    runs.run([event(1_000, 1)])
    runs.run([event(1_005, 1)])
    runs.run([event(1_005, 1)])
    assert runs.emitted == [event(1_000, 1), event(1_005, 1)]


def test_a_bookmark_from_the_future_is_set_back_to_the_apis_clock() -> None:
    position = Position(NOW + 10**7, NOW + 10**7, NOW + 10**7)
    assert is_in_the_future(position, NOW)
    assert not is_in_the_future(position, NOW + 10**7)
    asked = Asked(lookback=3_600)
    incremental = Incremental(
        asked, position.set_back(NOW, asked.lookback), Report("organization", NOW)
    )
    assert incremental.window.start == NOW - 3_600


def test_the_bookmark_moves_over_a_stretch_without_events() -> None:
    incremental = Incremental(Asked(), Position(), Report("organization", NOW))
    incremental.learn(now=NOW, newest=9_000)
    for end, expected in [(5_000, 5_000), (8_000, 8_000), (10_000, 9_000)]:
        read = WindowRead(Window(end - 1_000, end), [], 0, Order.UNKNOWN, NOW)
        for batch in incremental.batches(read, 10):
            incremental.advance(batch, 0)
        assert incremental.position(BUDGET).bookmark == expected


def test_progress_without_events_is_checkpointed_every_ten_seconds() -> None:
    incremental = Incremental(Asked(), Position(), Report("organization", NOW))
    reader = Reader(ModelApi([event(NOW - 50, 1)]), incremental.window, workers=1)
    saved: list[int | None] = []
    ticks = iter(range(0, 1_000, 11))
    extract(
        reader,
        incremental,
        write=len,
        checkpoint=lambda: saved.append(incremental.position(BUDGET).bookmark),
        clock=lambda: float(next(ticks)),
    )
    assert len(saved) > 1


def test_one_late_event_among_merged_ids_is_emitted_alone() -> None:
    events = [event(1_000 + n, n) for n in range(90)]
    runs = Runs(budget=300)
    runs.run(events)
    assert len(runs.saved.known.buckets) < 30
    assert len(runs.saved.known) == 90
    late = [event(1_005, 900), event(1_006, 901)]
    report = runs.run([*events, *late])
    assert Counter(runs.emitted) == Counter([*events, *late])
    assert (report.late, report.repeated) == (2, 0)


def test_many_late_events_among_merged_ids_are_emitted_with_their_bucket() -> None:
    events = [event(1_000 + n, n) for n in range(90)]
    runs = Runs(budget=300)
    runs.run(events)
    late = [event(1_005, 900 + n) for n in range(20)]
    report = runs.run([*events, *late])
    assert set(runs.emitted) == {*events, *late}
    assert report.repeated > 20
    assert any(bucket.inexact for bucket in runs.saved.known.buckets)
    before = len(runs.emitted)
    runs.run([*events, *late])
    assert len(runs.emitted) == before


def test_a_longer_lookback_repeats_nothing() -> None:
    runs = Runs()
    events = [event(1_000 + 10 * n, n) for n in range(90)]
    runs.run(events)
    runs.asked = Asked(lookback=10_000)
    runs.run(events)
    runs.run(events)
    assert runs.emitted == sorted(events)


def test_a_run_that_ends_early_is_continued_from_the_end_of_its_range() -> None:
    events = [event(1_000 + 10 * n, n) for n in range(90)]
    runs = Runs(Asked(end=1_500, lookback=LOOKBACK))
    runs.run(events)
    assert runs.emitted == sorted(events)[:50]
    runs.asked = Asked(lookback=LOOKBACK)
    runs.run(events)
    assert runs.emitted == sorted(events)


@pytest.mark.parametrize("bounds", [(5_000, None), (None, 1_200), (5_000, 6_000)])
def test_dates_that_no_longer_fit_the_position_forget_and_move_nothing(
    bounds: tuple[int | None, int | None],
) -> None:
    events = [event(1_000 + 10 * n, n) for n in range(90)]
    runs = Runs(budget=400)
    runs.run(events)
    runs.asked = Asked(*bounds, lookback=LOOKBACK)
    runs.run(events)
    runs.asked = Asked(lookback=LOOKBACK)
    late = event(1_855, 500)
    runs.run([*events, late, event(2_000, 501)])
    assert Counter(runs.emitted) == Counter([*events, late, event(2_000, 501)])


def test_what_another_scope_emitted_is_not_emitted_again() -> None:
    both, own = event(1_000, 1), event(1_001, 2)
    emitted: list[Event] = []

    def run(report: Report, api: ModelApi, *elsewhere: Incremental) -> Incremental:
        incremental = Incremental(
            Asked(), Position(), report, elsewhere=[e.emitted for e in elsewhere]
        )
        reader = Reader(api, incremental.window, workers=1)

        def write(new: Sequence[Event]) -> int:
            emitted.extend(new)
            return len(new)

        extract(reader, incremental, write=write, checkpoint=lambda: None)
        return incremental

    first = run(Report("organization", NOW), ModelApi([both]))
    report = Report("tenant", NOW)
    run(report, ModelApi([both, own]), first)
    assert emitted == [both, own]
    assert (report.emitted, report.known) == (1, 1)


def test_the_ledger_accounts_for_every_event() -> None:
    runs = Runs()
    events = [event(1_000 + n, n) for n in range(150)]
    first = runs.run(events)
    assert (first.read, first.emitted, first.known, first.complete) == (
        150,
        150,
        0,
        True,
    )
    assert (first.oldest, first.newest) == (1_000, 1_149)
    second = runs.run([*events, event(1_140, 999)])
    assert (second.read, second.emitted, second.known) == (102, 1, 101)
    assert second.window_start == 1_049


def test_records_that_a_map_filters_are_counted_apart() -> None:
    report = Report("organization", NOW)
    incremental = Incremental(Asked(), Position(), report)
    reader = Reader(
        ModelApi([event(1_000 + n, n) for n in range(30)]),
        incremental.window,
        workers=1,
    )
    extract(reader, incremental, write=lambda _: 0, checkpoint=lambda: None)
    assert (report.read, report.emitted, report.filtered, report.known) == (
        30,
        0,
        30,
        0,
    )


def test_times_before_1970_are_read_again_without_being_named() -> None:
    runs = Runs()
    old = [event(-62_135_596_800, 1), event(-5, 2), event(10, 3)]
    runs.run(old)
    assert runs.saved.look_from == BEGINNING
    runs.run([*old, event(-7, 4)])
    assert Counter(runs.emitted) == Counter([*old, event(-7, 4)])


def test_a_second_that_is_too_full_is_confirmed_as_a_whole() -> None:
    before, crowd = [event(990, 9_000)], [event(1_000, n) for n in range(500)]
    runs = Runs(budget=1_200)
    runs.run([*before, *crowd], killed_after=200)
    assert runs.confirmed <= 51
    runs.emitted = runs.emitted[: runs.confirmed]
    runs.run([*before, *crowd])
    assert Counter(runs.emitted) == Counter([*before, *crowd])
    runs.run([*before, *crowd])
    assert len(runs.emitted) == 501


def test_a_second_that_is_resumed_is_confirmed() -> None:
    crowd = [event(1_000, n) for n in range(900)]
    runs = Runs()
    runs.run(crowd, killed_after=600, size=100)
    runs.emitted = runs.emitted[: (confirmed := runs.confirmed)]
    runs.run(crowd, killed_after=100, size=50)
    assert runs.confirmed > confirmed
    runs.emitted = runs.emitted[: runs.confirmed]
    runs.run(crowd)
    assert Counter(runs.emitted) == Counter(crowd)


def test_a_bucket_that_is_killed_in_its_first_second_is_not_doubled() -> None:
    events = [event(1_000 + n // 50, n) for n in range(500)]
    late = [event(1_002 + n // 3, 9_000 + n) for n in range(12)]
    runs = Runs(budget=300)
    runs.run(events)
    for killed_after in (5, 15, 30, 45, 60):
        runs.run([*events, *late], killed_after=killed_after, size=3)
    runs.run([*events, *late])
    assert set(runs.emitted) == {*events, *late}


def test_a_bucket_that_cannot_be_resolved_is_emitted_in_batches() -> None:
    events = [event(1_000 + n, n) for n in range(90)]
    runs = Runs(budget=300)
    runs.run(events)
    late = [event(1_000 + n % 90, 1_000 + n) for n in range(2_000)]
    confirmed: list[int] = []
    api = ModelApi([*events, *late], page_size=100, served_at=NOW)
    runs.run_on(api, size=50, on_write=lambda: confirmed.append(runs.confirmed))
    assert set(runs.emitted) == {*events, *late}
    steps = [after - before for before, after in pairwise(sorted(set(confirmed)))]
    assert max(steps) < 500
