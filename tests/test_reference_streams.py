from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import openai
import pytest

from sandbox.options import Options
from sandbox.process import SandboxProcess
from tap_openai_audit.inventory.streams import REFERENCE_STREAMS
from tap_openai_audit.timestamps import unix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The SDK declares the name of a stream for instances only.
NAMES = [str(vars(stream)["name"]) for stream in REFERENCE_STREAMS]
OF_PROJECT = [name for name in NAMES if name.startswith("project_")]
ROOT = Path(__file__).resolve().parents[1]
API = "/v1/organization"
CONCURRENCY = 5
DEADLINE = 120  # seconds; bounds a hang, and nothing else


@dataclass
class Output:
    """What a run of the tap wrote."""

    code: int
    log: str
    messages: list[dict[str, Any]]
    records: dict[str, list[dict[str, Any]]] = field(init=False)
    schemas: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.records, self.schemas = defaultdict(list), {}
        for message in self.messages:
            if message["type"] == "RECORD":
                self.records[message["stream"]].append(message["record"])
            elif message["type"] == "SCHEMA":
                self.schemas[message["stream"]] = message

    @property
    def state(self) -> dict[str, Any]:
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        bookmarks: dict[str, Any] = states[-1]["bookmarks"]
        return bookmarks

    @property
    def errors(self) -> list[str]:
        return [line for line in self.log.splitlines() if "| ERROR" in line]


@dataclass
class Tap:
    """The tap's command, with a sandbox to read from."""

    sandbox: SandboxProcess
    folder: Path
    catalog: dict[str, Any]

    def command(self, *selected: str, **settings: Any) -> list[str]:
        config = {
            "organization_id": self.sandbox.organization_id,
            "admin_key": self.sandbox.admin_key,
            "api_url": self.sandbox.url,
            "concurrency": CONCURRENCY,
            **settings,
        }
        for stream in self.catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] in selected
        arguments = [sys.executable, "-m", "tap_openai_audit"]
        for name, content in (("config", config), ("catalog", self.catalog)):
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content))
            arguments += [f"--{name}", str(path)]
        return arguments

    def run(self, *selected: str, **settings: Any) -> Output:
        command = self.command(*selected, **settings)
        return finished(subprocess.Popen(command, **PIPES))

    def start(self, *selected: str, **settings: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command(*selected, **settings), **PIPES)


PIPES: dict[str, Any] = {
    "cwd": ROOT,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.PIPE,
    "encoding": "utf-8",
}


def finished(process: subprocess.Popen[str]) -> Output:
    out, log = process.communicate(timeout=DEADLINE)
    return Output(process.returncode, log, [json.loads(x) for x in out.splitlines()])


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(events=60, tenant_events=5) as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    running.control.forget_requests()
    yield running
    running.control.faults()


@pytest.fixture(scope="module")
def any_tap(running: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Tap:
    discover = [sys.executable, "-m", "tap_openai_audit", "--discover"]
    done = subprocess.run(discover, check=True, capture_output=True, cwd=ROOT)
    folder = tmp_path_factory.mktemp("tap")
    return Tap(running, folder, json.loads(done.stdout))


@pytest.fixture
def tap(any_tap: Tap, sandbox: SandboxProcess) -> Tap:
    any_tap.sandbox = sandbox
    return any_tap


@pytest.fixture(scope="module")
def everything(any_tap: Tap) -> Output:
    return any_tap.run("audit_logs", "sync_reports", *NAMES)


@pytest.fixture(scope="module")
def listed(running: SandboxProcess) -> dict[str, list[dict[str, Any]]]:
    """What the official client lists, with the ids of parents."""
    client = openai.OpenAI(base_url=running.url, admin_api_key=running.admin_key)
    of = client.admin.organization
    found: dict[str, list[dict[str, Any]]] = {
        "users": plain(of.users.list()),
        "projects": plain(of.projects.list(include_archived=True)),
        "invites": plain(of.invites.list()),
        "admin_api_keys": plain(of.admin_api_keys.list()),
        "groups": plain(of.groups.list()),
        "roles": plain(of.roles.list()),
        "certificates": plain(of.certificates.list()),
    }
    found["group_users"] = [
        {"group_id": group["id"], **user}
        for group in found["groups"]
        for user in plain(of.groups.users.list(group["id"]))
    ]
    lists: dict[str, Callable[[str], Any]] = {
        "project_users": of.projects.users.list,
        "project_service_accounts": of.projects.service_accounts.list,
        "project_api_keys": lambda id_: of.projects.api_keys.list(
            id_, owner_project_access="any"
        ),
        "project_groups": of.projects.groups.list,
        "project_rate_limits": of.projects.rate_limits.list_rate_limits,
    }
    for name, list_of in lists.items():
        found[name] = [
            {"project_id": project["id"], **item}
            for project in found["projects"]
            if project["status"] == "active"
            or name not in {"project_users", "project_service_accounts"}
            for item in plain(list_of(project["id"]))
        ]
    client.close()
    return found


def plain(pages: Any) -> list[dict[str, Any]]:
    return [item.to_dict() for item in pages]


def given_back(record: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The object that a record was made of, without what was null."""
    found = {**record, **(record["extra"] or {})}
    for name, column in schema["properties"].items():
        if column.get("format") == "date-time" and found[name] is not None:
            found[name] = int(datetime.fromisoformat(found[name]).timestamp())
    del found["organization_id"], found["run_id"], found["extra"]
    return {name: value for name, value in found.items() if value is not None}


def sort(items: list[dict[str, Any]]) -> list[str]:
    """Objects in an order of their own, whichever run saw them."""
    seen = [{k: v for k, v in item.items() if k != "run_id"} for item in items]
    return sorted(json.dumps(item, sort_keys=True) for item in seen)


def asked(sandbox: SandboxProcess) -> list[str]:
    return [request["path"] for request in sandbox.control.requests()["log"]]


def unanswered(sandbox: SandboxProcess) -> int:
    log = sandbox.control.requests()["log"]
    return sum(request["status"] is None for request in log)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def strings(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from strings(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, path)
    elif isinstance(value, str):
        yield ".".join(path), value


def test_they_are_not_read_unless_they_are_selected(tap: Tap) -> None:
    command = tap.command()
    without_catalog = command[: command.index("--catalog")]
    output = finished(subprocess.Popen(without_catalog, **PIPES))
    assert output.code == 0
    assert output.schemas.keys() == {
        "audit_logs",
        "audit_log_digests",
        "sync_reports",
    }
    assert set(asked(tap.sandbox)) == {f"{API}/audit_logs"}


@pytest.mark.parametrize("name", NAMES)
def test_every_stream_is_what_the_official_client_lists(
    name: str, everything: Output, listed: dict[str, list[dict[str, Any]]]
) -> None:
    schema = everything.schemas[name]["schema"]
    found = [given_back(record, schema) for record in everything.records[name]]
    there = [
        {name: value for name, value in item.items() if value is not None}
        for item in listed[name]
    ]
    assert there
    assert sort(found) == sort(there)


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_unique_across_the_organization(name: str, everything: Output) -> None:
    columns = everything.schemas[name]["key_properties"]
    keys = [tuple(record[c] for c in columns) for record in everything.records[name]]
    assert len(set(keys)) == len(keys)
    assert all(isinstance(part, str) for key in keys for part in key)


@pytest.mark.parametrize("name", NAMES)
def test_every_record_is_what_its_schema_says(name: str, everything: Output) -> None:
    schema = everything.schemas[name]["schema"]
    validator = jsonschema.Draft202012Validator(schema)
    for record in everything.records[name]:
        validator.validate(record)
        assert record.keys() == schema["properties"].keys()
        assert record["organization_id"] == "org-sandbox"
        assert record["extra"] is None


def test_archived_projects_are_included(everything: Output) -> None:
    archived = [p for p in everything.records["projects"] if p["archived_at"]]
    assert archived
    assert {project["status"] for project in archived} == {"archived"}
    limited = {record["project_id"] for record in everything.records["project_groups"]}
    assert limited & {project["id"] for project in archived}


def test_members_of_archived_projects_are_not_asked_for(
    tap: Tap, everything: Output
) -> None:
    output = tap.run("project_users", "project_service_accounts")
    assert output.code == 0
    paths = asked(tap.sandbox)
    for project in everything.records["projects"]:
        expected = project["archived_at"] is None
        assert (f"{API}/projects/{project['id']}/users" in paths) is expected
        assert (f"{API}/projects/{project['id']}/service_accounts" in paths) is expected


def test_keys_whose_owner_lost_access_are_included(everything: Output) -> None:
    records = everything.records["project_api_keys"]
    access = {record["owner_project_access"] for record in records}
    assert access == {"active", "inactive"}


def test_nothing_in_them_is_secret(
    everything: Output, listed: dict[str, list[dict[str, Any]]]
) -> None:
    given = {
        item["redacted_value"]
        for name in ("admin_api_keys", "project_api_keys")
        for item in listed[name]
    }
    kept = set()
    for name in NAMES:
        for record in everything.records[name]:
            for path, value in strings(record):
                if path == "redacted_value":
                    kept.add(value)
                else:
                    assert not re.search(r"sk-|-----BEGIN|eyJ", value), (path, value)
    assert kept == given
    assert all("***" in value and len(value) < 24 for value in kept)


def test_no_column_is_for_a_secret(everything: Output) -> None:
    secret = re.compile("secret|token|password|private|^value$|^key$|content")
    for name in NAMES:
        columns = everything.schemas[name]["schema"]["properties"]
        found = {column for column in columns if secret.search(column)}
        assert found <= {"max_tokens_per_1_minute", "batch_1_day_max_input_tokens"}


def test_the_state_keeps_of_them_when_they_were_read(everything: Output) -> None:
    state = everything.state
    assert len(state["audit_logs"]["partitions"]) == 2
    (bookmark,) = {json.dumps(state[name], sort_keys=True) for name in NAMES}
    kept = json.loads(bookmark)
    assert kept.keys() == {
        "complete_at",
        "organization_id",
        "refused",
    }
    assert kept["organization_id"] == "org-sandbox"
    assert abs(unix(kept["complete_at"]) - Options().clock_at(0)) < DEADLINE


def test_each_of_them_has_a_row_in_the_ledger(everything: Output) -> None:
    rows = {row["scope"]: row for row in everything.records["sync_reports"]}
    assert list(rows)[:2] == ["organization", "tenant"]
    assert rows.keys() - {"organization", "tenant"} == set(NAMES)
    for name in NAMES:
        row, records = rows[name], everything.records[name]
        assert {record["run_id"] for record in records} == {row["run_id"]}
        assert row["organization_id"] == "org-sandbox"
        assert row["tap_version"]
        assert row["started_at"] <= row["finished_at"]
        assert row["requests"] >= 1
        assert row["retries"] == 0
        assert row["events_read"] == row["events_emitted"] == len(records)
        assert row["events_filtered"] == 0
        assert (row["complete"], row["reason"]) == (True, None)
        assert row["filters"] is row["bookmark"] is row["chain_id"] is None


def test_each_stream_has_one_schema_message(everything: Output) -> None:
    schemas = [m["stream"] for m in everything.messages if m["type"] == "SCHEMA"]
    assert sorted(schemas) == sorted(["audit_logs", "sync_reports", *NAMES])


def test_the_audit_log_is_read_first_and_reported_last(everything: Output) -> None:
    streams = [m["stream"] for m in everything.messages if m["type"] == "RECORD"]
    last_event = len(streams) - 1 - streams[::-1].index("audit_logs")
    assert set(streams[: last_event + 1]) == {"audit_logs"}
    assert set(streams[-2 - len(NAMES) :]) == {"sync_reports"}


def test_children_can_be_selected_without_their_parents(
    tap: Tap, everything: Output
) -> None:
    output = tap.run("project_api_keys", "group_users")
    assert output.code == 0
    assert output.records.keys() == {"project_api_keys", "group_users"}
    for name, records in output.records.items():
        assert sort(records) == sort(everything.records[name])


def test_children_of_projects_that_a_stream_map_filters_are_not_read(
    tap: Tap, everything: Output
) -> None:
    chosen = everything.records["projects"][3]["id"]
    maps = {"projects": {"__filter__": f"id == '{chosen}'"}}
    output = tap.run("projects", "project_users", stream_maps=maps)
    assert output.code == 0
    assert [record["id"] for record in output.records["projects"]] == [chosen]
    found = {record["project_id"] for record in output.records["project_users"]}
    assert found == {chosen}


def test_a_refused_stream_is_reported_after_all_else_is_written(
    tap: Tap, everything: Output
) -> None:
    refusal = {"kind": "status", "status": 403, "path": f"{API}/invites"}
    tap.sandbox.control.faults(refusal)
    output = tap.run("audit_logs", "sync_reports", *NAMES)
    assert output.code == 1
    (error,) = output.errors
    assert "invites: not read in full, HTTP 403" in error
    assert output.log.rstrip().endswith(error)
    for name in set(NAMES) - {"invites"}:
        assert sort(output.records[name]) == sort(everything.records[name])
    assert not output.records["invites"]
    assert len(output.records["audit_logs"]) == len(everything.records["audit_logs"])
    assert bookmarks(output) == bookmarks(everything)


def bookmarks(output: Output) -> list[str]:
    partitions = output.state["audit_logs"]["partitions"]
    return [partition["replication_key_value"] for partition in partitions]


def test_a_refused_child_is_reported_once_and_not_for_every_project(tap: Tap) -> None:
    refusal = {"kind": "status", "status": 403, "path": f"{API}/projects/"}
    tap.sandbox.control.faults(refusal)
    output = tap.run("projects", *OF_PROJECT, concurrency=1)
    assert output.code == 1
    refused = [re.findall(r"(\w+): not read", error) for error in output.errors]
    assert sorted(refused) == sorted([name] for name in OF_PROJECT)
    assert output.records.keys() == {"projects"}
    # The one refusal that is looked at, two more that wait for it, and one in the
    # worker's hands: however late it is looked at, there is room for no other.
    assert len(asked(tap.sandbox)) <= 1 + len(OF_PROJECT) * 4


def test_a_refused_parent_names_the_children_that_it_takes_with_it(tap: Tap) -> None:
    refusal = {"kind": "status", "status": 403, "path": f"{API}/groups"}
    tap.sandbox.control.faults(refusal)
    output = tap.run("groups", "group_users", "roles")
    assert output.code == 1
    (error,) = output.errors
    assert "groups, group_users: not read in full, HTTP 403" in error
    assert output.records.keys() == {"roles"}


def test_one_project_that_refuses_does_not_keep_the_others_from_being_read(
    tap: Tap, everything: Output
) -> None:
    projects = everything.records["projects"]
    gone = next(project["id"] for project in projects if not project["archived_at"])
    path = f"{API}/projects/{gone}/"
    tap.sandbox.control.faults({"kind": "status", "status": 404, "path": path})
    output = tap.run("project_rate_limits")
    assert output.code == 1
    (error,) = output.errors
    assert f"(1 of {len(projects)} lists refused: {gone}), HTTP 404" in error
    found = {record["project_id"] for record in output.records["project_rate_limits"]}
    assert found == {project["id"] for project in projects} - {gone}


@pytest.mark.parametrize("status", [400, 404])
def test_archived_projects_that_refuse_are_no_failure(
    tap: Tap, everything: Output, status: int
) -> None:
    projects = everything.records["projects"]
    archived = {project["id"] for project in projects if project["archived_at"]}
    tap.sandbox.control.faults(
        *(
            {"kind": "status", "status": status, "path": f"{API}/projects/{id_}/"}
            for id_ in archived
        )
    )
    output = tap.run("projects", *OF_PROJECT)
    assert output.code == 0
    assert not output.errors
    assert len(output.records["projects"]) == len(projects)
    for name in OF_PROJECT:
        own = {record["project_id"] for record in output.records[name]}
        every = {record["project_id"] for record in everything.records[name]}
        assert own == every - archived


def test_passing_faults_do_not_change_a_snapshot(tap: Tap, everything: Output) -> None:
    tap.sandbox.control.faults(
        {"kind": "status", "status": 429, "headers": {"retry-after": "0"}, "times": 1},
        {"kind": "truncated", "times": 1},
        {"kind": "multi_document", "times": 4, "path": f"{API}/projects/"},
    )
    output = tap.run("users", "project_users")
    assert output.code == 0
    for name, records in output.records.items():
        assert sort(records) == sort(everything.records[name])


def test_children_of_many_projects_are_read_in_parallel(tap: Tap) -> None:
    path = f"{API}/projects/"
    tap.sandbox.control.faults({"kind": "hang", "seconds": 3_600, "path": path})
    process = tap.start("project_rate_limits", request_timeout_seconds=3_600)
    try:
        wait_for(lambda: unanswered(tap.sandbox) >= CONCURRENCY)
        assert unanswered(tap.sandbox) == CONCURRENCY
    finally:
        process.kill()
        finished(process)


@pytest.mark.parametrize("name", ["users", "project_rate_limits"])
def test_a_signal_ends_a_reference_stream_that_waits_for_an_answer(
    tap: Tap, name: str
) -> None:
    path = f"{API}/projects/" if name.startswith("project") else f"{API}/users"
    tap.sandbox.control.faults({"kind": "hang", "seconds": 3_600, "path": path})
    process = tap.start("audit_logs", name, request_timeout_seconds=3_600)
    with ThreadPoolExecutor() as reader:
        # The output is more than a pipe holds.
        ended = reader.submit(finished, process)
        try:
            wait_for(lambda: any(own.startswith(path) for own in asked(tap.sandbox)))
        finally:
            process.send_signal(signal.SIGTERM)
        output = ended.result()
    assert output.code == 143
    assert "Ended by SIGTERM" in output.log
    assert len(output.state["audit_logs"]["partitions"]) == 2
