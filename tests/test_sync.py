"""The real command against the sandbox: complete, exactly once, resumable."""

from __future__ import annotations

import random
import re
import signal
import time
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from tap_command import DEADLINE, Outcome, TapCommand, repeated

from sandbox.process import SandboxProcess
from tap_openai_audit.timestamps import unix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENTS, TENANT_EVENTS = 3_000, 150


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[TapCommand]:
    with SandboxProcess(
        events=EVENTS, tenant_events=TENANT_EVENTS, start="90d", end="now"
    ) as sandbox:
        yield TapCommand(sandbox, tmp_path)


def bookmark(outcome: Outcome, scope: str = "organization") -> str | None:
    assert outcome.state is not None
    partitions = outcome.state["bookmarks"]["audit_logs"]["partitions"]
    value: str | None = next(
        p.get("replication_key_value")
        for p in partitions
        if p["context"] == {"scope": scope}
    )
    return value


def test_everything_is_extracted_once_in_order(tap: TapCommand) -> None:
    outcome = tap.run()
    assert outcome.code == 0, outcome.log
    assert set(outcome.ids) == tap.truth
    assert not repeated(outcome.ids)
    for scope in ("organization", "tenant"):
        keys = [
            (record["effective_at"], record["id"])
            for record in outcome.records()
            if record["scope"] == scope
        ]
        assert keys
        assert keys == sorted(keys)


def test_every_record_validates_against_the_schema_before_it(tap: TapCommand) -> None:
    validators: dict[str, Any] = {}
    for message in tap.run().messages:
        if message["type"] == "SCHEMA":
            validators[message["stream"]] = jsonschema.Draft7Validator(
                message["schema"],
                format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
            )
        elif message["type"] == "RECORD":
            validators[message["stream"]].validate(message["record"])


def test_a_second_run_adds_what_is_new_and_what_is_late(tap: TapCommand) -> None:
    first = tap.run()
    new = tap.sandbox.control.add_events(5)
    late = tap.sandbox.control.add_events(3, at=tap.sandbox.control.now() - 1_800)
    second = tap.run(state=first.state)
    assert sorted(second.ids) == sorted(new + late)
    report = second.records("sync_reports")[0]
    assert report["events_late"] == 3
    newest = int(tap.sandbox.control.now()) - unix(bookmark(first) or "")
    assert report["greatest_lateness_seconds"] == 1_800 - newest
    third = tap.run(state=second.state)
    assert third.ids == []
    assert (
        (bookmark(third) or "") >= (bookmark(second) or "") >= (bookmark(first) or "")
    )


def test_a_run_with_nothing_new_makes_one_request_a_pass(tap: TapCommand) -> None:
    first = tap.run()
    tap.sandbox.control.forget_requests()
    assert tap.run(state=first.state).ids == []
    assert tap.sandbox.control.requests()["count"] == 2


def test_a_state_is_written_at_least_every_thousand_records(tap: TapCommand) -> None:
    since = 0
    for message in tap.run().messages:
        if message.get("stream") == "audit_logs" and message["type"] == "RECORD":
            since += 1
            assert since <= 1_000
        elif message["type"] == "STATE":
            since = 0


@pytest.mark.parametrize("seed", range(4))
def test_a_run_killed_at_any_moment_is_resumed_without_loss(
    tap: TapCommand, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible choice
    tap.sandbox.control.behave(latency_ms=5)
    state, emitted, repeatable = None, [], set()
    for _ in range(3):
        outcome = killed_after(tap, chance.randrange(1, 2_500), state)
        state = outcome.state or state
        emitted += outcome.ids
        repeatable |= outcome.unconfirmed
    last = tap.run(state=state)
    assert last.code == 0
    emitted += last.ids
    assert set(emitted) == tap.truth
    assert repeated(emitted) <= repeatable


def killed_after(tap: TapCommand, lines: int, state: object) -> Outcome:
    with tap.started(state=state) as running:
        running.read(lines)
        running.process.kill()
        return running.ended()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_run_with_its_state_and_its_exit_code(
    tap: TapCommand, number: signal.Signals, code: int
) -> None:
    with tap.started(request_timeout_seconds=3_600) as running:
        running.read(200)
        # No request that is under way, and none after it, is ever answered.
        tap.sandbox.control.faults({"kind": "hang", "seconds": 3_600})
        running.process.send_signal(number)
        ended = running.ended()
    assert ended.code == code
    assert number.name in ended.last_line
    (report,) = ended.records("sync_reports")
    assert (report["complete"], report["reason"]) == (False, f"ended by {number.name}")
    assert ended.unconfirmed == set()
    tap.sandbox.control.faults()
    resumed = tap.run(state=ended.state)
    assert 0 < len(resumed.ids) < EVENTS + TENANT_EVENTS
    assert set(ended.ids + resumed.ids) == tap.truth
    assert not repeated(ended.ids + resumed.ids)


def test_a_signal_ends_a_run_whose_target_does_not_read(tap: TapCommand) -> None:
    with tap.started() as running:
        deadline = time.monotonic() + DEADLINE
        while tap.sandbox.control.requests()["count"] < 30:
            assert time.monotonic() < deadline
        running.process.terminate()
        assert running.process.wait(timeout=DEADLINE) == 143


def test_a_target_that_stops_reading_is_named(tap: TapCommand) -> None:
    with tap.started() as running:
        running.read(1)
        running.stdout.close()
        assert running.process.wait(timeout=DEADLINE) == 1
        log = running.log
    assert "The target stopped reading" in log.splitlines()[-1]
    assert "Traceback" not in log


@pytest.mark.parametrize("order", ["oldest_first", "shuffled"])
def test_no_order_of_pages_is_assumed(tap: TapCommand, order: str) -> None:
    tap.sandbox.control.behave(order=order)
    outcome = tap.run()
    assert set(outcome.ids) == tap.truth
    assert not repeated(outcome.ids)
    observed = {"oldest_first": "oldest_first", "shuffled": "mixed"}[order]
    assert outcome.records("sync_reports")[0]["order_observed"] == observed


@pytest.mark.parametrize(
    "behaviour",
    [
        {"has_more": "absent"},
        {"last_id": "null"},
        {"last_id": "absent"},
        {"has_more": "absent", "last_id": "absent"},
        {"envelope": "bare_documents"},
        {"envelope": "bare_list"},
    ],
)
def test_a_sparse_envelope_is_enough(
    tap: TapCommand, behaviour: dict[str, str]
) -> None:
    tap.sandbox.control.behave(**behaviour)
    outcome = tap.run()
    assert outcome.code == 0
    assert set(outcome.ids) == tap.truth


@pytest.mark.parametrize(
    ("behaviour", "events"),
    [("both_scopes", EVENTS + TENANT_EVENTS), ("tenant_ignores", EVENTS)],
)
def test_an_event_that_both_passes_return_becomes_one_record(
    tap: TapCommand, behaviour: str, events: int
) -> None:
    tap.sandbox.control.behave(**{behaviour: True})
    first = tap.run()
    assert len(set(first.ids)) == events
    assert not repeated(first.ids)
    assert tap.run(state=first.state).ids == []


def test_a_cursor_that_the_page_does_not_hold_leads_astray_no_run(
    tap: TapCommand,
) -> None:
    tap.sandbox.control.behave(last_id="stuck")
    outcome = tap.run()
    assert (outcome.code, {*outcome.ids}) == (0, tap.truth)


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ({"repeat_page": True}, "its page brings no new one"),
        ({"outside_window": True}, "outside the window"),
    ],
)
def test_broken_paging_ends_with_a_clear_error(
    tap: TapCommand, behaviour: dict[str, Any], says: str
) -> None:
    tap.sandbox.control.behave(**behaviour)
    outcome = tap.run(start_date="2020-01-01")
    assert outcome.code == 1
    assert says in outcome.last_line
    assert "Traceback" not in outcome.log
    reports = outcome.records("sync_reports")
    assert [(r["scope"], r["complete"]) for r in reports] == [("organization", False)]
    assert says in reports[0]["reason"]
    tap.sandbox.control.behave(repeat_page=False, outside_window=False)
    resumed = tap.run(state=outcome.state)
    assert set(outcome.ids + resumed.ids) == tap.truth


def test_tenant_events_that_are_refused_do_not_fail_the_run(tap: TapCommand) -> None:
    tap.sandbox.control.behave(tenant="refused")
    outcome = tap.run()
    assert outcome.code == 0
    assert len(outcome.ids) == EVENTS
    assert "Tenant events were not read" in outcome.log
    organization, tenant = outcome.records("sync_reports")
    assert organization["complete"]
    assert not tenant["complete"]
    assert "HTTP 400" in tenant["reason"]


def test_tenant_events_can_be_left_out(tap: TapCommand) -> None:
    outcome = tap.run(tenant_events=False)
    assert len(outcome.ids) == EVENTS
    assert "tenant_only" not in str(tap.sandbox.control.requests()["log"])


def test_filters_reach_the_api_and_event_types_their_own_pass(tap: TapCommand) -> None:
    every = tap.run().records()
    types = ["user.added", "tenant.user.added"]
    outcome = tap.run(event_types=types)
    wanted = {record["id"] for record in every if record["type"] in types}
    assert set(outcome.ids) == wanted
    assert outcome.records("sync_reports")[0]["filters"] == {"event_types": types}
    person = next(r for r in every if (r["actor"] or {}).get("session"))["actor"]
    user = person["session"]["user"]["id"]
    tap.sandbox.control.forget_requests()
    assert set(tap.run(actor_ids=[user], event_types=["user.added"]).ids) <= wanted
    passes = {
        "tenant_only" in str(r["query"]) for r in tap.sandbox.control.requests()["log"]
    }
    assert passes == {False}


def test_dates_bound_what_is_read(tap: TapCommand) -> None:
    times = sorted(event.effective_at for event in tap.sandbox.control.events())
    start, end = times[500], times[2_000]
    outcome = tap.run(start_date=iso(start), end_date=iso(end))
    assert set(outcome.ids) == {
        event.id
        for event in tap.sandbox.control.events()
        if start <= event.effective_at < end
    }


def iso(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def test_a_start_date_in_the_future_reads_nothing_and_says_so(tap: TapCommand) -> None:
    outcome = tap.run(start_date="2099-01-01T00:00:00Z")
    assert (outcome.code, outcome.ids) == (0, [])
    assert "start_date 2099-01-01T00:00:00+00:00 lies in the future" in outcome.log


def test_a_bookmark_from_the_future_is_named(tap: TapCommand) -> None:
    first = tap.run()
    assert first.state is not None
    partition = first.state["bookmarks"]["audit_logs"]["partitions"][0]
    partition["replication_key_value"] = "2099-01-01T00:00:00+00:00"
    new = tap.sandbox.control.add_events(2)
    second = tap.run(state=first.state)
    assert set(new) <= set(second.ids)
    assert "lies in the future" in second.log
    assert (bookmark(second) or "") < "2099"


@pytest.mark.parametrize("skew", [-7_200, 7_200])
def test_the_clock_of_this_machine_loses_nothing(tap: TapCommand, skew: int) -> None:
    tap.sandbox.control.set_clock(time.time() + skew)  # noqa: TID251
    first = tap.run()
    new = tap.sandbox.control.add_events(4)
    second = tap.run(state=first.state)
    assert set(first.ids) | set(second.ids) == tap.truth
    assert second.ids == sorted(new, key=second.ids.index)


def test_the_sdks_features_take_part(tap: TapCommand) -> None:
    plain = {record["id"]: record for record in tap.run().records()}
    mapped = tap.run(
        stream_maps={"audit_logs": {"what": "record['type']", "type": "__NULL__"}}
    )
    assert {record["id"] for record in mapped.records()} == set(plain)
    for record in mapped.records():
        assert record.pop("what") == plain[record["id"]]["type"]
        assert "type" not in record


def test_flattening_is_not_offered_because_the_answers_need_the_objects(
    tap: TapCommand,
) -> None:
    about = tap.run("--about", "--format=json").messages_as_one
    assert "schema-flattening" not in str(about["capabilities"])
    assert not [name for name in about["settings"]["properties"] if "flatten" in name]
    outcome = tap.run(flattening_enabled=True, flattening_max_depth=5)
    assert "flattening_enabled is no setting of this tap" in outcome.log
    columns = next(m for m in outcome.messages if m["type"] == "SCHEMA")["schema"]
    assert {"actor", "details"} <= columns["properties"].keys()


def test_a_stream_map_whose_name_matches_nothing_is_a_warning(tap: TapCommand) -> None:
    maps = {
        "audit_logs": {
            "actor__session__user__email": "__NULL__",
            "detials": "__NULL__",
            "new": "id",
            "__filter__": "True",
        },
        "audit_log": {"id": "__NULL__"},
    }
    outcome = tap.run(stream_maps=maps)
    nested, removed, stream = outcome.warnings
    assert "actor__session__user__email, which is no column of audit_logs" in nested
    assert "columns are not flattened, the column is actor" in nested
    assert "detials, which is no column of audit_logs" in removed
    assert "audit_log, which is no stream of this tap" in stream
    assert tap.run(stream_maps={"audit_*": {"extra": "__NULL__"}}).warnings == []


def test_deselected_properties_are_left_out(tap: TapCommand) -> None:
    catalog = tap.run("--discover").messages_as_one
    stream = next(s for s in catalog["streams"] if s["tap_stream_id"] == "audit_logs")
    stream["metadata"].append(
        {"breadcrumb": ["properties", "details"], "metadata": {"selected": False}}
    )
    for entry in stream["metadata"]:
        if entry["breadcrumb"] == []:
            entry["metadata"]["selected"] = True
        if entry["breadcrumb"] == ["properties", "details"]:
            entry["metadata"]["selected"] = False
    outcome = tap.run(catalog=catalog)
    assert set(outcome.ids) == tap.truth
    assert all("details" not in record for record in outcome.records())


def test_the_ledger_says_what_was_asked_and_read(tap: TapCommand) -> None:
    outcome = tap.run()
    organization, tenant = outcome.records("sync_reports")
    requests = tap.sandbox.control.requests()["count"]
    assert organization["requests"] + tenant["requests"] == requests
    assert (organization["scope"], tenant["scope"]) == ("organization", "tenant")
    assert organization["events_read"] == organization["events_emitted"] == EVENTS
    assert tenant["events_emitted"] == TENANT_EVENTS
    assert organization["complete"]
    assert tenant["complete"]
    assert organization["order_observed"] == "newest_first"
    assert organization["run_id"] == tenant["run_id"]
    assert organization["bookmark"] == bookmark(outcome)
    assert organization["window_start"] is None
    line = next(
        line for line in outcome.log.splitlines() if "3,000 events emitted" in line
    )
    assert re.search(r"complete$", line)


def test_steady_work_is_reported_in_few_lines(tap: TapCommand) -> None:
    outcome = tap.run()
    lines = [line for line in outcome.log.splitlines() if "child stream" not in line]
    assert len(lines) < 35
