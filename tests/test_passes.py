"""Across runs every event is emitted once, whatever is late and whatever is killed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_api import ModelApi, event

from tap_openai_audit.extraction.events import Event
from tap_openai_audit.extraction.extract import extract
from tap_openai_audit.extraction.lookback import Lookback
from tap_openai_audit.extraction.observation import Order
from tap_openai_audit.extraction.passes import Bookmark, Pass, Range
from tap_openai_audit.extraction.reader import Reader
from tap_openai_audit.extraction.reading import WindowRead
from tap_openai_audit.extraction.report import Report
from tap_openai_audit.extraction.windows import Window
from tap_openai_audit.streams import state

LOOKBACK = 100
NOW = 10**6


@dataclass
class Runs:
    """Runs of one scope that hand their state on, as it is kept between runs."""

    asked: Range = field(default_factory=lambda: Range(lookback=LOOKBACK))
    saved: dict[str, Any] = field(default_factory=dict)
    emitted: list[Event] = field(default_factory=list)
    confirmed: int = 0
    """How many of `emitted` were followed by a checkpoint."""
    budget: int = state.BUDGET

    def run(
        self,
        events: list[Event],
        *,
        order: str = "newest_first",
        killed_after: int | None = None,
        size: int = 10,
        now: int = NOW,
    ) -> Report:
        api = ModelApi(events, order, page_size=7, served_at=now)
        report = Report("organization", started_at=now)
        sifting = Pass(self.asked, state.load(self.saved), report, now=now)
        killed = False

        def checkpoint() -> None:
            if not killed:
                sifting.settle(self.budget)
                state.save(sifting.bookmark, self.saved)
                self.confirmed = len(self.emitted)

        reader = Reader(api, sifting.window, workers=2)
        for batch in extract(reader, sifting, checkpoint=checkpoint, size=size):
            self.emitted += batch
            if killed_after is not None and report.emitted >= killed_after:
                killed = True
                break
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


@settings(max_examples=120, deadline=None)
@given(history=histories(), order=orders, size=st.integers(1, 15))
def test_every_event_is_emitted_once_across_runs(
    history: list[list[Event]], order: str, size: int
) -> None:
    runs, visible = Runs(), []
    for appeared in history:
        visible += appeared
        runs.run(visible, order=order, size=size)
        assert Counter(runs.emitted) == Counter(visible)


@settings(max_examples=120, deadline=None)
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


def test_a_late_event_is_emitted_once() -> None:
    runs = Runs()
    runs.run([event(1_000, 1), event(2_000, 2)])
    late = event(1_950, 3)
    report = runs.run([event(1_000, 1), event(2_000, 2), late])
    runs.run([event(1_000, 1), event(2_000, 2), late])
    assert runs.emitted == [event(1_000, 1), event(2_000, 2), late]
    assert (report.late, report.latest_by) == (1, 50)


def test_a_second_event_of_the_bookmarks_second_is_emitted() -> None:
    runs = Runs(Range(lookback=0))
    runs.run([event(1_000, 1)])
    runs.run([event(1_000, 1), event(1_000, 2)])
    assert runs.emitted == [event(1_000, 1), event(1_000, 2)]


def test_the_bookmark_never_moves_backwards() -> None:
    runs = Runs()
    runs.run([event(1_000, 1)])
    runs.run([event(950, 2)])
    assert runs.saved["replication_key_value"] == "1970-01-01T00:16:40+00:00"


def test_an_event_from_the_future_does_not_hide_those_before_it() -> None:
    runs = Runs()
    future = event(NOW + 10**7, 1)
    runs.run([event(NOW - 10, 2), future])
    runs.run([event(NOW - 10, 2), future, event(NOW + 5, 3)], now=NOW + 20)
    assert runs.emitted == [event(NOW - 10, 2), future, event(NOW + 5, 3)]


def test_a_bookmark_from_the_future_is_set_back_to_now() -> None:
    bookmark = Bookmark(at=NOW + 10**7)
    sifting = Pass(Range(), bookmark, Report("organization", NOW), now=NOW)
    assert sifting.window.start == NOW - 3_600


def test_the_bookmark_moves_over_a_stretch_without_events() -> None:
    bookmark = Bookmark()
    sifting = Pass(Range(), bookmark, Report("organization", NOW), now=NOW)
    sifting.learn(now=NOW, newest=9_000)
    for end, expected in [(5_000, 5_000), (8_000, 8_000), (10_000, 9_000)]:
        read = WindowRead(Window(end - 1_000, end), [], 0, Order.UNKNOWN)
        for batch in sifting.sift(read, 10):
            sifting.advance(batch)
        assert bookmark.at == expected


def test_progress_without_events_is_checkpointed_every_ten_seconds() -> None:
    sifting = Pass(Range(), Bookmark(), Report("organization", NOW), now=NOW)
    reader = Reader(ModelApi([event(NOW - 50, 1)]), sifting.window, workers=1)
    saved: list[int | None] = []
    ticks = iter(range(0, 1_000, 11))
    for _ in extract(
        reader,
        sifting,
        checkpoint=lambda: saved.append(sifting.bookmark.at),
        clock=lambda: float(next(ticks)),
    ):
        pass
    assert len(saved) > 1


def test_ids_past_the_budget_are_repeated_rather_than_lost() -> None:
    runs = Runs(budget=200)
    events = [event(1_000 + n, n) for n in range(90)]
    report = runs.run(events)
    assert report.forgotten > 0
    runs.run([*events, event(1_005, 900)])
    assert set(runs.emitted) == {*events, event(1_005, 900)}
    assert len(runs.saved["lookback"]["ids"]) <= 200


def test_a_longer_lookback_repeats_nothing() -> None:
    runs = Runs()
    events = [event(1_000 + 10 * n, n) for n in range(90)]
    runs.run(events)
    runs.asked = Range(lookback=10_000)
    runs.run(events)
    runs.run(events)
    assert runs.emitted == sorted(events)


def test_an_event_that_both_passes_return_is_emitted_once() -> None:
    both, own = event(1_000, 1), event(1_001, 2)
    first = Pass(Range(), Bookmark(), Report("organization", NOW), now=NOW)
    emitted = [
        one
        for batch in extract(
            Reader(ModelApi([both]), first.window, workers=1),
            first,
            checkpoint=lambda: None,
        )
        for one in batch
    ]
    report = Report("tenant", NOW)
    second = Pass(Range(), Bookmark(), report, now=NOW, elsewhere=[first.emitted])
    for batch in extract(
        Reader(ModelApi([both, own]), second.window, workers=1),
        second,
        checkpoint=lambda: None,
    ):
        emitted += batch
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
    assert second.order.value == "newest_first"


@pytest.mark.parametrize(
    "partition",
    [
        {"replication_key_value": 5},
        {"replication_key_value": "yesterday"},
        {"lookback": {"ids": "not base64!"}},
        {"lookback": "x"},
    ],
)
def test_a_state_that_cannot_be_read_is_refused(partition: dict[str, Any]) -> None:
    with pytest.raises(state.BadState, match="full refresh"):
        state.load(partition)


def test_a_bookmark_survives_the_state() -> None:
    ids = Lookback()
    ids.add(event(995, 1))
    partition: dict[str, Any] = {}
    state.save(Bookmark(1_000, 900, ids), partition)
    restored = state.load(partition)
    assert (restored.at, restored.since) == (1_000, 900)
    assert event(995, 1) in restored.ids
