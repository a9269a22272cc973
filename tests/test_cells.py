"""What is known is compared exactly, or in sums, and nothing of it is forgotten."""

from __future__ import annotations

import random
from base64 import b64encode
from hashlib import md5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_api import event

from tap_openai_audit.audit_logs import known as known_module
from tap_openai_audit.audit_logs.cells import (
    HOUR,
    MINUTE,
    QUARTER,
    Cells,
    cell_of,
    hash_of,
    new_among,
)
from tap_openai_audit.audit_logs.known import Known
from tap_openai_audit.audit_logs.recent_ids import RecentIds
from tap_openai_audit.windows import BEGINNING

DAY = 86_400
NOW = 20_000 * DAY
# Of numbers drawn at will two sums are soon the same, of hashes one in 2⁶⁴.
hashes = st.integers(0).map(str).map(hash_of)
seconds = st.one_of(
    st.integers(NOW - 20 * DAY, NOW),
    st.integers(NOW - HOUR, NOW),
    st.sampled_from([NOW - 1, NOW - DAY]),
    st.integers(-(10**10), 2 * 10**11),
)


def test_the_hash_is_what_a_database_computes() -> None:
    digits = md5(b"audit_log-000007", usedforsecurity=False).hexdigest()
    assert hash_of(event(5, 7).id) == int(digits[:16], 16)


@settings(max_examples=200)
@given(
    known=st.sets(hashes, min_size=1, max_size=30),
    late=st.sets(hashes, max_size=6),
    gone=st.sets(st.integers(0, 29)),
)
def test_what_is_new_in_a_cell_is_found_or_the_cell_is_not_resolved(
    known: set[int], late: set[int], gone: set[int]
) -> None:
    late -= known
    left = [own for place, own in enumerate(sorted(known)) if place not in gone]
    read = sorted({*left, *late})
    places = new_among(cell_of(known), read)
    if len(left) == len(known) and len(late) <= 2:
        assert places is not None
    if places is not None:
        assert {read[place] for place in places} == late


def test_pairs_are_resolved_among_five_hundred() -> None:
    chance = random.Random(1)  # noqa: S311 - a reproducible choice
    for trial in range(100):
        known = [hash_of(event(5, n).id) for n in range(500)]
        late = [hash_of(event(5, 10_000 * (trial + 1) + n).id) for n in range(2)]
        read = [*known, *late]
        chance.shuffle(read)
        places = new_among(cell_of(known), read)
        assert places is not None
        assert {read[place] for place in places} == {*late}


@given(
    times=st.lists(seconds, max_size=60),
    widths=st.tuples(seconds, seconds),
    later=st.tuples(seconds, seconds),
)
def test_older_cells_add_up_at_the_edges_of_wider_ones(
    times: list[int], widths: tuple[int, int], later: tuple[int, int]
) -> None:
    cells = Cells()
    cells.widen(*sorted(widths))
    for number, second in enumerate(times):
        cells.add(second, cell_of([hash_of(str(number))]))
    cells.widen(*sorted(later))
    assert cells.events == len(times)
    for start in cells.starts_between(BEGINNING, 10**12):
        width = cells.end_of(start) - start
        own = [n for n, t in enumerate(times) if start <= t < start + width]
        assert cells[start] == cell_of(hash_of(str(number)) for number in own)
        assert start % width == 0
        assert width in (
            {MINUTE}
            if start >= cells.minutes_from
            else {QUARTER}
            if start >= cells.quarters_from
            else {HOUR}
        )
    encoded = Cells.decode(
        cells.encode(),
        quarters_from=cells.quarters_from,
        minutes_from=cells.minutes_from,
    )
    assert encoded == cells


@given(found=st.dictionaries(seconds, st.sets(hashes, min_size=1, max_size=5)))
def test_recent_ids_are_read_as_they_were_written(found: dict[int, set[int]]) -> None:
    ids = RecentIds(found)
    assert RecentIds.decode(ids.encode()) == ids


@pytest.mark.parametrize(
    "text", ["x", "AAA", "/////w==", "AgIE", "AgEA", "ünicode", "gA==", "AgA="]
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the state says the rest
        Cells.decode(text, quarters_from=BEGINNING, minutes_from=BEGINNING)
    with pytest.raises(ValueError):  # noqa: PT011
        RecentIds.decode(text)


@given(data=st.binary(max_size=60))
def test_nothing_that_is_read_is_a_traceback(data: bytes) -> None:
    text = b64encode(data).decode()
    try:
        ids = RecentIds.decode(text)
    except ValueError:
        return
    assert RecentIds.decode(ids.encode()) == ids


@settings(max_examples=150)
@given(
    times=st.lists(st.integers(NOW - 10 * DAY, NOW), max_size=200),
    until=st.integers(NOW - DAY, NOW + 1),
    future=st.integers(0, 15),
    look_from=st.integers(NOW - DAY, NOW),
    most=st.integers(2, 40),
)
def test_what_shrinks_forgets_nothing(
    times: list[int], until: int, future: int, look_from: int, most: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(known_module, "MOST_IDS", most)
        patched.setattr(known_module, "IDS_LEFT", most * 7 // 10)
        known = Known()
        for number, second in enumerate(times):
            known.ids.add(second, hash_of(str(number)))
        for number in range(future):
            known.ids.add(NOW + DAY + number, hash_of(f"future-{number}"))
        known.shrink(until, NOW)
        known.widen(min(look_from, until), until)
    assert len(known) == len(times) + future
    assert known.recent_from <= until
    # What is read from here on is compared with all of a cell.
    assert not known.ids.seconds or known.ids.seconds[0] >= known.recent_from
    ahead = sum(second >= until for second in times)
    assert len(known.ids) <= max(most, ahead) + future
    start = known.start_for(look_from)
    again = known.copy()
    again.forget_before(look_from)
    inside = sum(second >= start for second in times)
    assert len(again) == inside + future


def test_one_second_with_more_ids_goes_whole() -> None:
    known = Known()
    for number in range(5_000):
        known.ids.add(NOW, hash_of(str(number)))
    known.shrink(NOW, NOW)
    assert len(known.ids) == 5_000
    known.shrink(NOW + 1, NOW)
    assert (len(known.ids), known.recent_from) == (0, NOW + 1)
    assert known.cells[NOW].events == 5_000
