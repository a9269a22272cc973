"""Reference streams from run to run: what is due, what is complete, what is kept."""

from __future__ import annotations

import json
import re
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from local_server import LocalServer, response
from tap_command import COMMAND, Outcome, TapCommand, catalog_of, run

from sandbox.process import SandboxProcess
from tap_openai_audit.inventory.bookmark import LastReading
from tap_openai_audit.timestamps import iso, unix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API = "/v1/organization"
DAY = 86_400
HOUR = 3_600
NOW = 1_790_000_000
READ = LastReading(NOW, "org-a")
NOTHING = b'{"object": "list", "data": [], "has_more": false}'


@dataclass
class Runs:
    """Runs of the command, each with some streams selected."""

    tap: TapCommand

    def __call__(self, *selected: str, state: object = None, **given: Any) -> Outcome:
        catalog = catalog_of(*selected, "sync_reports")
        return self.tap.run(state=state, catalog=catalog, **given)

    def refuse(self, path: str) -> None:
        fault = {"kind": "status", "status": 403, "path": f"{API}/{path}"}
        self.tap.sandbox.control.faults(fault)

    def asked(self) -> list[str]:
        log = self.tap.sandbox.control.requests()["log"]
        return [request["path"].removeprefix(f"{API}/") for request in log]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    # Before the first response, the tap has this machine's clock alone.
    with SandboxProcess(events=20, tenant_events=2, clock="machine") as process:
        yield process


@pytest.fixture
def runs(sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Runs]:
    sandbox.control.forget_requests()
    yield Runs(TapCommand(sandbox, tmp_path, {"max_retry_seconds": 0}))
    sandbox.control.faults()


def rows(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {row["scope"]: row for row in outcome.records("sync_reports")}


def bookmarks(outcome: Outcome) -> dict[str, Any]:
    """What the last state keeps of streams, without those of which it keeps nothing."""
    assert outcome.state is not None
    return {name: kept for name, kept in outcome.state["bookmarks"].items() if kept}


def last_read(state: dict[str, Any], ago: float, *streams: str) -> dict[str, Any]:
    """A state in which some streams were last read so many seconds ago."""
    changed: dict[str, Any] = json.loads(json.dumps(state))
    now = time.time()  # noqa: TID251 - which the tap has as well
    for stream in streams:
        changed["bookmarks"][stream]["complete_at"] = iso(int(now - ago))
    return changed


@pytest.mark.parametrize(
    ("every_hours", "now", "organization", "until"),
    [
        # A run a day may begin a little earlier than the day before.
        (24, NOW, "org-a", NOW + DAY - HOUR),
        (24, NOW + DAY - HOUR - 1, "org-a", NOW + DAY - HOUR),
        (24, NOW + DAY - HOUR, "org-a", None),
        (24, NOW - 1, "org-a", None),
        (24, NOW, "org-b", None),
        (0, NOW, "org-a", None),
    ],
)
def test_a_reading_suffices_until_it_is_old_or_of_another_time_or_organization(
    every_hours: int, now: int, organization: str, until: int | None
) -> None:
    assert READ.suffices_until(every_hours, now, organization) == until


def test_what_is_kept_is_texts_that_are_read_again() -> None:
    bookmark: dict[str, Any] = {}
    READ.write(bookmark)
    assert all(isinstance(value, str) for value in bookmark.values())
    assert LastReading.read("users", bookmark) == READ
    assert LastReading.read("users", {}) is None


def test_what_is_not_due_is_not_asked_for_and_named_in_one_line(runs: Runs) -> None:
    selected = ("audit_logs", "users", "projects", "project_users")
    first = runs(*selected)
    runs.tap.sandbox.control.forget_requests()
    second = runs(*selected, state=first.state)
    assert second.code == 0
    assert set(runs.asked()) == {"audit_logs"}
    assert {m.get("stream") for m in second.messages} == {
        None,
        "audit_logs",
        "sync_reports",
    }
    assert rows(second).keys() == {"organization", "tenant"}
    for name in selected[1:]:
        assert bookmarks(second)[name] == bookmarks(first)[name]
    (line,) = (x for x in second.log.splitlines() if "not due" in x)
    until = iso(int(unix(bookmarks(first)["users"]["complete_at"])) + DAY - HOUR)
    assert f": project_users, projects, users until {until}" in line


def test_what_is_due_is_read_and_nothing_else(runs: Runs) -> None:
    first = runs("users", "roles", "groups")
    assert first.state is not None
    state = last_read(first.state, 25 * 3_600, "roles")
    # As of a time to come, by a clock that was wrong.
    state = last_read(state, -3_600, "groups")
    runs.tap.sandbox.control.forget_requests()
    second = runs("users", "roles", "groups", state=state)
    assert set(runs.asked()) == {"roles", "groups"}
    assert rows(second).keys() == {"roles", "groups"}
    kept = bookmarks(second)
    assert kept["users"] == bookmarks(first)["users"]
    now = runs.tap.sandbox.control.now()
    for name in ("roles", "groups"):
        assert abs(unix(kept[name]["complete_at"]) - now) < 120


@pytest.mark.parametrize("settings", [{"reference_every_hours": 0}, {}])
def test_each_run_reads_them_if_it_is_to_or_the_state_is_of_another_organization(
    runs: Runs, settings: dict[str, int]
) -> None:
    state: Any = runs("users").state
    if not settings:
        state["bookmarks"]["users"]["organization_id"] = "org-other"
    second = runs("users", state=state, **settings)
    assert second.code == 0
    assert rows(second)["users"]["complete"]
    assert bookmarks(second)["users"]["organization_id"] == "org-sandbox"


def test_the_api_s_clock_decides(runs: Runs) -> None:
    control = runs.tap.sandbox.control
    first = runs("audit_logs", "users")
    try:
        control.behave(clock_skew_seconds=2 * DAY)
        second = runs("audit_logs", "users", state=first.state)
    finally:
        control.behave(clock_skew_seconds=0)
    assert "users" in rows(second)
    at = unix(bookmarks(second)["users"]["complete_at"])
    assert abs(at - control.now() - 2 * DAY) < 120


def test_a_parent_is_read_and_written_where_a_child_is_due(runs: Runs) -> None:
    selected = ("projects", "project_users", "project_groups")
    first = runs(*selected)
    assert first.state is not None
    state = last_read(first.state, DAY, "project_users")
    second = runs(*selected, state=state)
    assert rows(second).keys() == {"projects", "project_users"}
    assert len(second.records("projects")) == len(first.records("projects"))
    kept = bookmarks(second)
    assert kept["project_groups"] == bookmarks(first)["project_groups"]
    assert kept["projects"] == kept["project_users"]


def test_a_parent_that_is_not_selected_is_no_row_and_kept_nowhere(runs: Runs) -> None:
    outcome = runs("group_users")
    assert rows(outcome).keys() == {"group_users"}
    assert rows(outcome)["group_users"]["complete"]
    assert bookmarks(outcome).keys() == {"group_users"}
    again = runs("group_users", state=outcome.state)
    assert rows(again) == {}


def test_a_failed_reading_is_a_row_and_due_again(runs: Runs) -> None:
    first = runs("users", "roles")
    assert first.state is not None
    old = last_read(first.state, DAY, "users", "roles")
    runs.refuse("users")
    failed = runs("users", "roles", state=old)
    assert failed.code == 1
    found = rows(failed)
    assert (found["users"]["complete"], found["roles"]["complete"]) == (False, True)
    assert "HTTP 403" in found["users"]["reason"]
    assert found["users"]["requests"] == 1
    assert bookmarks(failed)["users"] == old["bookmarks"]["users"]
    runs.tap.sandbox.control.faults()
    again = runs("users", "roles", state=failed.state)
    assert {name: row["complete"] for name, row in rows(again).items()} == {
        "users": True
    }


def test_a_child_of_an_incomplete_parent_is_not_complete(runs: Runs) -> None:
    maps = {"projects": {"x": "1/0"}}
    outcome = runs("projects", "project_users", stream_maps=maps)
    assert outcome.code == 1
    child = rows(outcome)["project_users"]
    assert child["events_emitted"] > 0
    assert not child["complete"]
    assert "of projects (ZeroDivisionError" in child["reason"]
    assert bookmarks(outcome) == {}


def test_children_whose_parent_is_refused_are_rows_that_are_not_complete(
    runs: Runs,
) -> None:
    runs.refuse("groups")
    outcome = runs("groups", "group_users")
    for row in rows(outcome).values():
        assert (row["complete"], row["events_read"]) == (False, 0)
        assert "groups, group_users: not read in full, HTTP 403" in row["reason"]
    assert rows(outcome).keys() == {"groups", "group_users"}


def test_one_list_that_is_refused_makes_its_stream_incomplete(runs: Runs) -> None:
    found = [r["id"] for r in runs("projects").records("projects")]
    path = f"{API}/projects/{found[0]}/"
    runs.tap.sandbox.control.faults({"kind": "status", "status": 404, "path": path})
    row = rows(runs("project_rate_limits"))["project_rate_limits"]
    assert not row["complete"]
    assert f"(1 of {len(found)} lists refused: {found[0]}), HTTP 404" in row["reason"]
    assert row["events_read"] == row["events_emitted"] > 0


def test_a_filter_on_parents_leaves_children_incomplete_but_not_due(
    runs: Runs,
) -> None:
    projects = runs("projects").records("projects")
    chosen = projects[3]["id"]
    maps = {"projects": {"__filter__": f"id == '{chosen}'"}}
    outcome = runs("projects", "project_groups", stream_maps=maps)
    assert outcome.code == 0
    parent, child = rows(outcome)["projects"], rows(outcome)["project_groups"]
    assert (parent["complete"], parent["events_emitted"]) == (True, 1)
    assert parent["events_filtered"] == parent["events_read"] - 1 == len(projects) - 1
    assert not child["complete"]
    assert (
        f"leaves out {len(projects) - 1} of {len(projects)} projects"
        in (child["reason"])
    )
    # It is what was asked for, and reading it in every run would not make it more.
    assert rows(runs("project_groups", state=outcome.state, stream_maps=maps)) == {}


def test_a_filter_that_leaves_no_parent_out_leaves_children_complete(
    runs: Runs,
) -> None:
    maps = {"projects": {"__filter__": "id != ''"}}
    outcome = runs("projects", "project_users", stream_maps=maps)
    assert all(row["complete"] for row in rows(outcome).values())


def test_children_without_any_parent_are_complete(tmp_path: Path) -> None:
    with LocalServer(response(200, body=NOTHING)) as server:
        config = tmp_path / "config.json"
        catalog = tmp_path / "catalog.json"
        settings = {
            "organization_id": "org-a",
            "admin_key": "sk-admin-placeholder",
            "api_url": f"{server.url}/v1",
        }
        config.write_text(json.dumps(settings))
        catalog.write_text(json.dumps(catalog_of("group_users", "sync_reports")))
        command = ["--config", str(config), "--catalog", str(catalog)]
        outcome = run([*COMMAND, *command])
    assert outcome.code == 0
    row = rows(outcome)["group_users"]
    assert (row["complete"], row["events_read"]) == (True, 0)
    assert bookmarks(outcome).keys() == {"group_users"}


def test_a_signal_leaves_a_row_and_keeps_what_was_read_before(runs: Runs) -> None:
    path = f"{API}/users"
    control = runs.tap.sandbox.control
    control.faults({"kind": "hang", "seconds": 3_600, "path": path})
    catalog = catalog_of("roles", "users", "sync_reports")
    with runs.tap.started(catalog=catalog, request_timeout_seconds=3_600) as running:
        deadline = time.monotonic() + 120
        while "users" not in runs.asked():
            assert time.monotonic() < deadline
        running.process.send_signal(signal.SIGTERM)
        ended = running.ended()
    assert ended.code == 143
    found = {name: (r["complete"], r["reason"]) for name, r in rows(ended).items()}
    assert found == {"roles": (True, None), "users": (False, "ended by SIGTERM")}
    assert bookmarks(ended).keys() == {"roles"}


def test_the_state_says_that_they_were_read_only_after_the_report_says_so(
    runs: Runs,
) -> None:
    messages = runs("users", "roles", "project_users").messages
    said = [
        number
        for number, message in enumerate(messages)
        if message["type"] == "STATE" and "complete_at" in json.dumps(message)
    ]
    reported = [
        number
        for number, message in enumerate(messages)
        if message["type"] == "RECORD" and message["stream"] == "sync_reports"
    ]
    assert len(reported) == 3
    assert said
    assert min(said) > max(reported)


def test_a_catalog_cannot_make_the_sdk_keep_a_bookmark_of_its_own(runs: Runs) -> None:
    catalog = catalog_of("users", "sync_reports")
    for stream in catalog["streams"]:
        stream |= {"replication_method": "INCREMENTAL", "replication_key": "added_at"}
    first = runs.tap.run(catalog=catalog)
    assert first.code == 0
    assert any("users is always written in full" in line for line in first.warnings)
    assert bookmarks(first)["users"].keys() == {
        "complete_at",
        "organization_id",
        "refused",
    }
    assert runs.tap.run(catalog=catalog, state=first.state).code == 0


def test_a_bookmark_that_is_none_of_theirs_is_refused_in_one_line(runs: Runs) -> None:
    state = {"bookmarks": {"users": {"replication_key_value": "2026-01-01"}}}
    outcome = runs("users", state=state)
    assert (outcome.code, outcome.messages) == (1, [])
    assert re.search(r"The state of users cannot be read .*full refresh", outcome.log)
    assert "Traceback" not in outcome.log
