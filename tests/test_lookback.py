"""Ids travel in the state: compact, exact, and within a budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_api import event

from tap_openai_audit.extraction.events import Event
from tap_openai_audit.extraction.lookback import EmittedInRun, Lookback

seconds = st.one_of(st.integers(0, 2**33), st.integers(-5, 300), st.just(253402300799))
events = st.lists(
    st.builds(Event, seconds, st.text(max_size=40), st.just(b"")), max_size=80
)


@given(known=events, others=events)
def test_exactly_the_ids_that_were_added_are_known_again(
    known: list[Event], others: list[Event]
) -> None:
    lookback = Lookback()
    for one in known:
        lookback.add(one)
    restored = Lookback.decode(lookback.encode())
    assert all(one in restored for one in known)
    pairs = {(one.effective_at, one.id) for one in known}
    assert not any(
        one in restored for one in others if (one.effective_at, one.id) not in pairs
    )
    assert len(restored) == len(pairs)


def test_an_id_takes_less_than_twelve_bytes() -> None:
    lookback = Lookback()
    for number in range(3_600):
        lookback.add(event(1_790_000_000 + number, number))
    assert len(lookback.encode()) / 3_600 < 12


@given(known=events, since=seconds, budget=st.integers(0, 2_000))
def test_trimming_keeps_the_budget_and_forgets_the_oldest_first(
    known: list[Event], since: int, budget: int
) -> None:
    lookback = Lookback()
    for one in known:
        lookback.add(one)
    wanted = {(one.effective_at, one.id) for one in known if one.effective_at >= since}
    forgotten = lookback.trim(since, budget)
    assert len(lookback.encode()) <= max(budget, 4)
    assert len(lookback) == len(wanted) - forgotten
    kept = {one.effective_at for one in known if one in lookback}
    assert all(second >= since for second in kept)
    if forgotten and kept:
        dropped = {second for second, _ in wanted} - kept
        assert min(kept) > min(dropped)


@pytest.mark.parametrize("text", ["x", "AAAA/w==", "gICA", "AgU=", "%%%%"])
def test_ids_that_cannot_be_read_are_refused_rather_than_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="ids"):
        Lookback.decode(text)


@given(known=st.lists(st.integers(0, 50)))
def test_a_run_knows_what_it_emitted(known: list[int]) -> None:
    emitted = EmittedInRun()
    for number, second in enumerate(sorted(known)):
        emitted.add(event(second, number))
    for number, second in enumerate(sorted(known)):
        assert event(second, number) in emitted
        assert event(second, number + 10_000) not in emitted
