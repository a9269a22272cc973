"""What changes between two runs: settings, clocks, states, targets that stall."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from tap_command import Outcome, TapCommand, repeated
from test_state import OF_0_1

from sandbox.process import SandboxProcess
from tap_openai_audit.timestamps import unix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENTS, TENANT_EVENTS = 400, 60
HOUR, DAY = 3_600, 86_400


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[TapCommand]:
    with SandboxProcess(
        events=EVENTS, tenant_events=TENANT_EVENTS, start="40d", end="now"
    ) as sandbox:
        yield TapCommand(sandbox, tmp_path)


def partition(outcome: Outcome, scope: str = "organization") -> dict[str, Any]:
    assert outcome.state is not None
    (found,) = (
        p
        for p in outcome.state["bookmarks"]["audit_logs"]["partitions"]
        if p["context"] == {"scope": scope}
    )
    return dict(found)


def report(outcome: Outcome, scope: str = "organization") -> dict[str, Any]:
    (found,) = (r for r in outcome.records("sync_reports") if r["scope"] == scope)
    return found


def iso(second: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(second))


def test_another_organizations_state_is_refused_with_what_to_do(
    tap: TapCommand,
) -> None:
    first = tap.run()
    state = json.loads(json.dumps(first.state).replace("org-sandbox", "org-other"))
    tap.sandbox.control.forget_requests()
    second = tap.run(state=state)
    assert (second.code, second.ids) == (1, [])
    assert "of the organization org-other, the settings are of org-" in second.last_line
    assert "--state-id-suffix" in second.last_line
    assert tap.sandbox.control.requests()["count"] == 0
    assert not report(second)["complete"]
    assert second.state == state


def test_wider_filters_go_on_forward_and_say_what_is_not_covered(
    tap: TapCommand,
) -> None:
    narrow = tap.run(event_types=["user.added"])
    assert report(narrow)["covered_from"] is None
    wide = tap.run(state=narrow.state)
    assert wide.code == 0
    (warning,) = (line for line in wide.warnings if "organization events" in line)
    assert "are not covered" in warning
    assert "--full-refresh" in warning
    covered_from = report(wide)["covered_from"]
    assert covered_from is not None
    assert covered_from in warning
    assert report(wide)["window_start"] == covered_from
    new = tap.sandbox.control.add_events(3)
    third = tap.run(state=wide.state)
    assert sorted(third.ids) == sorted(new)
    assert report(third)["covered_from"] == covered_from
    assert any("are not covered" in line for line in third.warnings)
    # Whoever accepts it says so with the start date.
    fourth = tap.run(state=third.state, start_date=covered_from)
    assert not fourth.warnings


def test_narrower_filters_are_told_and_cover_what_was_covered(tap: TapCommand) -> None:
    wide = tap.run()
    narrow = tap.run(state=wide.state, event_types=["user.added"])
    assert (narrow.code, narrow.warnings) == (0, [])
    assert "the organization events became narrower" in narrow.log
    assert report(narrow)["covered_from"] is None


def test_an_earlier_start_date_goes_on_forward_and_says_what_is_not_covered(
    tap: TapCommand,
) -> None:
    times = sorted(event.effective_at for event in tap.sandbox.control.events())
    start = iso(times[200])
    first = tap.run(start_date=start)
    assert report(first)["covered_from"] == start
    second = tap.run(state=first.state, start_date=iso(times[100]))
    assert (second.code, second.ids) == (0, [])
    assert any(f"before {start} are not covered" in line for line in second.warnings)
    assert report(second)["covered_from"] == start
    whole = tap.run(start_date=iso(times[100]))
    assert set(first.ids) < set(whole.ids)


@pytest.mark.parametrize("year", ["1970", "1969", "0001"])
def test_a_start_date_of_the_distant_past_reads_everything(
    tap: TapCommand, year: str
) -> None:
    start = f"{year}-01-01T00:00:00Z"
    first = tap.run(start_date=start)
    assert (first.code, set(first.ids)) == (0, tap.truth)
    second = tap.run(state=first.state, start_date=start)
    assert (second.code, second.ids, second.warnings) == (0, [], [])


@pytest.mark.parametrize("at", [-62_167_219_200, -1e30, 0, 3_000])
def test_a_log_with_nothing_but_the_distant_past_is_read_again_and_again(
    tmp_path: Path, at: float
) -> None:
    with SandboxProcess(events=0, tenant_events=0) as sandbox:
        raw = {"id": "audit_log-old", "type": "user.added", "effective_at": at}
        sandbox.control.add_events(raw=[raw], at=at)
        tap = TapCommand(sandbox, tmp_path)
        first = tap.run()
        second = tap.run(state=first.state)
    assert (first.code, first.ids) == (0, ["audit_log-old"])
    assert (second.code, second.ids) == (0, [])


def test_a_scope_of_which_nothing_is_asked_proves_nothing(tap: TapCommand) -> None:
    outcome = tap.run(event_types=["user.added"])
    assert report(outcome)["complete"]
    assert report(outcome, "tenant")["complete"] is None
    assert "tenant: nothing was read: no event type of this feed" in outcome.log


def test_requests_that_fail_are_counted(tap: TapCommand) -> None:
    tap.sandbox.control.faults({"kind": "status", "status": 500, "times": 2})
    found = report(tap.run(tenant_events=False))
    assert (found["retries"], found["requests"]) == (
        2,
        tap.sandbox.control.requests()["count"],
    )
    tap.sandbox.control.behave(wrong_key=True)
    assert report(tap.run())["requests"] == 1


def test_a_start_date_beyond_the_bookmark_forgets_and_moves_nothing(
    tap: TapCommand,
) -> None:
    first = tap.run()
    typo = tap.run(
        state=first.state, start_date=iso(tap.sandbox.control.now() + 30 * DAY)
    )
    assert (typo.code, typo.ids) == (0, [])
    assert any("lies after the bookmark" in line for line in typo.warnings)
    for name in ("replication_key_value", "look_from", "recent_ids", "cells"):
        assert partition(typo)[name] == partition(first)[name]
    late = tap.sandbox.control.add_events(1, at=tap.sandbox.control.now() - HOUR / 2)
    assert tap.run(state=typo.state).ids == late


def test_an_old_period_asked_with_the_state_of_the_schedule_is_refused(
    tap: TapCommand,
) -> None:
    first = tap.run()
    past = iso(tap.sandbox.control.now() - 20 * DAY)
    second = tap.run(state=first.state, end_date=past)
    assert (second.code, second.ids) == (1, [])
    # Both are named: the chain of the state, and what this run asks for.
    assert partition(first)["chain_id"] in second.last_line
    assert f"before {past}" in second.last_line
    assert "MELTANO_SYS_DIR_ROOT" in second.last_line
    assert not report(second)["complete"]
    assert partition(second)["recent_ids"] == partition(first)["recent_ids"]
    # Nothing is lost by it.
    new = tap.sandbox.control.add_events(1)
    assert tap.run(state=second.state).ids == new


def test_the_state_of_a_backfill_is_refused_by_the_schedule(tap: TapCommand) -> None:
    past = iso(tap.sandbox.control.now() - 20 * DAY)
    backfill = tap.run(end_date=past)
    assert backfill.code == 0
    schedule = tap.run(state=backfill.state)
    assert (schedule.code, schedule.ids) == (1, [])
    assert partition(backfill)["chain_id"] in schedule.last_line
    assert past in schedule.last_line
    # With a later end it goes on.
    later = tap.run(state=backfill.state, end_date=iso(tap.sandbox.control.now() + DAY))
    assert later.code == 0
    assert {*backfill.ids, *later.ids} == tap.truth
    assert not repeated(backfill.ids + later.ids)


def test_a_backfill_of_a_period_that_was_read_reads_nothing_new(
    tap: TapCommand,
) -> None:
    past = iso(tap.sandbox.control.now() - 20 * DAY)
    first = tap.run(end_date=past)
    assert first.ids
    second = tap.run(state=first.state, end_date=past)
    assert (second.code, second.ids) == (0, [])


def test_a_state_of_another_version_is_refused_and_full_refresh_named(
    tap: TapCommand,
) -> None:
    state = {"bookmarks": {"audit_logs": {"partitions": [OF_0_1]}}}
    outcome = tap.run(state=state)
    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.errors) == 1
    assert "--full-refresh" in outcome.last_line


def test_fields_of_a_state_that_contradict_each_other_are_refused(
    tap: TapCommand,
) -> None:
    state = json.loads(json.dumps(tap.run().state))
    for own in state["bookmarks"]["audit_logs"]["partitions"]:
        own["look_from"] = own["known_from"] = iso(tap.sandbox.control.now() + DAY)
    outcome = tap.run(state=state)
    assert (outcome.code, outcome.out) == (1, "")
    assert "The state of audit_logs cannot be read" in outcome.last_line


def test_a_chain_of_runs_is_told(tap: TapCommand) -> None:
    first = tap.run()
    second = tap.run(state=first.state)
    begun, continued = report(first), report(second)
    assert begun["previous_run_id"] is None
    assert continued["previous_run_id"] == begun["run_id"]
    assert continued["chain_id"] == begun["chain_id"] == partition(second)["chain_id"]
    assert report(tap.run())["chain_id"] != begun["chain_id"]


@pytest.mark.parametrize("ahead", [-2 * DAY, 2 * DAY])
def test_a_clock_of_this_machine_that_is_days_off_repeats_nothing(
    tap: TapCommand, ahead: int
) -> None:
    tap.sandbox.control.set_clock(time.time() - ahead)  # noqa: TID251
    tap.sandbox.control.add_events(20, at=tap.sandbox.control.now() - 60)
    first = tap.run()
    assert set(first.ids) == tap.truth
    second = tap.run(state=first.state)
    assert (second.ids, second.warnings) == ([], [])


def test_what_appears_while_the_target_stalls_is_emitted_by_the_next_run(
    tap: TapCommand,
) -> None:
    control = tap.sandbox.control
    control.add_events(2_000, at=control.now() - 2 * DAY)
    with tap.started() as running:
        running.read(50)
        # The tap reads ahead until its buffers are full; then two hours pass.
        deadline = time.monotonic() + 60
        seen = -1
        while seen != (seen := control.requests()["count"]) or seen < 10:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        control.behave(clock_skew_seconds=2 * HOUR)
        now = control.now()
        late = [
            *control.add_events(1, at=now - 2 * HOUR + 60),
            *control.add_events(1, at=now - HOUR - 60),
        ]
        first = running.ended()
    assert first.code == 0
    second = tap.run(state=first.state)
    emitted = first.ids + second.ids
    assert set(late) <= set(emitted)
    assert set(emitted) == tap.truth
    assert not repeated(emitted)


def test_an_outage_loses_nothing_where_an_event_is_dated_in_the_future(
    tap: TapCommand,
) -> None:
    control = tap.sandbox.control
    control.add_events(1, at=32_503_680_000)
    first = tap.run()
    assert partition(first)["replication_key_value"] < "2100"
    # For two hours the API shows nothing; then it shows all of that time.
    control.behave(clock_skew_seconds=2 * HOUR)
    second = tap.run(state=first.state)
    for minutes in range(5, 120, 5):
        control.add_events(1, at=control.now() + 60 * minutes - 2 * HOUR)
    third = tap.run(state=second.state)
    emitted = first.ids + second.ids + third.ids
    assert set(emitted) == tap.truth
    assert not repeated(emitted)


MAPS = {"audit_logs": {"share": "1 / int(record['id'] != '@@')"}}


def test_a_stream_map_that_fails_names_the_event_and_repeats_nothing(
    tap: TapCommand,
) -> None:
    every = tap.run().ids
    unlucky = every[200]
    maps = json.loads(json.dumps(MAPS).replace("@@", unlucky))
    first = tap.run(stream_maps=maps)
    assert first.code == 1
    assert unlucky in first.last_line
    assert "ZeroDivisionError" in first.last_line
    assert "stream_maps" in first.last_line
    assert "Traceback" not in first.log
    assert first.unconfirmed == set()
    assert report(first)["events_emitted"] == len(first.ids)
    assert not report(first)["complete"]
    second = tap.run(state=first.state, stream_maps=maps)
    assert unlucky in second.last_line
    mended = tap.run(state=second.state)
    emitted = first.ids + second.ids + mended.ids
    assert set(emitted) == tap.truth
    assert not repeated(emitted)


def test_what_a_filter_drops_is_not_counted_as_emitted(tap: TapCommand) -> None:
    maps = {"audit_logs": {"__filter__": "record['type'] == 'user.added'"}}
    outcome = tap.run(stream_maps=maps, tenant_events=False)
    found = report(outcome)
    assert found["events_emitted"] == len(outcome.ids)
    assert found["events_filtered"] == EVENTS - len(outcome.ids)
    assert found["events_read"] == EVENTS


def test_a_catalog_that_asks_for_a_full_table_is_read_incrementally(
    tap: TapCommand,
) -> None:
    catalog = tap.run("--discover").messages_as_one
    (stream,) = (s for s in catalog["streams"] if s["tap_stream_id"] == "audit_logs")
    assert stream["replication_method"] == "INCREMENTAL"
    stream["replication_method"] = "FULL_TABLE"
    first = tap.run()
    outcome = tap.run(state=first.state, catalog=catalog)
    assert outcome.ids == []
    (warning,) = outcome.warnings
    assert "--full-refresh" in warning
    assert "'audit_logs' in incremental mode" in outcome.log


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("body", ["json", "html"])
def test_a_tenant_pass_that_is_broken_off_is_a_failure(
    tap: TapCommand, status: int, body: str
) -> None:
    fault = {"kind": "status", "status": status, "body": body, "tenant": True}
    first_request = tap.run(max_retry_seconds=0)
    assert first_request.code == 0
    tap.sandbox.control.faults(fault)
    # Tenant events came in an earlier run: now they must come as well.
    assert tap.run(state=first_request.state, max_retry_seconds=0).code == 1
    # Without a state the API itself may say that there are none, but not a proxy.
    outcome = tap.run(max_retry_seconds=0)
    assert outcome.code == (0 if body == "json" else 1)
    tap.sandbox.control.add_events(
        150, scope="tenant", at=tap.sandbox.control.now() - DAY
    )
    tap.sandbox.control.faults({**fault, "at": [1]})
    broken_off = tap.run(max_retry_seconds=0)
    assert broken_off.code == 1
    assert not report(broken_off, "tenant")["complete"]


def test_a_check_tells_where_a_state_stands(tap: TapCommand) -> None:
    def told(**inputs: Any) -> tuple[int, dict[str, Any]]:
        outcome = tap.run("--check=json", **inputs)
        checks = json.loads(outcome.out)["checks"]
        (found,) = (c for c in checks if c["name"] == "state")
        return outcome.code, found

    first = tap.run()
    assert told() == (
        0,
        {"name": "state", "status": "skipped", "text": "None is given"},
    )
    code, found = told(state=first.state, event_types=["user.added"])
    organization, tenant = found["scopes"]
    assert (code, found["status"]) == (0, "ok")
    assert organization["bookmark"] == partition(first)["replication_key_value"]
    assert organization["reads_from"] == partition(first)["look_from"]
    assert organization["filters"] == "no filters"
    assert f"reads from {organization['reads_from']}" in found["text"]
    assert tenant["bookmark"] == partition(first, "tenant")["replication_key_value"]
    assert not any(id_ in json.dumps(found) for id_ in first.ids)
    other = json.loads(json.dumps(first.state).replace("org-sandbox", "org-other"))
    code, found = told(state=other)
    assert (code, found["status"]) == (1, "failed")
    assert "--state-id-suffix" in found["text"]
    code, found = told(state={"bookmarks": []})
    assert (code, found["status"]) == (1, "failed")


@pytest.mark.parametrize(
    "state", [{"bookmarks": []}, {"a": 1}, {"bookmarks": {"commits": {}}}]
)
def test_a_state_that_is_not_understood_ends_a_run_in_one_line(
    tap: TapCommand, state: dict[str, Any]
) -> None:
    outcome = tap.run(state=state)
    assert (outcome.code, outcome.ids, outcome.out) == (1, [], "")
    assert len(outcome.errors) == 1
    assert "The state cannot be read" in outcome.last_line
    assert "Traceback" not in outcome.log


def test_an_event_that_is_late_by_days_is_emitted_once_by_a_scan(
    tap: TapCommand,
) -> None:
    first = tap.run()
    (late,) = tap.sandbox.control.add_events(1, at=tap.sandbox.control.now() - 5 * DAY)
    (later,) = tap.sandbox.control.add_events(1, at=tap.sandbox.control.now() - 6 * DAY)
    tap.sandbox.control.forget_requests()
    # Between scans a run costs what it costs without them.
    second = tap.run(state=first.state)
    assert (second.code, second.ids) == (0, [])
    assert tap.sandbox.control.requests()["count"] == 2
    assert report(second)["deep_window_start"] is None
    assert report(second)["deep_complete"] is None
    third = tap.run(state=second.state, deep_lookback_every_hours=0)
    assert (third.code, third.ids) == (0, [later, late])
    found = report(third)
    assert (found["deep_events_emitted"], found["deep_events_repeated"]) == (2, 0)
    assert found["deep_complete"]
    assert found["deep_window_end"] >= found["window_start"]
    assert found["events_late"] == 2
    assert 6 * DAY - 60 < found["greatest_lateness_seconds"] <= 6 * DAY
    assert "late-arrival scan from " in third.log
    fourth = tap.run(state=third.state, deep_lookback_every_hours=0)
    assert (fourth.code, fourth.ids) == (0, [])


def test_a_scan_is_due_by_the_apis_clock(tap: TapCommand) -> None:
    first = tap.run()
    for hours, due in [(22, False), (24, True), (26, False)]:
        tap.sandbox.control.behave(clock_skew_seconds=hours * HOUR)
        first = tap.run(state=first.state)
        assert (report(first)["deep_complete"] is True) == due


def test_without_a_deep_lookback_there_is_none(tap: TapCommand) -> None:
    first = tap.run(deep_lookback_days=0)
    assert partition(first)["known_from"] == partition(first)["look_from"]
    second = tap.run(
        state=first.state, deep_lookback_days=0, deep_lookback_every_hours=0
    )
    assert report(second)["deep_complete"] is None


def test_a_scan_that_fails_leaves_the_state_of_the_read_and_is_due_again(
    tap: TapCommand,
) -> None:
    first = tap.run()
    new = tap.sandbox.control.add_events(1)
    (late,) = tap.sandbox.control.add_events(1, at=tap.sandbox.control.now() - 3 * DAY)
    # The incremental read of the organization is one request.
    tap.sandbox.control.faults({"kind": "status", "status": 401, "at": [*range(1, 99)]})
    second = tap.run(state=first.state, deep_lookback_every_hours=0)
    assert (second.code, second.ids) == (1, new)
    found = report(second)
    assert (found["complete"], found["deep_complete"]) == (True, False)
    assert "401" in found["reason"]
    assert "NOT complete" in second.log
    assert partition(second)["scanned_at"] == partition(first)["scanned_at"]
    tap.sandbox.control.faults()
    third = tap.run(state=second.state, deep_lookback_every_hours=0)
    assert (third.code, third.ids) == (0, [late])


def test_a_scan_does_not_take_narrower_filters_for_changes(
    tap: TapCommand,
) -> None:
    first = tap.run()
    types = ["user.added", "project.created"]
    second = tap.run(state=first.state, event_types=types, deep_lookback_every_hours=0)
    assert (second.code, second.ids) == (0, [])
    assert report(second)["deep_complete"] is None
    third = tap.run(state=second.state, deep_lookback_every_hours=0)
    assert (third.code, third.ids) == (0, [])


def test_no_read_goes_back_behind_the_start_date_of_the_first_run(
    tap: TapCommand,
) -> None:
    first = tap.run(start_date=iso(tap.sandbox.control.now() - 2 * DAY))
    assert first.ids
    second = tap.run(
        state=first.state, deep_lookback_every_hours=0, lookback_seconds=5 * DAY
    )
    assert (second.code, second.ids) == (0, [])


def test_a_clock_that_was_set_back_a_little_makes_no_scan_due(
    tap: TapCommand,
) -> None:
    first = tap.run()
    tap.sandbox.control.behave(clock_skew_seconds=-2 * HOUR)
    new = tap.sandbox.control.add_events(1, at=tap.sandbox.control.now() - HOUR)
    second = tap.run(state=first.state)
    assert report(second)["deep_complete"] is None
    third = tap.run(state=second.state, deep_lookback_every_hours=0)
    assert third.ids == new
    told = [d["updated_at"] for d in third.records("audit_log_digests")]
    earlier = [d["updated_at"] for d in first.records("audit_log_digests")]
    assert min(told) >= max(earlier)


def test_an_event_of_the_year_9999_has_a_digest_like_others(tap: TapCommand) -> None:
    tap.sandbox.control.add_events(1, at=253_402_300_799)
    first = tap.run()
    assert first.code == 0
    last = max(d["day"] for d in first.records("audit_log_digests"))
    assert last == "9999-12-31"
    assert tap.run(state=first.state).code == 0


def test_a_late_event_right_before_the_incremental_read_is_found_by_the_scan(
    tap: TapCommand,
) -> None:
    tap.sandbox.control.add_events(3_000, at=tap.sandbox.control.now() - 2 * HOUR)
    tap.sandbox.control.add_events(3_000, at=tap.sandbox.control.now() - 30)
    first = tap.run()
    start = partition(first)["look_from"]
    (late,) = tap.sandbox.control.add_events(1, at=unix(start) - 2)
    new = tap.sandbox.control.add_events(1_500)
    second = tap.run(state=first.state, deep_lookback_every_hours=0)
    assert (second.code, sorted(second.ids)) == (0, sorted([late, *new]))


def test_an_empty_feed_has_a_chain_and_is_never_a_first_run_again(
    tmp_path: Path,
) -> None:
    with SandboxProcess(events=5, tenant_events=0, start="3d", end="now") as sandbox:
        tap = TapCommand(sandbox, tmp_path)
        first = tap.run()
        second = tap.run(state=first.state)
        chains = [report(run, "tenant")["chain_id"] for run in (first, second)]
        assert chains[0] == chains[1] == partition(first, "tenant")["chain_id"]
        assert report(second, "tenant")["previous_run_id"] == report(first)["run_id"]
        assert partition(second, "tenant")["replication_key_value"] is None
        assert partition(second, "tenant")["read_to"] is not None
        assert report(second, "tenant")["complete"] is True
        # It was read, so a refusal is a failure.
        sandbox.control.faults({"kind": "status", "status": 403, "tenant": True})
        refused = tap.run(state=second.state, max_retry_seconds=0)
        assert refused.code == 1
        assert not report(refused, "tenant")["complete"]
        sandbox.control.faults()
        new = sandbox.control.add_events(2, scope="tenant")
        assert sorted(tap.run(state=refused.state).ids) == sorted(new)


def test_a_tenant_pass_that_was_always_refused_is_no_failure(tap: TapCommand) -> None:
    refused = {"kind": "status", "status": 403, "tenant": True, "at": [*range(99)]}
    tap.sandbox.control.faults(refused)
    first = tap.run(max_retry_seconds=0)
    second = tap.run(state=first.state, max_retry_seconds=0)
    assert (first.code, second.code) == (0, 0)


@pytest.mark.parametrize("at", [{}, {"effective_at": 1_790_000_000_000}])
def test_an_event_without_a_usable_time_fails_one_run_and_holds_up_nothing(
    tap: TapCommand, at: dict[str, Any]
) -> None:
    raw = {"id": "audit_log-odd", "type": "user.added", **at}
    known = tap.truth
    tap.sandbox.control.add_events(raw=[raw], at=tap.sandbox.control.now() - 60)
    first = tap.run(max_retry_seconds=0)
    assert first.code == 1
    assert "audit_log-odd" in first.last_line
    assert "no usable effective_at" in first.last_line
    assert {*first.ids} == known
    assert report(first)["set_aside"] == "audit_log-odd"
    assert report(first)["complete"] is True
    assert report(first, "tenant")["set_aside"] is None
    assert partition(first)["set_aside"] == ["audit_log-odd"]
    second = tap.run(state=first.state, max_retry_seconds=0)
    assert (second.code, second.ids) == (0, [])
    assert partition(second)["set_aside"] == ["audit_log-odd"]
    if report(second)["set_aside"]:
        assert any("no usable effective_at" in line for line in second.warnings)
