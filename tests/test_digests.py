"""A digest says what a chain has written of a day, and what it cannot say of it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_api import event

from tap_openai_audit.audit_logs.cells import hash_of
from tap_openai_audit.audit_logs.days import DAY, DayCount, Days, day_of
from tap_openai_audit.audit_logs.digests import Digest, digests_of
from tap_openai_audit.audit_logs.position import Position
from tap_openai_audit.audit_logs.state import ScopeState

if TYPE_CHECKING:
    from tap_openai_audit.audit_logs.events import Event

NOON = 20_000 * DAY + DAY // 2
EVENTS = [event(NOON - DAY, 1), event(NOON - 60, 2), event(NOON, 3)]


def days_of(events: list[Event]) -> Days:
    days = Days()
    days.add(events, [hash_of(one.id) for one in events])
    return days


STATE = ScopeState(
    Position(
        bookmark=NOON,
        days=days_of(EVENTS),
        counted_from=NOON - DAY - 5,
        read_to=NOON + 100,
    ),
    organization_id="org-abc",
    chain_id="chain",
)


def digests(state: ScopeState = STATE) -> list[Digest]:
    return digests_of(state, "organization", state.position.days.counts.items())


def test_it_has_the_sum_of_the_first_eight_digits_of_the_md5_of_each_id() -> None:
    today = digests()[1]
    digits = [md5(e.id.encode(), usedforsecurity=False).hexdigest() for e in EVENTS]
    assert today.count.checksum == sum(int(own[:8], 16) for own in digits[1:])
    assert today.record(run_id="run") == {
        "organization_id": "org-abc",
        "scope": "organization",
        "chain_id": "chain",
        "day": "2024-10-04",
        "events": 2,
        "ids_checksum": today.count.checksum,
        "oldest_event_at": "2024-10-04T11:59:00+00:00",
        "newest_event_at": "2024-10-04T12:00:00+00:00",
        "counted_from": "2024-10-04T00:00:00+00:00",
        "counted_to": "2024-10-04T12:01:40+00:00",
        "exact": True,
        "reason": "the day was not over",
        "run_id": "run",
    }


def test_a_day_within_which_the_chain_began_says_from_when_on_it_counts() -> None:
    first, _ = digests()
    assert (first.counted_from, first.is_over) == (NOON - DAY - 5, True)
    assert first.record()["reason"] == "the chain began within the day"


def test_an_event_that_is_dated_in_the_future_does_not_end_the_day() -> None:
    days = days_of([*EVENTS, event(NOON + DAY // 2 - 1, 4)])
    today = digests(replace(STATE, position=replace(STATE.position, days=days)))[1]
    assert (today.count.events, today.counted_to) == (3, NOON + 100)
    assert today.record()["reason"] == "the day was not over"


def test_a_state_without_a_chain_has_none() -> None:
    assert digests(replace(STATE, chain_id=None)) == []


def test_only_days_that_have_changed_or_ended_are_reported() -> None:
    days = days_of(EVENTS)
    assert [day for day, _ in days.take_changed()] == [19_999, 20_000]
    assert days.take_changed() == []
    days.report_ended(NOON, NOON + 3_600)
    assert days.take_changed() == []
    days.report_ended(NOON + 3_600, NOON + DAY)
    assert [day for day, _ in days.take_changed()] == [20_000]
    days.drop_before(20_000 * DAY + 5)
    assert [*days.counts] == [20_000]


def test_a_day_that_begins_again_counts_what_is_written_then() -> None:
    days = days_of(EVENTS)
    days.begin_again(19_999, 20_001)
    again = event(NOON - 70, 9)
    days.add([again], [hash_of(again.id)])
    count = days.counts[day_of(NOON)]
    assert (count.events, count.oldest, count.exact) == (1, NOON - 70, False)


days = st.dictionaries(
    st.integers(-1_000, 30_000),
    st.tuples(
        st.integers(1, 10**7),
        st.integers(0, 2**53),
        st.integers(0, DAY - 1),
        st.integers(0, DAY - 1),
        st.booleans(),
    ),
)


@given(found=days)
def test_counts_of_days_are_read_as_they_were_written(
    found: dict[int, tuple[int, int, int, int, bool]],
) -> None:
    counts = Days(
        {
            day: DayCount(
                events, checksum, day * DAY + min(a, b), day * DAY + max(a, b), exact
            )
            for day, (events, checksum, a, b, exact) in found.items()
        }
    )
    assert Days.decode(counts.encode()) == counts


@pytest.mark.parametrize("text", ["x", "ünicode", "AA", "/////w==", "AgEA", "gA=="])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the state says the rest
        Days.decode(text)
