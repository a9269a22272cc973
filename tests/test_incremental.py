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

from tap_openai_audit.audit_logs.buckets import bucket_of
from tap_openai_audit.audit_logs.days import DAY, Days
from tap_openai_audit.audit_logs.deep_look import DeepLook
from tap_openai_audit.audit_logs.events import Event
from tap_openai_audit.audit_logs.extract import extract
from tap_openai_audit.audit_logs.incremental import Incremental
from tap_openai_audit.audit_logs.observation import Order
from tap_openai_audit.audit_logs.paging import WindowRead
from tap_openai_audit.audit_logs.position import (
    Asked,
    Position,
    is_in_the_future,
    range_to_look_at_deeply,
)
from tap_openai_audit.audit_logs.reader import Reader
from tap_openai_audit.audit_logs.report import Report
from tap_openai_audit.audit_logs.sifting import NOTHING, Written
from tap_openai_audit.audit_logs.sketch import Sketch
from tap_openai_audit.windows import BEGINNING, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_openai_audit.audit_logs.look import Look

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
    chain: set[Event] = field(default_factory=set)
    """What was emitted and followed by a checkpoint."""
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
        report = Report(scope="organization", started_at=api.served_at)
        regular = Incremental(self.asked, self.saved, report)
        before, pending = self.saved, list[Event]()
        killed = False

        def look_at(look: Look) -> None:
            def write(new: Sequence[Event]) -> Written:
                nonlocal killed
                self.emitted += new
                pending.extend(new)
                on_write()
                emitted = report.emitted + (report.deep.emitted if report.deep else 0)
                killed = killed_after is not None and emitted >= killed_after
                if killed:
                    raise Killed
                return Written(len(new), new)

            def checkpoint() -> None:
                if not killed:
                    self._save(look.position(self.budget), api, pending)

            reader = Reader(api, look.window, workers=2)
            extract(reader, look, write=write, checkpoint=checkpoint, size=size)

        with suppress(Killed):
            look_at(regular)
            window = range_to_look_at_deeply(
                self.asked, self.saved, regular.window.start
            )
            if self.asked.deep_lookback and window.start < window.end:
                began_at = before.bookmark
                look_at(DeepLook(window, self.saved, report, began_at=began_at))
        return report

    def _save(self, position: Position, api: ModelApi, pending: list[Event]) -> None:
        if position is self.saved:
            return
        encoded = position.known.encode()
        restored = Sketch.decode(encoded)
        assert restored == position.known
        assert Days.decode(position.days.encode()) == position.days
        days = {bucket.start // DAY for bucket in restored.buckets}
        assert len(encoded) <= max(self.budget, 100 + 60 * len(days))
        # No id is counted twice. What the API deleted may still be known.
        assert len(position.known) <= len({*api.events, *self.emitted})
        self.confirmed = len(self.emitted)
        self.chain |= {*pending}
        pending.clear()
        self.saved = position
        self._digests_are_what_the_chain_has_written()

    def _digests_are_what_the_chain_has_written(self) -> None:
        since, digests = self.saved.counted_from, self.saved.digests.counts
        assert since is not None or not self.chain
        written: dict[int, list[Event]] = {}
        for one in sorted(self.chain):
            if one.effective_at >= (since or 0):
                written.setdefault(one.effective_at // DAY, []).append(one)
        assert digests.keys() == written.keys()
        for day, own in written.items():
            count = digests[day]
            if count.exact:
                assert count.events == len(own)
                assert count.checksum == sum(bucket_of(one).high for one in own)
                assert count.oldest == own[0].effective_at
                assert count.newest == own[-1].effective_at
            else:
                # What the API no longer shows may be missing.
                assert count.events <= len(own)


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


DEEP = 3 * DAY
deep_looks = Asked(lookback=LOOKBACK, deep_lookback=DEEP)


@st.composite
def late_histories(draw: st.DrawFn) -> list[list[Event]]:
    """What appears before each run: late by no more than a deep look goes back."""
    newest, number = 20 * DAY, 0
    history: list[list[Event]] = []
    for _ in range(draw(st.integers(1, 6))):
        newest += draw(st.integers(0, DAY))
        appeared = [event(newest, number)]
        for second in draw(logs(newest - DEEP, newest)):
            number += 1
            appeared.append(event(second, number))
        number += 1
        history.append(appeared)
    return history


@settings(max_examples=300)
@given(
    data=st.data(),
    history=late_histories(),
    order=orders,
    size=st.integers(1, 15),
    budget=st.sampled_from([400, 1_000, BUDGET]),
)
def test_a_deep_look_emits_what_is_late_by_days(
    data: st.DataObject, history: list[list[Event]], order: str, size: int, budget: int
) -> None:
    runs, repeatable = Runs(deep_looks, budget=budget), Counter[Event]()
    visible: list[Event] = []
    repeated = 0
    for appeared in history:
        visible += appeared
        for _ in range(data.draw(st.integers(0, 2))):
            killed_after = data.draw(st.integers(0, 30))
            report = runs.run(
                visible, order=order, size=size, killed_after=killed_after, now=60 * DAY
            )
            repeated += report.repeated + (report.deep.repeated if report.deep else 0)
            repeatable.update(runs.emitted[runs.confirmed :])
            runs.confirmed = len(runs.emitted)
        report = runs.run(visible, order=order, size=size, now=60 * DAY)
        repeated += report.repeated + (report.deep.repeated if report.deep else 0)
        assert set(runs.emitted) == set(visible)
        assert runs.chain == set(visible)
        assert report.complete
    times_emitted = Counter(runs.emitted)
    if not repeated:
        for one, times in times_emitted.items():
            assert times <= 1 + repeatable[one]
    # Nothing is repeated as long as nothing changed.
    before = len(runs.emitted)
    runs.run(visible, order=order, size=size, now=60 * DAY)
    assert len(runs.emitted) == before


def test_one_late_event_or_two_in_a_merged_bucket_of_days_ago_are_emitted_alone() -> (
    None
):
    events = [event(DAY + n * 60, n) for n in range(3_000)]
    runs = Runs(deep_looks, budget=1_000)
    runs.run(events, now=9 * DAY)
    assert max(bucket.ids for bucket in runs.saved.known.buckets) > 10
    late = [event(DAY + 3_601, 5_000), event(DAY + 3_605, 5_001)]
    report = runs.run(events + late, now=9 * DAY)
    assert report.deep is not None
    assert (report.emitted, report.deep.emitted, report.deep.repeated) == (0, 2, 0)
    assert (report.late, report.latest_by) == (2, 3_000 * 60 - 60 - 3_601)
    assert Counter(runs.emitted) == Counter(events + late)


def test_many_late_events_of_a_bucket_repeat_that_bucket_and_its_day_is_inexact() -> (
    None
):
    events = [event(DAY + n * 60, n) for n in range(3_000)]
    runs = Runs(deep_looks, budget=1_000)
    runs.run(events, now=9 * DAY)
    late = [event(DAY + 3_601 + n, 5_000 + n) for n in range(5)]
    report = runs.run(events + late, now=9 * DAY)
    assert report.deep is not None
    assert report.deep.emitted == 0
    assert 5 < report.deep.repeated < 1_000
    assert set(runs.emitted) == {*events, *late}
    digests = runs.saved.digests.counts
    assert [count.exact for count in digests.values()] == [False, True, True]
    assert sum(count.events for count in digests.values()) == 3_005


@settings(max_examples=100)
@given(data=st.data(), budget=st.sampled_from([250, 400, 1_000]))
def test_wherever_the_regular_look_begins_the_deep_one_ends_there(
    data: st.DataObject, budget: int
) -> None:
    events = [event(2 * DAY + 7 * n, n) for n in range(300)]
    runs = Runs(deep_looks, budget=budget)
    runs.run(events, now=9 * DAY)
    late = [event(runs.saved.look_from - data.draw(st.integers(1, 40)), 5_000)]
    new = [event(2 * DAY + 2_100 + n, 6_000 + n) for n in range(60)]
    report = runs.run(events + late + new, now=9 * DAY)
    assert (report.repeated, report.late) == (0, 1)
    assert Counter(runs.emitted) == Counter(events + late + new)


def test_a_first_run_that_finds_the_future_only_counts_from_now_on() -> None:
    runs = Runs(deep_looks)
    runs.run([event(NOW + 10 * DAY, 1)], now=NOW)
    assert runs.saved.counted_from == NOW
    runs.run([event(NOW + 10 * DAY, 1), event(NOW + 50, 2)], now=NOW + 100)
    assert len(runs.saved.digests.counts) == 2


def test_events_before_1970_are_not_repeated_by_deep_looks() -> None:
    events = [event(-62_135_596_800, 1), event(100, 2), event(3 * DAY, 3)]
    runs = Runs(deep_looks)
    for _ in range(3):
        runs.run(events, now=9 * DAY)
    assert Counter(runs.emitted) == Counter(events)


def test_a_bookmark_that_is_set_back_counts_what_it_emits_again_once() -> None:
    events = [event(NOW - 50 + n, n) for n in range(5)]
    runs = Runs()
    runs.run(events, now=NOW + 20 * DAY)
    runs.run([*events, event(NOW + 10 * DAY, 9)], now=NOW + 20 * DAY)
    assert runs.saved.known_from > NOW
    runs.saved = runs.saved.set_back(NOW, LOOKBACK)
    runs.run([*events, event(NOW + 10 * DAY, 9)], now=NOW)
    count = runs.saved.digests.counts[NOW // DAY]
    assert (count.events, count.exact) == (5, False)


def test_a_bucket_of_which_nothing_is_left_at_the_api_is_still_counted() -> None:
    events = [event(DAY + n, n) for n in range(200)]
    runs = Runs(deep_looks, budget=300)
    runs.run(events, now=9 * DAY)
    wiped = runs.saved.known.buckets[1]
    assert wiped.ids > 1
    end = runs.saved.known.buckets[2].start
    left = [e for e in events if not wiped.start <= e.effective_at < end]
    report = runs.run(left, now=9 * DAY)
    assert report.deep is not None
    assert (report.deep.emitted, report.deep.repeated, report.repeated) == (0, 0, 0)
    assert runs.saved.digests.counts[1].events == 200


def test_days_that_no_look_reads_again_are_counted_and_forgotten() -> None:
    events = [event(n * 3_600, n) for n in range(24 * 30)]
    runs = Runs(deep_looks)
    runs.run(events, now=60 * DAY)
    assert runs.saved.known_from == events[-1].effective_at - DEEP
    assert len(runs.saved.known) == 3 * 24 + 1
    assert len(runs.saved.digests.counts) == 30
    assert runs.saved.closed_days == [*range(26)]
    rest = runs.saved.without_days(runs.saved.closed_days)
    assert [*rest.digests.counts] == [26, 27, 28, 29]


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
        asked,
        position.set_back(NOW, asked.lookback),
        Report(scope="organization", started_at=NOW),
    )
    assert incremental.window.start == NOW - 3_600


def test_the_bookmark_moves_over_a_stretch_without_events() -> None:
    incremental = Incremental(
        Asked(), Position(), Report(scope="organization", started_at=NOW)
    )
    incremental.learn(now=NOW, newest=9_000)
    for end, expected in [(5_000, 5_000), (8_000, 8_000), (10_000, 9_000)]:
        read = WindowRead(Window(end - 1_000, end), [], 0, Order.UNKNOWN, NOW)
        for batch in incremental.batches(read, 10):
            incremental.advance(batch, NOTHING)
        assert incremental.position(BUDGET).bookmark == expected


def test_progress_without_events_is_checkpointed_every_ten_seconds() -> None:
    incremental = Incremental(
        Asked(), Position(), Report(scope="organization", started_at=NOW)
    )
    reader = Reader(ModelApi([event(NOW - 50, 1)]), incremental.window, workers=1)
    saved: list[int | None] = []
    ticks = iter(range(0, 1_000, 11))
    extract(
        reader,
        incremental,
        write=lambda events: Written(len(events), events),
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

        def write(new: Sequence[Event]) -> Written:
            emitted.extend(new)
            return Written(len(new), new)

        extract(reader, incremental, write=write, checkpoint=lambda: None)
        return incremental

    first = run(Report(scope="organization", started_at=NOW), ModelApi([both]))
    report = Report(scope="tenant", started_at=NOW)
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
    report = Report(scope="organization", started_at=NOW)
    incremental = Incremental(Asked(), Position(), report)
    reader = Reader(
        ModelApi([event(1_000 + n, n) for n in range(30)]),
        incremental.window,
        workers=1,
    )
    extract(reader, incremental, write=lambda _: NOTHING, checkpoint=lambda: None)
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
