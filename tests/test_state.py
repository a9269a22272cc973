"""A state is read or refused in one line; it is never ignored."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_api import event

from tap_openai_audit.audit_logs.cells import Cell, Cells, hash_of
from tap_openai_audit.audit_logs.days import Days
from tap_openai_audit.audit_logs.known import Known
from tap_openai_audit.audit_logs.position import Position
from tap_openai_audit.audit_logs.recent_ids import RecentIds
from tap_openai_audit.audit_logs.state import Change, Filters, ScopeState
from tap_openai_audit.errors import BadState
from tap_openai_audit.inventory.bookmark import LastReading
from tap_openai_audit.inventory.streams import REFERENCE_STREAMS
from tap_openai_audit.singer.state_input import partitions_of, unwrapped
from tap_openai_audit.tap import TapOpenAIAudit
from tap_openai_audit.timestamps import iso

STREAMS = TapOpenAIAudit(validate_config=False).streams
NOW = 1_790_000_000 // 86_400 * 86_400 + 50_000
AT = "2026-09-21T13:53:20+00:00"
DAY, HOUR = 86_400, 3_600


def days() -> Days:
    found = Days()
    found.add([event(NOW - DAY, 2), event(NOW - 5, 1)], [hash_of("2"), hash_of("1")])
    return found


STATE = ScopeState(
    Position(
        NOW,
        NOW - HOUR,
        NOW + 60,
        Known(
            NOW - DAY,
            NOW - 600,
            RecentIds({NOW - 5: [7], NOW - 4: [8, 9]}),
            Cells(
                {(NOW - 2_000) // 900 * 900: Cell(3, 5)},
                quarters_from=NOW // HOUR * HOUR - DAY,
                minutes_from=NOW // 900 * 900 - 900,
            ),
        ),
        days(),
        NOW - 10**6,
    ),
    organization_id="org-abc",
    filters=Filters(("event_types=user.added",)),
    covered_from=NOW - 10**6,
    end_date=NOW + 5,
    chain_id="chain",
    run_id="run",
    number=3,
    scanned_at=NOW - 60,
)

#: What versions wrote that were never published.
OF_0_1 = {
    "context": {"scope": "organization"},
    "replication_key": "effective_at",
    "replication_key_value": "2026-09-21T14:13:40+00:00",
    "lookback": {"since": "2026-09-21T13:13:40+00:00", "ids": ""},
}


def written(state: ScopeState = STATE, scope: str = "organization") -> dict[str, Any]:
    partition: dict[str, Any] = {"context": {"scope": scope}}
    state.write(partition)
    return partition


def state_of(*partitions: object) -> dict[str, Any]:
    return {"bookmarks": {"audit_logs": {"partitions": [*partitions]}}}


def of_users(**changes: object) -> dict[str, Any]:
    bookmark = {"complete_at": AT, "organization_id": "org-abc", **changes}
    return {"bookmarks": {"users": bookmark}}


def test_what_is_written_is_read() -> None:
    partition = json.loads(json.dumps(written()))
    assert ScopeState.read(partition) == STATE
    assert all(
        not isinstance(value, dict)
        for name, value in partition.items()
        if name != "context"
    )


def test_what_does_not_apply_is_written_as_null_and_replaces_what_was_there() -> None:
    partition: dict[str, Any] = {**written(), "scanned_at": AT}
    ScopeState(Position(), "org-a", chain_id="c", run_id="r").write(partition)
    assert partition["scanned_at"] is None
    assert partition["look_from"] is None
    assert ScopeState.read(partition).position == Position()


@pytest.mark.parametrize(
    ("partition", "named"), [(OF_0_1, "no version"), ({"version": 2}, "version 2")]
)
def test_a_state_of_another_version_is_refused_in_one_line(
    partition: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadState) as caught:
        ScopeState.read(partition)
    assert named in str(caught.value)
    assert "--full-refresh" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"look_from": iso(NOW + 1)}, "look_from is after the bookmark"),
        ({"known_from": iso(NOW - HOUR + 1)}, "known_from is after look_from"),
        ({"recent_from": iso(NOW - DAY - 1)}, "known_from is after recent_from"),
        ({"recent_from": iso(NOW - 4)}, "an id is before recent_from"),
        ({"recent_from": iso(NOW - 3_000)}, "a cell is after recent_from"),
        ({"known_from": iso(NOW - HOUR), "cells": "gICACgEAAAAAAAAAAQ=="}, "cell"),
        ({"covered_from": iso(NOW + 1)}, "covered_from is after the bookmark"),
        ({"end_date": iso(NOW)}, "end_date is not after the bookmark"),
        ({"read_to": None}, "it has a bookmark and no read_to"),
        ({"minutes_from": None}, "minutes before quarters"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    change: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadState) as caught:
        ScopeState.read({**written(), **change})
    assert says in str(caught.value)
    assert "full refresh" in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"replication_key_value": 5},
        {"replication_key_value": "yesterday"},
        {"replication_key_value": "0001-01-01T00:00:00+23:59"},
        {"look_from": 7},
        {"recent_ids": "not base64!"},
        {"recent_ids": "AAAA"},
        {"recent_ids": None},
        {"cells": "AAAA"},
        {"days": "AAAA"},
        {"state_number": "1"},
        {"filters": "x"},
        {"filters": [1]},
        {"organization_id": None},
        {"chain_id": 1},
        {"version": 2},
        {"version": 4},
        {"version": "3"},
        {"version": True},
        {"Version": 3},
        {"lookback": {}},
        {"replication_key": "id"},
        {"version": None},
    ],
)
def test_a_partition_that_cannot_be_read_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadState) as caught:
        ScopeState.read({**written(), **change})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("name", sorted(set(written()) - {"context", "version"}))
def test_a_partition_that_lacks_something_is_refused(name: str) -> None:
    partition = written()
    del partition[name]
    with pytest.raises(BadState, match=f"it lacks '{name}'"):
        ScopeState.read(partition)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"type": "STATE", "value": state},
        lambda state: {"singer_state": state},
        lambda state: {**state, "currently_syncing": "audit_logs"},
    ],
)
def test_a_state_in_its_usual_wrappings_is_read(wrap: Any) -> None:
    state = state_of(written(), written(scope="tenant"))
    state["bookmarks"] |= of_users()["bookmarks"]
    state["bookmarks"]["sync_reports"] = {}
    assert unwrapped(wrap(state), STREAMS) == state
    partitions = partitions_of(state["bookmarks"]["audit_logs"])
    assert set(partitions) == {"organization", "tenant"}


@pytest.mark.parametrize("empty", [{}, {"bookmarks": {}}])
def test_an_empty_state_is_none(empty: dict[str, Any]) -> None:
    assert unwrapped(empty, STREAMS) == {}


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_may_have_an_empty_bookmark(stream: str) -> None:
    nothing: dict[str, Any] = {"bookmarks": {stream: {}}}
    assert unwrapped(nothing, STREAMS) == nothing
    assert unwrapped({"bookmarks": {stream: {"partitions": []}}}, STREAMS) == nothing


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ([], "it is a list"),
        ({"bookmark": {}}, "it has bookmark, which is not known"),
        ({"bookmarks": []}, "bookmarks is a list"),
        ({"bookmarks": None}, "bookmarks is null"),
        ({"bookmarks": {"commits": {}}}, "a stream commits that this tap lacks"),
        ({"bookmarks": {"audit_logs": None}}, "audit_logs is null"),
        ({"singer_state": None}, "singer_state is null"),
        ({"type": "STATE", "value": "x"}, "value is a str"),
        (
            {"bookmarks": {"audit_logs": {"replication_key_value": "2026-01-01"}}},
            "audit_logs has replication_key_value, which is not known",
        ),
        ({"bookmarks": {"audit_logs": {"partitions": {}}}}, "partitions is a dict"),
        (state_of(None), "a partition is null"),
        (state_of({"context": {"scope": "Organization"}}), "Organization"),
        (state_of({"context": {"scope": "organization", "x": 1}}), "a partition of"),
        (state_of({"context": None}), "a partition of None"),
        (state_of(written(), written()), "two partitions of organization"),
        (state_of(written() | {"cells": "x"}), "not base64"),
        ({"x" * 10_000: 1}, "xxx"),
        ({"value": {}, "bookmarks": {}}, "bookmarks, which is not known"),
        ({"singer_state": {}, "bookmarks": {}}, "bookmarks, which is not known"),
        ({"bookmarks": {"audit_logs": {"Partitions": []}}}, "Partitions, which"),
        ({"bookmarks": {"audit_logs": {"bookmark": 1}}}, "bookmark, which is not"),
        ({"bookmarks": {"sync_reports": 3}}, "sync_reports is a int, not an object"),
        (
            {"bookmarks": {"sync_reports": {"partitions": "x"}}},
            "a bookmark of sync_reports, which needs none",
        ),
        ({"bookmarks": {"users": 3}}, "users is a int, not an object"),
        ({"bookmarks": {"users": {"partitions": "x"}}}, "unknown field `partitions`"),
        (of_users(complete_at=5), "The state of users cannot be read"),
        (of_users(complete_at="yesterday"), "The state of users cannot be read"),
        (of_users(complete_at=None), "The state of users cannot be read"),
        (of_users(organization_id=None), "The state of users cannot be read"),
        (of_users(replication_key="id"), "unknown field `replication_key`"),
        ({"bookmarks": {"users": {"complete_at": AT}}}, "field `organization_id`"),
        (state_of(OF_0_1), "this tap reads version 3"),
        (
            {"bookmarks": {"audit_log_digests": {"organization": 3}}},
            "organization is no text",
        ),
        (
            {"bookmarks": {"audit_log_digests": {"updated_at": "yesterday"}}},
            "The state of audit_log_digests cannot be read",
        ),
        ({"bookmarks": {"audit_log_digests": {"x": "y"}}}, "audit_log_digests has x"),
        ({"\x1b[31m\nforged": 1}, "forged"),
    ],
)
def test_a_state_that_is_not_understood_is_refused(state: object, says: str) -> None:
    with pytest.raises(BadState) as caught:
        unwrapped(state, STREAMS)
    text = str(caught.value)
    assert says in text
    assert text.isprintable()
    assert len(text) < 600
    assert "full refresh" in text or "--full-refresh" in text


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*written(), "bookmarks", "partitions", "audit_logs", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(value=anything, name=st.sampled_from([*written()]))
def test_no_state_is_a_traceback(value: object, name: str) -> None:
    for state in (value, state_of(value), state_of({**written(), name: value})):
        with suppress(BadState):
            unwrapped(state, STREAMS)


ALL, USERS, BOTH = (
    Filters(),
    Filters.of({"event_types": ["user.added"]}),
    Filters.of({"event_types": ["user.added", "user.deleted"]}),
)
IN_PROJECT = Filters.of({"event_types": ["user.added"], "project_ids": ["proj_1"]})
LONG, LONGER = (
    Filters.of({"resource_ids": [f"resource-{n}" for n in range(count)]})
    for count in (1_000, 1_001)
)


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (ALL, ALL, Change.NONE),
        (USERS, USERS, Change.NONE),
        (ALL, USERS, Change.NARROWED),
        (BOTH, USERS, Change.NARROWED),
        (USERS, IN_PROJECT, Change.NARROWED),
        (USERS, BOTH, Change.WIDENED),
        (USERS, ALL, Change.WIDENED),
        (IN_PROJECT, BOTH, Change.WIDENED),
        (IN_PROJECT, USERS, Change.WIDENED),
        (LONG, LONG, Change.NONE),
        (LONG, LONGER, Change.WIDENED),
        (ALL, LONG, Change.NARROWED),
        (LONG, ALL, Change.WIDENED),
    ],
)
def test_a_change_of_filters_is_told(
    before: Filters, now: Filters, change: Change
) -> None:
    assert before.change_to(now) is change


def known_of(events: int) -> Known:
    """What is known with as many events a day, at the largest."""
    known, cells = Known(NOW - 30 * DAY, NOW - 9), Cells()
    for number in range(1_000):
        known.ids.add(NOW - number % 9, 2**63 + number)
    cells.widen((NOW - 8 * DAY), NOW - 2 * HOUR)
    for second in range(NOW - 30 * DAY, NOW - 9, 60):
        cells.add(second, Cell(events // 1_440 + 1, 2**63 + second))
    known.cells = cells
    return known


@pytest.mark.parametrize("a_day", [10, 100_000, 10_000_000])
def test_the_state_of_a_feed_stays_under_36_kib_with_thirty_days(a_day: int) -> None:
    partition = written(
        replace(STATE, position=replace(STATE.position, known=known_of(a_day)))
    )
    assert len(json.dumps(partition)) < 36 * 1024


def test_the_state_of_the_reference_streams_is_small() -> None:
    whole: dict[str, Any] = {}
    for stream in REFERENCE_STREAMS:
        reading = LastReading(NOW, "org-" + "x" * 60)
        reading.write(whole.setdefault(str(vars(stream)["name"]), {}))
    assert len(json.dumps(whole)) < 4 * 1024
