"""A digest says what a chain has written of a day, and what it cannot say of it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_api import event

from tap_openai_audit.audit_logs.buckets import bucket_of
from tap_openai_audit.audit_logs.days import DAY, DayCount, Days
from tap_openai_audit.audit_logs.digests import checksums_of, decode, digests_of, encode
from tap_openai_audit.audit_logs.position import Position
from tap_openai_audit.audit_logs.sketch import Sketch
from tap_openai_audit.audit_logs.state import ScopeState

NOON = 20_000 * DAY + DAY // 2
EVENTS = [event(NOON - DAY, 1), event(NOON - 60, 2), event(NOON, 3)]
STATE = ScopeState(
    Position(
        bookmark=NOON,
        known_from=NOON - 3_600,
        known=Sketch.of(map(bucket_of, EVENTS[1:])),
        days=Days().with_events(EVENTS[:1]),
        counted_from=NOON - DAY - 5,
        read_to=NOON + 100,
    ),
    organization_id="org-abc",
    chain_id="chain",
)


def test_it_has_the_sum_of_the_first_eight_digits_of_the_md5_of_each_id() -> None:
    today = digests_of(STATE, "organization")[1]
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
    first, _ = digests_of(STATE, "organization")
    assert (first.counted_from, first.is_over) == (NOON - DAY - 5, True)
    assert first.record()["reason"] == "the chain began within the day"


def test_what_lies_before_the_chain_is_not_counted() -> None:
    position = replace(STATE.position, counted_from=NOON - 30, days=Days())
    (today,) = digests_of(replace(STATE, position=position), "organization")
    assert (today.count.events, today.counted_from) == (1, NOON - 30)


def test_time_that_passes_within_a_day_is_no_reason_to_write_it_again() -> None:
    before = checksums_of(digests_of(STATE, "organization"))
    later = replace(STATE.position, read_to=NOON + 3_600)
    after = checksums_of(digests_of(replace(STATE, position=later), "organization"))
    assert after == before
    over = replace(STATE.position, read_to=NOON + DAY)
    after = checksums_of(digests_of(replace(STATE, position=over), "organization"))
    assert [day for day in after if after[day] != before[day]] == [NOON // DAY]


def test_an_event_that_is_dated_in_the_future_does_not_end_the_day() -> None:
    position = STATE.position
    known = Sketch.of(
        [*position.known.buckets, bucket_of(event(NOON + DAY // 2 - 1, 4))]
    )
    state = replace(STATE, position=replace(position, known=known))
    today = digests_of(state, "organization")[1]
    assert (today.count.events, today.counted_to) == (3, NOON + 100)
    assert today.record()["reason"] == "the day was not over"


def test_a_new_chain_writes_all_its_days() -> None:
    before = checksums_of(digests_of(STATE, "organization"))
    after = checksums_of(digests_of(replace(STATE, chain_id="new"), "organization"))
    assert not {*before.items()} & {*after.items()}


def test_a_state_that_was_not_written_by_this_version_has_none() -> None:
    assert digests_of(ScopeState(Position()), "organization") == []


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


@given(
    found=st.dictionaries(
        st.integers(-1_000, 30_000), st.binary(min_size=6, max_size=6)
    )
)
def test_checksums_of_days_are_read_as_they_were_written(
    found: dict[int, bytes],
) -> None:
    assert decode(encode(found)) == found


@pytest.mark.parametrize("text", ["x", "ünicode", "AA", "/////w==", "AgEA", "gA=="])
def test_what_is_neither_is_refused(text: str) -> None:
    for read in (Days.decode, decode):
        with pytest.raises(ValueError):  # noqa: PT011 - the state says the rest
            read(text)
