"""What vanished is no failure, and a list that is refused is asked for again alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tap_command import Outcome, TapCommand, catalog_of

from sandbox.process import SandboxProcess
from tap_openai_audit.inventory.bookmark import LastReading
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API = "/v1/organization"
PROJECTS = f"{API}/projects"
DAY = 86_400
STREAMS = ("projects", "project_rate_limits", "project_groups")


@dataclass
class Runs:
    """Runs of the command, each from the state of the one before."""

    tap: TapCommand
    state: Any = None

    def __call__(self, *selected: str, **settings: Any) -> Outcome:
        self.tap.sandbox.control.forget_requests()
        catalog = catalog_of(*(selected or STREAMS), "sync_reports")
        outcome = self.tap.run(state=self.state, catalog=catalog, **settings)
        self.state = outcome.state or self.state
        return outcome

    def asked(self) -> list[str]:
        log = self.tap.sandbox.control.requests()["log"]
        return [request["path"].removeprefix(f"{API}/") for request in log]

    def faults(self, *faults: dict[str, Any]) -> None:
        self.tap.sandbox.control.faults(*faults)

    def days_pass(self) -> None:
        for bookmark in self.state["bookmarks"].values():
            if "complete_at" in bookmark:
                bookmark["complete_at"] = iso(
                    int(self.tap.sandbox.control.now() - 2 * DAY)
                )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    # The tap decides what is due before the API has told its time.
    with SandboxProcess(events=20, tenant_events=2, clock="machine") as process:
        yield process


@pytest.fixture
def runs(sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Runs]:
    sandbox.control.faults()
    yield Runs(TapCommand(sandbox, tmp_path, {"max_retry_seconds": 0}))
    sandbox.control.faults()


@pytest.fixture
def project(runs: Runs) -> str:
    """The id of a project that is not archived."""
    records = Runs(runs.tap)("projects").records("projects")
    return str(next(r["id"] for r in records if not r["archived_at"]))


def refusing(project: str, **how: Any) -> dict[str, Any]:
    path = f"{PROJECTS}/{project}/"
    return {"kind": "status", "status": 404, "path": path, **how}


def rows(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {row["scope"]: row for row in outcome.records("sync_reports")}


def owners(outcome: Outcome, stream: str = "project_rate_limits") -> set[str]:
    return {record["project_id"] for record in outcome.records(stream)}


@pytest.mark.parametrize("refused", [(), ("proj_a",), ("proj a", "proj/ü", "%")])
def test_refused_lists_are_kept_in_the_state(refused: tuple[str, ...]) -> None:
    bookmark: dict[str, Any] = {}
    reading = LastReading(1_790_000_000, "org-a", refused)
    reading.write(bookmark)
    assert all(isinstance(value, str) for value in bookmark.values())
    assert LastReading.read("project_users", bookmark) == reading


def test_a_project_that_is_gone_by_now_is_no_failure(runs: Runs, project: str) -> None:
    # It is listed once, and its lists are gone when they are asked for.
    gone = {"kind": "without", "id": project, "path": PROJECTS, "at": [*range(1, 500)]}
    runs.faults(refusing(project), gone)
    outcome = runs("projects", "project_rate_limits")
    assert outcome.code == 0, outcome.log
    assert all(row["complete"] for row in rows(outcome).values())
    assert owners(outcome) == {r["id"] for r in outcome.records("projects")} - {project}
    assert "1 lists of project_rate_limits are left out" in outcome.log
    runs.faults()
    assert runs("projects", "project_rate_limits").code == 0
    assert runs.asked() == []


def test_what_is_refused_is_asked_for_again_alone(runs: Runs, project: str) -> None:
    runs.faults(refusing(project))
    first = runs()
    assert first.code == 1
    every = {record["id"] for record in first.records("projects")}
    assert owners(first) == every - {project}
    found = rows(first)
    assert found["projects"]["complete"]
    assert not found["project_rate_limits"]["complete"]
    assert not found["project_groups"]["complete"]
    assert len(first.errors) == 2
    for error in first.errors:
        assert f"(1 of {len(every)} lists refused: {project}), HTTP 404" in error
        assert "leave the object out with a filter in stream_maps" in error
        assert "api_url" not in error
    for _ in range(2):
        again = runs()
        assert again.code == 1
        # One request for each of the two lists, and one for whether it is gone.
        assert sorted(runs.asked()) == [
            "projects",
            f"projects/{project}/groups",
            f"projects/{project}/rate_limits",
        ]
        assert not again.records("project_rate_limits")
        assert rows(again).keys() == {"project_rate_limits", "project_groups"}
        assert not any(row["complete"] for row in rows(again).values())
        for row in rows(again).values():
            assert f"(1 lists still refused: {project}), HTTP 404" in row["reason"]


def test_once_it_answers_the_stream_is_read_in_full(runs: Runs, project: str) -> None:
    runs.faults(refusing(project))
    assert runs().code == 1
    runs.faults(refusing(project, path=f"{PROJECTS}/{project}/groups"))
    second = runs()
    assert second.code == 1
    assert rows(second)["project_rate_limits"]["complete"]
    assert owners(second) == {record["id"] for record in second.records("projects")}
    assert "project_groups" not in {m.get("stream") for m in second.messages}
    runs.faults()
    third = runs()
    assert third.code == 0
    assert rows(third)["project_groups"]["complete"]
    assert runs().code == 0
    assert runs.asked() == []


def test_a_project_that_goes_after_it_was_refused_is_no_failure(
    runs: Runs, project: str
) -> None:
    runs.faults(refusing(project))
    assert runs().code == 1
    gone = {"kind": "without", "id": project, "path": PROJECTS}
    runs.faults(refusing(project), gone)
    outcome = runs()
    assert outcome.code == 0
    assert all(row["complete"] for row in rows(outcome).values())


def test_a_project_that_a_filter_leaves_out_is_not_asked_for(
    runs: Runs, project: str
) -> None:
    runs.faults(refusing(project))
    assert runs().code == 1
    maps = {"projects": {"__filter__": f"id != '{project}'"}}
    outcome = runs(stream_maps=maps)
    assert outcome.code == 0, outcome.log
    assert project not in owners(outcome)
    assert runs(stream_maps=maps).code == 0
    assert runs.asked() == []


def test_the_day_after_all_is_read_again(runs: Runs, project: str) -> None:
    runs.faults(refusing(project))
    first = runs()
    runs.days_pass()
    second = runs()
    assert second.code == 1
    assert owners(second) == owners(first)


def test_a_key_that_may_not_read_any_list_is_not_kept_as_a_refused_list(
    runs: Runs, project: str
) -> None:
    runs.faults(refusing(project, status=403))
    outcome = runs("project_rate_limits")
    assert outcome.code == 1
    assert not runs.state["bookmarks"]["project_rate_limits"]


def test_a_user_who_is_removed_between_two_pages_is_no_failure(tmp_path: Path) -> None:
    with SandboxProcess(events=3_000, tenant_events=0, start="90d") as large:
        runs = Runs(TapCommand(large, tmp_path, {"max_retry_seconds": 0}))
        everybody = [record["id"] for record in runs("users").records("users")]
        assert len(everybody) > 100
        at_the_cursor = everybody[99]
        users = f"{API}/users"
        gone = {"kind": "status", "body": "invalid_cursor", "path": users}
        runs.state = None
        runs.faults(
            {**gone, "status": 400, "with_cursor": True, "times": 1},
            {"kind": "without", "id": at_the_cursor, "path": users, "at": [2]},
        )
        outcome = runs("users")
        assert outcome.code == 0, outcome.log
        assert rows(outcome)["users"]["complete"]
        found = [record["id"] for record in outcome.records("users")]
        assert len(found) == len(set(found))
        assert set(found) == set(everybody)
        runs.state = None
        runs.faults({**gone, "status": 404, "with_cursor": True})
        outcome = runs("users")
        assert outcome.code == 1
        assert "did not know where its next page begins" in outcome.last_line
