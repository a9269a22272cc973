"""A state is read, migrated or refused in one line; it is never ignored."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_api import event

from tap_openai_audit.audit_logs.buckets import bucket_of
from tap_openai_audit.audit_logs.days import Days
from tap_openai_audit.audit_logs.position import Position
from tap_openai_audit.audit_logs.sketch import Sketch
from tap_openai_audit.audit_logs.state import (
    SKETCH_BUDGET,
    Change,
    Filters,
    ScopeState,
)
from tap_openai_audit.errors import BadState
from tap_openai_audit.inventory.bookmark import LastReading
from tap_openai_audit.inventory.streams import REFERENCE_STREAMS
from tap_openai_audit.singer.state_input import partitions_of, unwrapped
from tap_openai_audit.tap import TapOpenAIAudit
from tap_openai_audit.windows import BEGINNING

STREAMS = TapOpenAIAudit(validate_config=False).streams
NOW = 1_790_000_000
AT = "2026-09-21T14:13:20+00:00"
KNOWN = Sketch.of([bucket_of(event(NOW - 5, 1))])
DAYS = Days().with_events([event(NOW - 10**6, 2), event(NOW - 9 * 10**5, 3)])
STATE = ScopeState(
    Position(NOW, NOW - 3_600, NOW - 3_600, KNOWN, DAYS, NOW - 10**6, NOW + 60),
    organization_id="org-abc",
    filters=Filters(("event_types=user.added",)),
    covered_from=NOW - 10**6,
    chain_id="chain",
    run_id="run",
    deep_look_at=NOW - 60,
)

#: What 0.1.0 wrote after it had emitted the events 0, 1 and 2, ten seconds apart.
OF_0_1 = {
    "context": {"scope": "organization"},
    "replication_key": "effective_at",
    "replication_key_value": "2026-09-21T14:13:40+00:00",
    "lookback": {
        "since": "2026-09-21T13:13:40+00:00",
        "ids": "gO6Jqw0BDlvS1wFkFAEEf7Sv5AkUAWii3Tj6ag==",
    },
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
    partition: dict[str, Any] = {**OF_0_1, "deep_look_at": "2026-09-21T14:13:40+00:00"}
    ScopeState(Position(NOW), chain_id="c", run_id="r").write(partition)
    assert "lookback" not in partition
    ScopeState.read({**partition, "organization_id": "org-a"})
    assert partition["deep_look_at"] is None
    assert partition["look_from"] is None
    assert ScopeState.read({**partition, "organization_id": "org-a"}).covered_from == (
        BEGINNING
    )


def test_a_state_of_0_1_0_is_migrated_and_keeps_its_ids() -> None:
    state = ScopeState.read(OF_0_1)
    position = state.position
    assert position.bookmark == NOW + 20
    assert position.look_from == position.known_from == NOW + 20 - 3_600
    before = position.known_of_0_1
    assert before is not None
    assert all(event(NOW + 10 * n, n) in before for n in range(3))
    assert event(NOW, 1) not in before
    assert (state.organization_id, state.filters) == (None, None)
    # Until that time was read again the ids stay, in the form that they have.
    partition = json.loads(json.dumps(OF_0_1))
    state.write(partition)
    partition |= {"organization_id": "org-a", "chain_id": "c", "run_id": "r"}
    again = ScopeState.read(partition).position.known_of_0_1
    assert again is not None
    assert event(NOW + 10, 1) in again


@pytest.mark.parametrize(
    "change",
    [
        {"replication_key_value": 5},
        {"replication_key_value": "yesterday"},
        {"replication_key_value": "0001-01-01T00:00:00+23:59"},
        {"look_from": 7},
        {"known": "not base64!"},
        {"known": "AAAA"},
        {"known": None},
        {"filters": "x"},
        {"filters": [1]},
        {"organization_id": None},
        {"chain_id": 1},
        {"version": 3},
        {"version": "2"},
        {"version": True},
        {"Version": 2},
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
    "ids", ["x", "not base64", "AgI=", 5, "/////////////////////w==", [], {"a": 1}]
)
def test_ids_of_0_1_0_that_cannot_be_read_are_refused(ids: object) -> None:
    with pytest.raises(BadState, match="full refresh"):
        ScopeState.read({**OF_0_1, "lookback": {"ids": ids}})


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
        (state_of(written() | {"known": "x"}), "not base64"),
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
        (state_of({**OF_0_1, "Replication_Key_Value": "2026-01-01"}), "Replication"),
        (state_of({**OF_0_1, "lookback": ""}), "cannot be read"),
        (state_of({**OF_0_1, "lookback": {"Since": "2026-01-01"}}), "it has Since"),
        (
            state_of({k: v for k, v in written().items() if k != "version"}),
            "which is not known",
        ),
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
    assert "full refresh" in text


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


@given(value=anything, name=st.sampled_from([*written(), "lookback"]))
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


def test_the_whole_state_stays_under_64_kib() -> None:
    every = [f"resource-{n:020}" for n in range(150)]
    whole = state_of(
        *(
            written(
                ScopeState(
                    Position(
                        NOW,
                        NOW - 3_600,
                        NOW - 3_600,
                        Sketch.of(
                            [bucket_of(event(NOW - n // 9, n)) for n in range(20_000)]
                        ).fitted(SKETCH_BUDGET[scope]),
                    ),
                    "org-" + "x" * 60,
                    Filters.of({"resource_ids": every, "actor_ids": every}),
                    NOW,
                    "c" * 36,
                    "r" * 36,
                ),
                scope,
            )
            for scope in SKETCH_BUDGET
        )
    )
    for stream in REFERENCE_STREAMS:
        reading = LastReading(NOW, "org-" + "x" * 60)
        reading.write(whole["bookmarks"].setdefault(str(vars(stream)["name"]), {}))
    assert len(json.dumps(whole)) < 64 * 1024


def test_the_state_of_a_typical_organization_stays_under_16_kib() -> None:
    # A hundred events a day, and a lookback of the longest that is allowed: 30 days.
    ids = [bucket_of(event(NOW - 864 * n, n)) for n in range(3_000)]
    hour = Sketch.of(ids[:100]).fitted(SKETCH_BUDGET["organization"])
    partition = written(ScopeState(Position(NOW, NOW, NOW, hour), "org-abc", Filters()))
    assert len(json.dumps(partition)) < 16 * 1024
