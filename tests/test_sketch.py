"""The sketch knows what was emitted, exactly or in sums, and forgets nothing."""

from __future__ import annotations

import random
from hashlib import md5
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_api import event

from tap_openai_audit.audit_logs.buckets import Bucket, bucket_of, resolve
from tap_openai_audit.audit_logs.days import Days
from tap_openai_audit.audit_logs.sketch import Sketch

if TYPE_CHECKING:
    from tap_openai_audit.audit_logs.events import Event

DAY = 86_400
#: Two days about a midnight, with many events in one second.
seconds = st.lists(
    st.one_of(
        st.integers(10 * DAY - 500, 10 * DAY + 500),
        st.sampled_from([10 * DAY - 1, 10 * DAY]),
        st.integers(-(10**11), 2 * 10**11),
    ),
    max_size=120,
)
budgets = st.integers(100, 1_500)
#: Of a bucket for the last second of a day, and one for all before it.
CHARACTERS_PER_DAY = 60


def sketch_of(events: list[Event]) -> Sketch:
    return Sketch.of(map(bucket_of, events))


def events_at(times: list[int]) -> list[Event]:
    return sorted(event(second, number) for number, second in enumerate(times))


@given(times=seconds, budget=budgets, edge=st.integers(9 * DAY, 11 * DAY))
def test_merging_forgets_nothing_and_keeps_edges_and_midnights(
    times: list[int], budget: int, edge: int
) -> None:
    events = events_at(times)
    whole = sketch_of(events)
    fitted = whole.fitted(budget, edges=[edge])
    assert len(fitted) == len(events)
    for part in ("high", "low"):
        assert sum(getattr(b, part) for b in fitted.buckets) == sum(
            getattr(b, part) for b in whole.buckets
        )
    # Over an edge reaches no more than the time in which nothing was emitted.
    kept = Sketch(fitted.cut(edge)[1])
    assert len(kept) - sum(edge <= e.effective_at for e in events) in {
        0,
        *(bucket.ids for bucket in fitted.buckets if bucket.start < edge),
    }


@given(times=st.lists(st.integers(9 * DAY, 11 * DAY), min_size=40, max_size=120))
def test_the_days_remain_countable(times: list[int]) -> None:
    fitted = sketch_of(events_at(times)).fitted(200)
    found = Days().with_buckets(fitted.buckets, since=0).counts
    for day, count in found.items():
        own = [second for second in times if second // DAY == day]
        assert (count.events, count.oldest) == (len(own), min(own))
        assert count.newest == max(own)
    assert found.keys() == {second // DAY for second in times}


@given(times=seconds, budget=budgets)
def test_it_fits_its_budget_where_the_days_leave_room(
    times: list[int], budget: int
) -> None:
    days = len({second // DAY for second in times})
    encoded = sketch_of(events_at(times)).fitted(budget).encode()
    assert len(encoded) <= max(budget, days * CHARACTERS_PER_DAY)


@given(times=seconds, budget=budgets)
def test_what_was_encoded_is_decoded(times: list[int], budget: int) -> None:
    fitted = sketch_of(events_at(times)).fitted(budget)
    assert Sketch.decode(fitted.encode()) == fitted


@pytest.mark.parametrize("text", ["x", "AAA", "/////w==", "AgIE", "AgIC", "ünicode"])
def test_what_is_no_sketch_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the state says the rest
        Sketch.decode(text)


@given(data=st.binary(max_size=60))
def test_nothing_that_is_read_is_a_traceback(data: bytes) -> None:
    from base64 import b64encode  # noqa: PLC0415

    try:
        sketch = Sketch.decode(b64encode(data).decode())
    except ValueError:
        return
    assert Sketch.decode(sketch.encode()) == sketch


def replay(known: Sketch, events: list[Event]) -> tuple[list[Event], bool]:
    """What is new when all that a sketch knows is read again."""
    new, resolved, groups = [], True, known.groups(-(10**12))
    times = [(start, end) for start, end, _ in groups]
    new += [
        e
        for e in events
        if not any(start <= e.effective_at < end for start, end in times)
    ]
    for start, end, buckets in groups:
        found = resolve(buckets, [e for e in events if start <= e.effective_at < end])
        new += found.new
        resolved = resolved and found.resolved
    return sorted(new), resolved


@settings(max_examples=300)
@given(times=seconds, budget=budgets)
def test_nothing_is_new_where_nothing_changed(times: list[int], budget: int) -> None:
    events = events_at(times)
    assert replay(sketch_of(events).fitted(budget), events) == ([], True)


@settings(max_examples=300)
@given(times=seconds, budget=budgets, late=st.lists(st.integers(0, 119), max_size=2))
def test_one_late_event_or_two_are_found_alone(
    times: list[int], budget: int, late: list[int]
) -> None:
    events = events_at(times)
    known = sketch_of(events).fitted(budget)
    added = [
        event(times[place % len(times)], 1_000 + number)
        for number, place in enumerate(late)
        if times
    ]
    assert replay(known, sorted(events + added)) == (sorted(added), True)


@settings(max_examples=300)
@given(
    times=seconds,
    budget=budgets,
    late=st.lists(st.integers(0, 119), max_size=30),
    gone=st.sets(st.integers(0, 119), max_size=30),
)
def test_whatever_changed_no_new_event_is_missed(
    times: list[int], budget: int, late: list[int], gone: set[int]
) -> None:
    events = events_at(times)
    known = sketch_of(events).fitted(budget)
    added = [
        event(times[place % len(times)], 1_000 + number)
        for number, place in enumerate(late)
        if times
    ]
    left = [e for number, e in enumerate(events) if number not in gone]
    new, resolved = replay(known, sorted(left + added))
    assert set(new) >= set(added)
    assert not resolved or set(new) == set(added)


def test_buckets_of_five_hundred_resolve_three_hundred_pairs() -> None:
    chance = random.Random(1)  # noqa: S311 - a reproducible choice
    for trial in range(300):
        events = [event(chance.randrange(DAY), n) for n in range(500)]
        (whole,) = resolve_all(events)
        added = [event(5, 10_000 + trial), event(6, 20_000 + trial)]
        shuffled = events + added
        chance.shuffle(shuffled)
        found = resolve([whole], shuffled)
        assert (set(found.new), found.resolved) == (set(added), True)


def resolve_all(events: list[Event]) -> tuple[Bucket]:
    whole = bucket_of(events[0])
    for one in events[1:]:
        whole = whole.merged(bucket_of(one))
    return (whole,)


def test_the_hash_is_what_a_database_computes() -> None:
    digits = md5(b"audit_log-000007", usedforsecurity=False).hexdigest()
    bucket = bucket_of(event(5, 7))
    assert (bucket.high, bucket.low) == (int(digits[:8], 16), int(digits[8:16], 16))


@pytest.mark.parametrize(("a_day", "largest"), [(100, 1), (10_000, 100), (40_000, 400)])
def test_a_week_fits_in_buckets_of_even_size(a_day: int, largest: int) -> None:
    events = [event(n * DAY // a_day, n) for n in range(7 * a_day)]
    fitted = sketch_of(events).fitted(20 * 1024)
    assert len(fitted.encode()) <= 20 * 1024
    assert max(bucket.ids for bucket in fitted.buckets) <= largest
    newest = fitted.buckets[-100:]
    assert all(bucket.ids == 1 for bucket in newest)
