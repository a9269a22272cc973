"""Across runs every event is emitted once, whatever is late, killed or stalled."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_api import ModelApi, event

from tap_openai_audit.audit_logs import known as known_module
from tap_openai_audit.audit_logs.cells import hash_of
from tap_openai_audit.audit_logs.days import DAY, DayCount
from tap_openai_audit.audit_logs.events import Event
from tap_openai_audit.audit_logs.extract import extract
from tap_openai_audit.audit_logs.incremental import Incremental
from tap_openai_audit.audit_logs.observation import Order
from tap_openai_audit.audit_logs.paging import WindowRead
from tap_openai_audit.audit_logs.position import (
    Asked,
    Position,
    is_in_the_future,
    range_to_scan,
)
from tap_openai_audit.audit_logs.range_read import NOTHING, Written
from tap_openai_audit.audit_logs.reader import Reader
from tap_openai_audit.audit_logs.report import Report
from tap_openai_audit.audit_logs.scan import LateArrivalScan
from tap_openai_audit.audit_logs.state import ScopeState
from tap_openai_audit.windows import BEGINNING, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_openai_audit.audit_logs.range_read import RangeRead

LOOKBACK = 100
NOW = 10**6


class Killed(Exception):
    pass


@dataclass
class Runs:
    """Runs of one feed that hand their state on, as it is kept between runs."""

    asked: Asked = field(default_factory=lambda: Asked(lookback=LOOKBACK))
    saved: Position = field(default_factory=Position)
    emitted: list[Event] = field(default_factory=list)
    confirmed: int = 0
    """How many of `emitted` were followed by a checkpoint."""
    chain: set[Event] = field(default_factory=set)
    """What was written and followed by a checkpoint."""
    digests: dict[int, DayCount] = field(default_factory=dict)
    """The newest digest of each day that was followed by a checkpoint."""
    page_size: int = 7
    most_ids: int = 1_000
    """Ids that are kept one by one: with few of them there are many cells."""
    passes: Callable[[Event], bool] = lambda _event: True
    """What a stream map lets pass."""
    repeated: int = 0
    largest: int = 0
    """The most characters of a state."""

    def run(  # noqa: PLR0913 - what a run may meet
        self,
        events: Sequence[Event],
        *,
        order: str = "newest_first",
        killed_after: int | None = None,
        size: int = 10,
        now: int = NOW,
        may_be_cut_off: bool = True,
    ) -> Report:
        api = ModelApi(events, order, self.page_size, served_at=now)
        return self.run_on(
            api, killed_after=killed_after, size=size, may_be_cut_off=may_be_cut_off
        )

    def run_on(
        self,
        api: ModelApi,
        *,
        killed_after: int | None = None,
        size: int = 10,
        on_write: Callable[[], None] = lambda: None,
        may_be_cut_off: bool = True,
    ) -> Report:
        report = Report(scope="organization", started_at=api.served_at)
        regular = Incremental(
            self.asked, self.saved, report, may_be_cut_off=may_be_cut_off
        )
        before, pending = self.saved, list[Event]()
        records, killed = 0, False

        def read(reading: RangeRead) -> None:
            def write(new: Sequence[Event]) -> Written:
                nonlocal killed, records
                own = [one for one in new if self.passes(one)]
                self.emitted += own
                pending.extend(own)
                on_write()
                records += len(own)
                killed = killed_after is not None and records >= killed_after
                if killed:
                    raise Killed
                return Written(len(own), own)

            def checkpoint() -> None:
                if not killed:
                    position, changed = reading.position()
                    self.digests |= changed
                    self._save(position, pending)

            reader = Reader(api, reading.window, workers=2)
            extract(reader, reading, write=write, checkpoint=checkpoint, size=size)

        few = mock.patch.multiple(
            known_module, MOST_IDS=self.most_ids, IDS_LEFT=self.most_ids * 7 // 10
        )
        with few, suppress(Killed):
            read(regular)
            window = range_to_scan(self.asked, self.saved, regular.window.start)
            if self.asked.deep_lookback and window.start < window.end:
                began_at = before.bookmark
                read(LateArrivalScan(window, self.saved, report, began_at=began_at))
        self.repeated += report.repeated + (report.scan.repeated if report.scan else 0)
        return report

    def _save(self, position: Position, pending: list[Event]) -> None:
        self.confirmed = len(self.emitted)
        self.chain |= {*pending}
        pending.clear()
        partition: dict[str, object] = {}
        state = ScopeState(position, "org-a", chain_id="chain", run_id="run")
        if position.is_new:
            return
        state.write(partition)
        self.largest = max(self.largest, len(json.dumps(partition)))
        # Whatever a run leaves, the next one reads.
        self.saved = ScopeState.read(json.loads(json.dumps(partition))).position
        assert self.saved == position
        self._digests_are_what_the_chain_has_written()

    def _digests_are_what_the_chain_has_written(self) -> None:
        written: dict[int, list[Event]] = {}
        for one in sorted(self.chain):
            written.setdefault(one.effective_at // DAY, []).append(one)
        assert {d for d, count in self.digests.items() if count.events} == {*written}
        since = self.saved.counted_from
        for day, own in written.items():
            assert since is not None
            assert since <= own[0].effective_at
            count = self.digests[day]
            if count.exact:
                assert count.events == len(own)
                assert count.checksum == sum(hash_of(one.id) >> 32 for one in own)
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


#: With few ids nearly all that is known are cells.
most_ids = st.sampled_from([3, 12, 1_000])


@settings(max_examples=100)
@given(history=histories(), order=orders, size=st.integers(1, 15))
def test_every_event_is_emitted_once_across_runs(
    history: list[list[Event]], order: str, size: int
) -> None:
    runs, visible = Runs(), []
    for appeared in history:
        visible += appeared
        runs.run(visible, order=order, size=size)
        assert Counter(runs.emitted) == Counter(visible)


@settings(max_examples=80)
@given(
    data=st.data(),
    history=histories(),
    order=orders,
    size=st.integers(1, 15),
    most=most_ids,
)
def test_a_killed_run_loses_nothing_and_repeats_only_what_no_state_followed(
    data: st.DataObject, history: list[list[Event]], order: str, size: int, most: int
) -> None:
    runs, visible, repeatable = Runs(most_ids=most), [], Counter[Event]()
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
    if not runs.repeated:
        for one, times in times_emitted.items():
            assert times <= 1 + repeatable[one]
    # Nothing is repeated as long as nothing changed.
    before = len(runs.emitted)
    runs.run(visible, order=order, size=size)
    assert len(runs.emitted) == before


DEEP = 3 * DAY
scans = Asked(lookback=LOOKBACK, deep_lookback=DEEP)


@st.composite
def late_histories(draw: st.DrawFn) -> list[list[Event]]:
    """What appears before each run: late by no more than a scan goes back."""
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


@settings(max_examples=100)
@given(
    data=st.data(),
    history=late_histories(),
    order=orders,
    size=st.integers(1, 15),
    most=most_ids,
)
def test_a_scan_emits_what_is_late_by_days(
    data: st.DataObject, history: list[list[Event]], order: str, size: int, most: int
) -> None:
    runs, repeatable = Runs(scans, most_ids=most), Counter[Event]()
    visible: list[Event] = []
    for appeared in history:
        visible += appeared
        for _ in range(data.draw(st.integers(0, 2))):
            killed_after = data.draw(st.integers(0, 30))
            runs.run(
                visible, order=order, size=size, killed_after=killed_after, now=60 * DAY
            )
            repeatable.update(runs.emitted[runs.confirmed :])
            runs.confirmed = len(runs.emitted)
        report = runs.run(visible, order=order, size=size, now=60 * DAY)
        assert set(runs.emitted) == set(visible)
        assert runs.chain == set(visible)
        assert report.complete
    if not runs.repeated:
        for one, times in Counter(runs.emitted).items():
            assert times <= 1 + repeatable[one]
    before = len(runs.emitted)
    runs.run(visible, order=order, size=size, now=60 * DAY)
    assert len(runs.emitted) == before


@settings(max_examples=80)
@given(
    data=st.data(),
    history=late_histories(),
    order=orders,
    most=most_ids,
    modulus=st.integers(2, 4),
)
def test_what_a_stream_map_filters_is_known_and_not_counted(
    data: st.DataObject,
    history: list[list[Event]],
    order: str,
    most: int,
    modulus: int,
) -> None:
    runs, visible = Runs(scans, most_ids=most), list[Event]()
    for appeared in history:
        visible += appeared
        runs.passes = (
            (lambda one: one.effective_at % modulus > 0)
            if data.draw(st.booleans())
            else (lambda _one: True)
        )
        runs.run(visible, order=order, now=60 * DAY)
    before = len(runs.emitted)
    runs.run(visible, order=order, now=60 * DAY)
    assert len(runs.emitted) == before


@settings(max_examples=80)
@given(data=st.data(), history=late_histories(), order=orders, most=most_ids)
def test_what_the_api_deletes_is_emitted_once_and_never_loses_another(
    data: st.DataObject, history: list[list[Event]], order: str, most: int
) -> None:
    """Retention shorter than the scan, or single events that are deleted."""
    runs, visible = Runs(scans, most_ids=most), list[Event]()
    oldest = 0
    for appeared in history:
        newest = max(one.effective_at for one in appeared)
        oldest = max(oldest, newest - data.draw(st.sampled_from([DAY, 2 * DAY, DEEP])))
        visible = [one for one in [*visible, *appeared] if one.effective_at >= oldest]
        gone = data.draw(st.one_of(st.none(), st.integers(0, 200)))
        visible = [e for n, e in enumerate(visible) if n != gone]
        runs.run(visible, order=order, now=60 * DAY)
        edge = oldest + 3_600
        recent = {one for one in visible if one.effective_at >= edge}
        assert recent <= {*runs.emitted}
    # What is gone may cost its cell once, and never again.
    runs.run(visible, order=order, now=60 * DAY)
    before = len(runs.emitted)
    runs.run(visible, order=order, now=60 * DAY)
    assert len(runs.emitted) == before


@settings(max_examples=80)
@given(
    data=st.data(),
    history=histories(),
    order=orders,
    most=most_ids,
    killed_after=st.one_of(st.none(), st.integers(0, 20)),
)
def test_other_filters_lose_nothing_that_they_let_through(
    data: st.DataObject,
    history: list[list[Event]],
    order: str,
    most: int,
    killed_after: int | None,
) -> None:
    """After a change, only what lies before its window may be missing."""
    runs, visible, wanted = Runs(most_ids=most), list[Event](), set[Event]()
    modulus = None
    for appeared in history:
        visible += appeared
        before, modulus = modulus, data.draw(st.sampled_from([None, 2, 3]))
        changed = before != modulus
        shown = [e for e in visible if modulus is None or int(e.id[-3:]) % modulus == 0]
        if changed:
            window = Incremental(runs.asked, runs.saved, Report()).window
            runs.saved = runs.saved.forgetting_before(window.start)
            wanted &= {e for e in visible if e.effective_at < window.start}
            wanted |= {e for e in shown if e.effective_at in window}
        else:
            wanted |= {e for e in appeared if e in shown}
        runs.run(
            shown, order=order, killed_after=killed_after, may_be_cut_off=not changed
        )
        runs.run(shown, order=order, may_be_cut_off=not changed)
        assert wanted <= {*runs.emitted}


def test_one_late_event_or_two_of_a_cell_of_days_ago_are_emitted_alone() -> None:
    events = [event(DAY + n * 60, n) for n in range(3_000)]
    runs = Runs(scans, most_ids=10, page_size=100)
    runs.run(events, now=9 * DAY, size=500)
    assert runs.saved.known.cells[DAY + 3_600].events == 15
    late = [event(DAY + 3_601, 5_000), event(DAY + 3_605, 5_001)]
    report = runs.run(events + late, now=9 * DAY)
    assert report.scan is not None
    assert (report.emitted, report.scan.emitted, report.scan.repeated) == (0, 2, 0)
    assert (report.late, report.latest_by) == (2, 3_000 * 60 - 60 - 3_601)
    assert Counter(runs.emitted) == Counter(events + late)


def test_several_late_events_of_a_cell_repeat_that_cell_and_its_day_is_inexact() -> (
    None
):
    events = [event(DAY + n * 60, n) for n in range(3_000)]
    runs = Runs(scans, most_ids=10, page_size=100)
    runs.run(events, now=9 * DAY, size=500)
    late = [event(DAY + 3_601 + n, 5_000 + n) for n in range(5)]
    report = runs.run(events + late, now=9 * DAY)
    assert report.scan is not None
    assert (report.scan.emitted, report.scan.repeated) == (0, 20)
    assert report.scan.repeated_short == 0
    assert set(runs.emitted) == {*events, *late}
    assert [runs.digests[day].exact for day in (1, 2, 3)] == [False, True, True]
    assert sum(count.events for count in runs.digests.values()) == 3_005


def test_a_cell_of_which_the_api_deleted_one_says_so() -> None:
    events = [event(DAY + n * 60, n) for n in range(3_000)]
    runs = Runs(scans, most_ids=10, page_size=100)
    runs.run(events, now=9 * DAY, size=500)
    left = [e for e in events if e.effective_at != DAY + 7_200]
    report = runs.run(left, now=9 * DAY)
    assert report.scan is not None
    assert (report.scan.repeated, report.scan.repeated_short) == (14, 14)
    # The table has what was written: the day is not exact, and lacks nothing.
    assert (runs.digests[1].events, runs.digests[1].exact) == (DAY // 60, False)
    again = runs.run(left, now=9 * DAY)
    assert again.scan is not None
    assert again.scan.repeated == 0


def test_a_retention_that_is_shorter_than_the_scan_repeats_nothing() -> None:
    runs, events = Runs(scans, most_ids=10), list[Event]()
    for day in range(5, 12):
        events += [event(day * DAY + n * 300, day * 1_000 + n) for n in range(288)]
        # Two days and some minutes are kept, so an hour is always cut off.
        kept = [e for e in events if e.effective_at > (day - 1) * DAY + 1_000]
        report = runs.run(kept, now=(day + 1) * DAY)
        assert report.scan is None or report.scan.repeated == 0
    assert all(count.exact for count in runs.digests.values())
    assert Counter(runs.emitted) == Counter(
        e for e in events if e.effective_at > 4 * DAY + 1_000
    )


def test_a_first_run_that_finds_the_future_only_counts_from_now_on() -> None:
    runs = Runs(scans)
    runs.run([event(NOW + 10 * DAY, 1)], now=NOW)
    assert runs.saved.counted_from == NOW
    runs.run([event(NOW + 10 * DAY, 1), event(NOW + 50, 2)], now=NOW + 100)
    assert len(runs.digests) == 2


def test_events_before_1970_are_not_repeated_by_scans() -> None:
    events = [event(-62_135_596_800, 1), event(100, 2), event(3 * DAY, 3)]
    runs = Runs(scans)
    for _ in range(3):
        runs.run(events, now=9 * DAY)
    assert Counter(runs.emitted) == Counter(events)


@pytest.mark.parametrize("most", [3, 1_000])
def test_a_bookmark_that_is_set_back_counts_what_it_emits_again_once(
    most: int,
) -> None:
    events = [event(NOW - 50 + n, n) for n in range(5)]
    runs = Runs(most_ids=most)
    runs.run(events, now=NOW + 20 * DAY)
    runs.run([*events, event(NOW + 10 * DAY, 9)], now=NOW + 20 * DAY)
    assert runs.saved.known.known_from > NOW
    runs.saved = runs.saved.set_back(NOW, LOOKBACK)
    runs.run([*events, event(NOW + 10 * DAY, 9)], now=NOW)
    count = runs.digests[NOW // DAY]
    assert (count.events, count.exact) == (5, False)
    before = len(runs.emitted)
    runs.run([*events, event(NOW + 10 * DAY, 9), event(NOW + 1, 10)], now=NOW + 9)
    assert runs.emitted[before:] == [event(NOW + 1, 10)]


def test_days_that_no_read_changes_any_more_are_counted_and_forgotten() -> None:
    events = [event(n * 3_600, n) for n in range(24 * 30)]
    runs = Runs(scans)
    runs.run(events, now=60 * DAY)
    assert runs.saved.known.known_from == events[-1].effective_at - DEEP
    assert len(runs.saved.known) == 3 * 24 + 1
    assert [*runs.digests] == [*range(30)]
    assert [*runs.saved.days.counts] == [26, 27, 28, 29]


@pytest.mark.parametrize(("days", "a_day"), [(60, 10), (12, 300)])
def test_many_days_after_a_backfill_of_three_years_the_state_is_bounded(
    days: int, a_day: int
) -> None:
    week = Asked(lookback=3_600, deep_lookback=7 * DAY)
    runs, began = Runs(week, page_size=100), 20_000 * DAY
    events = [event(began - 6 * 3_600 * n, n) for n in range(3 * 365 * 4, 0, -1)]
    runs.run(events, now=began, size=1_000)
    assert runs.emitted == events
    assert len(runs.digests) == 3 * 365
    for day in range(days):
        today = range(began + day * DAY, began + (day + 1) * DAY, DAY // a_day)
        events += [event(second, 10**5 + second) for second in today]
        runs.run(events[-9 * a_day :], now=events[-1].effective_at, size=1_000)
    assert Counter(runs.emitted) == Counter(events)
    assert all(count.exact for count in runs.digests.values())
    assert runs.largest <= 26 * 1024
    assert len(runs.saved.days.counts) <= 9


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


@settings(max_examples=80)
@given(
    data=st.data(),
    live=live_logs(),
    size=st.integers(1, 15),
    outages=st.lists(st.integers(0, 4), max_size=3),
    most=most_ids,
)
def test_an_event_that_appears_in_time_is_emitted_however_long_targets_stall(
    data: st.DataObject,
    live: tuple[ModelApi, list[int]],
    size: int,
    outages: list[int],
    most: int,
) -> None:
    api, stalls = live
    left = list(stalls)

    def stall() -> None:
        if left:
            api.served_at += left.pop()

    runs = Runs(most_ids=most)
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
    position.known.forget_before(NOW + 10**7)
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
        assert incremental.position()[0].bookmark == expected


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
        checkpoint=lambda: saved.append(incremental.position()[0].bookmark),
        clock=lambda: float(next(ticks)),
    )
    assert len(saved) > 1


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
    runs = Runs(most_ids=10)
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


def test_a_second_is_confirmed_as_a_whole() -> None:
    before, crowd = [event(990, 9_000)], [event(1_000, n) for n in range(500)]
    runs = Runs()
    runs.run([*before, *crowd], killed_after=200)
    assert runs.confirmed <= 1
    runs.emitted = runs.emitted[: runs.confirmed]
    runs.run([*before, *crowd])
    assert Counter(runs.emitted) == Counter([*before, *crowd])
    runs.run([*before, *crowd])
    assert len(runs.emitted) == 501


def test_a_second_with_more_ids_than_a_state_keeps_is_emitted_once() -> None:
    crowd = [event(1_000, n) for n in range(3_000)]
    runs = Runs(page_size=100)
    runs.run(crowd, size=100)
    assert runs.largest < 2_000
    runs.run([*crowd, event(1_050, 9_000)], size=100)
    assert Counter(runs.emitted) == Counter([*crowd, event(1_050, 9_000)])


def test_a_cell_that_is_killed_is_not_doubled() -> None:
    events = [event(1_000 + n // 50, n) for n in range(500)]
    late = [event(1_002 + n // 3, 9_000 + n) for n in range(12)]
    runs = Runs(most_ids=10)
    runs.run(events)
    for killed_after in (5, 15, 30, 45, 60):
        runs.run([*events, *late], killed_after=killed_after, size=3)
    runs.run([*events, *late])
    assert set(runs.emitted) == {*events, *late}
    before = len(runs.emitted)
    runs.run([*events, *late])
    assert len(runs.emitted) == before


def test_many_events_of_the_future_do_not_repeat_the_present() -> None:
    future = [event(NOW + 10**6 + n, n) for n in range(900)]
    present = [event(NOW - 500 + n, 5_000 + n) for n in range(500)]
    runs = Runs(page_size=100)
    runs.run([*future, *present])
    for number in range(5):
        present.append(event(NOW + 10 * number, 7_000 + number))
        runs.run([*future, *present], now=NOW + 10 * number)
    assert Counter(runs.emitted) == Counter([*future, *present])


def test_what_happens_in_a_busy_quarter_of_an_hour_fits_a_state() -> None:
    busy = [event(20 * DAY + n * 900 // 8_000, n) for n in range(8_000)]
    runs = Runs(Asked(lookback=3_600, deep_lookback=7 * DAY), page_size=500)
    runs.run(busy, now=20 * DAY + 900, size=1_000)
    assert runs.largest < 20_000
    late = event(20 * DAY + 400, 30_000)
    runs.run([*busy, late], now=20 * DAY + 1_000, size=1_000)
    assert Counter(runs.emitted) == Counter([*busy, late])
