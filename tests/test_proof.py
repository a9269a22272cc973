"""The digests of the days are what the table holds, wherever a target is killed."""

from __future__ import annotations

import copy
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from model_targets import (
    AtEndTarget,
    Message,
    ModelTarget,
    PerStreamTarget,
    SdkTarget,
    differences,
)

from sandbox.process import SandboxProcess
from tap_openai_audit.audit_logs import stream as audit_logs
from tap_openai_audit.audit_logs.days import Days, day_of
from tap_openai_audit.audit_logs.state import ScopeState
from tap_openai_audit.errors import SyncFailed
from tap_openai_audit.tap import TapOpenAIAudit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Sync = Callable[..., list[Message]]

DAY = 86_400
TARGETS: dict[str, Callable[[], ModelTarget]] = {
    "SDK": SdkTarget,
    "SDK, events through": lambda: SdkTarget(through=("audit_logs",)),
    "SDK, digests through": lambda: SdkTarget(through=("audit_log_digests",)),
    "SDK, all through": lambda: SdkTarget(
        through=("audit_logs", "audit_log_digests", "sync_reports")
    ),
    "per stream": PerStreamTarget,
    "per stream, one by one": lambda: PerStreamTarget(batch=1),
    "per stream, all flushed": lambda: PerStreamTarget(all_streams=True),
    "at its end": AtEndTarget,
}


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    options = {"events": 12, "tenant_events": 4, "start": "5d", "end": "now"}
    options["clock"] = "machine"
    with SandboxProcess(**options) as process:
        yield process


@pytest.fixture
def sync(
    sandbox: SandboxProcess,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Sync:
    """Runs the tap in this process, and returns its messages."""
    # So that there are STATE messages between the few events.
    monkeypatch.setattr(audit_logs, "CHECKPOINT_EVENTS", 3)
    config = {
        "organization_id": sandbox.organization_id,
        "admin_key": sandbox.admin_key,
        "api_url": sandbox.url,
        "max_retry_seconds": 0,
        "deep_lookback_days": 1,
        "deep_lookback_every_hours": 0,
    }

    def run(
        state: Message | None,
        *,
        selection: Mapping[str, bool] | None = None,
        **settings: Any,
    ) -> list[Message]:
        tap = TapOpenAIAudit(config={**config, **settings}, state=copy.deepcopy(state))
        for stream, selected in (selection or {}).items():
            tap.streams[stream].mask[()] = selected
        capfd.readouterr()
        with suppress(SyncFailed):
            tap.sync_all()
        return [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    return run


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("run", ["the first run", "a later run"])
def test_after_a_kill_at_any_message_the_next_run_makes_table_and_digests_agree(
    name: str, run: str, sync: Sync, sandbox: SandboxProcess
) -> None:
    before = TARGETS[name]()
    if run == "a later run":
        before.load(sync(None))
        assert differences(before.tables) == []
        sandbox.control.add_events(4)
        sandbox.control.add_events(1, at=time.time() - 2 * 3_600)
        sandbox.control.add_events(1, at=time.time() - 3 * 3_600, scope="tenant")
    messages = sync(before.state)
    states: dict[str, list[Message]] = {}
    for killed_after in range(len(messages) + 1):
        target = copy.deepcopy(before)
        target.read(messages[:killed_after])
        if isinstance(target, SdkTarget):
            target.killed()
        start = json.dumps(target.state)
        if start not in states:
            # Whoever begins from the same state writes the same.
            states[start] = sync(target.state)
        target.load(states[start])
        # Where events are confirmed without their digests, days that have left the
        # state since lack them: nothing seems to be missing.
        alone = isinstance(target, PerStreamTarget) and not target.all_streams
        assert differences(target.tables, allow_surplus=alone) == [], killed_after
        table = {row["id"] for row in target.tables["audit_logs"].values()}
        assert table == {event.id for event in sandbox.control.events()}, killed_after


def test_what_another_stream_confirms_in_a_first_run_loses_no_event(
    sync: Sync, sandbox: SandboxProcess
) -> None:
    messages = sync(None, selection={"users": True})
    events = {event.id for event in sandbox.control.events()}
    users = sum(m.get("stream") == "users" for m in messages) - 1
    # The users fill a batch, the events do not.
    assert users > len(events)
    for killed_after in range(len(messages) + 1):
        target = PerStreamTarget(batch=users)
        target.read(messages[:killed_after])
        if target.state is None:
            continue
        target.load(sync(target.state))
        table = {row["id"] for row in target.tables["audit_logs"].values()}
        assert table == events
        break
    else:
        pytest.fail("no state was confirmed")


@pytest.mark.parametrize("name", ["SDK", "per stream", "at its end"])
def test_days_that_nothing_changes_any_more_leave_the_state(
    name: str, sync: Sync, sandbox: SandboxProcess
) -> None:
    target = TARGETS[name]()
    target.load(sync(None))
    # In the day in which the scan begins, events may still appear.
    yesterday = day_of(int(time.time()) - DAY)
    for _ in range(3):
        left = [day for own in counted_days(target.state) for day in own.counts]
        assert left
        assert all(day >= yesterday for day in left)
        sandbox.control.add_events(1)
        target.load(sync(target.state))
        assert differences(target.tables) == []


def test_each_state_is_preceded_by_the_digests_that_it_changes(sync: Sync) -> None:
    target = SdkTarget()
    for message in sync(None):
        if message["type"] == "STATE":
            target.flush()
            assert differences(target.tables) == []
        elif message["type"] == "RECORD":
            target.pending.append((message["stream"], message["record"]))


def test_digests_that_were_not_confirmed_with_their_state_are_written_again(
    sync: Sync,
) -> None:
    first = sync(None)
    state = first[-1]["value"]
    # A target that confirms each stream by itself, and was killed before the digests.
    state["bookmarks"]["audit_log_digests"] = {}
    second = sync(state)
    held = {day for own in counted_days(state) for day in map(iso_day, own.counts)}
    assert {day for _, day in digests_in(second)} == held
    assert digests_in(second).items() <= digests_in(first).items()
    # Once is enough.
    assert digests_in(sync(second[-1]["value"])) == {}


def test_the_newest_digest_of_a_day_has_the_latest_time(sync: Sync) -> None:
    times = [
        m["record"]["updated_at"]
        for m in sync(None)
        if m.get("stream") == "audit_log_digests" and m["type"] == "RECORD"
    ]
    assert times == sorted(times)
    assert len({*times}) > 3


def test_nothing_new_writes_no_digest(sync: Sync) -> None:
    first = sync(None)
    assert digests_in(first)
    assert digests_in(sync(first[-1]["value"])) == {}


def test_a_failed_run_tells_the_days_that_it_has_written(
    sync: Sync, sandbox: SandboxProcess
) -> None:
    sandbox.control.faults(
        {"kind": "status", "status": 401, "tenant": True, "at": [*range(99)]}
    )
    target = SdkTarget()
    target.load(sync(None))
    assert {row["scope"] for row in target.tables["audit_logs"].values()} == {
        "organization"
    }
    assert differences(target.tables) == []


def test_digests_that_are_selected_later_are_written_of_all_days_held(
    sync: Sync, sandbox: SandboxProcess
) -> None:
    messages = sync(None, selection={"audit_log_digests": False})
    assert digests_in(messages) == {}
    state = messages[-1]["value"]
    target = SdkTarget()
    target.load(messages)
    sandbox.control.add_events(1)
    target.load(sync(state))
    told = {(d["scope"], d["day"]) for d in target.tables["audit_log_digests"].values()}
    held = {day for own in counted_days(state) for day in map(iso_day, own.counts)}
    assert {day for _, day in told} >= held


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "md5(record['id'])"},
        {"effective_at": "'2020-01-01T00:00:00+00:00'"},
        {"scope": "'any'"},
    ],
)
def test_where_a_map_changes_what_is_counted_there_are_no_digests(
    changes: dict[str, str], sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    messages = sync(None, stream_maps={"audit_logs": changes})
    assert digests_in(messages) == {}
    said = [r.message for r in caplog.records if "No digests are written" in r.message]
    assert len(said) == 1


def test_a_day_with_ids_that_a_map_has_changed_is_inexact_afterwards(
    sync: Sync, sandbox: SandboxProcess
) -> None:
    target = SdkTarget()
    target.load(sync(None))
    sandbox.control.add_events(2)
    changed = {"audit_logs": {"id": "md5(record['id'])"}}
    target.load(sync(target.state, stream_maps=changed))
    sandbox.control.add_events(1)
    target.load(sync(target.state))
    today = time.strftime("%Y-%m-%d", time.gmtime())
    (digest,) = (
        digest
        for digest in target.tables["audit_log_digests"].values()
        if (digest["scope"], digest["day"]) == ("organization", today)
    )
    assert digest["exact"] is False
    assert "stream map" in digest["reason"]


def test_other_filters_write_the_digests_again(sync: Sync) -> None:
    # A run that was killed may have told events that are not read under them any more.
    first = sync(None)
    second = sync(first[-1]["value"], event_types=["user.added"])
    organization = {key for key in digests_in(second) if "organization" in key}
    held = counted_days(first[-1]["value"])[0].counts
    assert {day for _, day in organization} == {*map(iso_day, held)}
    assert digests_in(second).items() <= digests_in(first).items()


def test_what_a_map_filters_is_not_counted(sync: Sync) -> None:
    maps = {"audit_logs": {"__filter__": "int(record['effective_at'][17:19]) % 2"}}
    target = SdkTarget()
    target.load(sync(None, stream_maps=maps))
    assert target.tables["audit_logs"]
    assert differences(target.tables) == []
    # What was filtered once stays away.
    target.load(sync(target.state))
    assert differences(target.tables) == []


def test_the_first_message_is_a_state_with_a_chain_and_no_progress(sync: Sync) -> None:
    first = sync(None)
    # A target that takes the first STATE for confirmed then confirms nothing by it.
    (begun, *_) = first
    for scope in ("organization", "tenant"):
        before = partition_of(begun["value"], scope)
        after = partition_of(first[-1]["value"], scope)
        assert before.position.is_new
        assert (before.chain_id, before.run_id) == (after.chain_id, after.run_id)
    state = first[-1]["value"]
    (begun, *rest) = sync(state)
    for scope in ("organization", "tenant"):
        before = partition_of(state, scope)
        after = partition_of(begun["value"], scope)
        assert before.position == after.position
        assert after.chain_id == before.chain_id
        assert after.run_id == partition_of(rest[-1]["value"], scope).run_id


def test_a_first_run_that_is_killed_goes_on_with_its_chain(sync: Sync) -> None:
    (begun, *_) = sync(None)
    again = sync(begun["value"])
    for scope in ("organization", "tenant"):
        before = partition_of(begun["value"], scope)
        assert partition_of(again[-1]["value"], scope).chain_id == before.chain_id


def digests_in(messages: list[Message]) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (m["record"]["scope"], m["record"]["day"]): (
            m["record"]["events"],
            m["record"]["ids_checksum"],
        )
        for m in messages
        if m.get("stream") == "audit_log_digests" and m["type"] == "RECORD"
    }


def counted_days(state: Message | None) -> list[Days]:
    assert state is not None
    return [
        Days.decode(p["days"])
        for p in state["bookmarks"]["audit_logs"]["partitions"]
        if p["days"]
    ]


def iso_day(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * DAY))


def partition_of(state: Message, scope: str) -> ScopeState:
    (found,) = (
        p
        for p in state["bookmarks"]["audit_logs"]["partitions"]
        if p["context"] == {"scope": scope}
    )
    return ScopeState.read(found)
