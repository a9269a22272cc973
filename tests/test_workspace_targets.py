"""A workspace's logs by their own plugin of Meltano, into real targets."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import pytest
from warehouses import skip_without_duckdb

from sandbox.process import SandboxProcess
from testing.meltano_project import program_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.demo.postgres import Database
    from testing.meltano_project import MeltanoProject

TAP = "tap-chatgpt-workspace"
EVENTS = ("workspace_audit_logs", "workspace_auth_logs")
QUERIES = (
    *(f"SELECT event_id FROM {name}" for name in EVENTS),
    "SELECT events_emitted FROM workspace_log_files",
)


class Loaded(NamedTuple):
    """What a target holds: the id of each event, and how many the ledger counts."""

    ids: list[str]
    emitted: int


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(
        events=50, tenant_events=5, start="2d", end="now", workspace_events=300
    ) as process:
        yield process


@pytest.fixture
def in_postgres(meltano: MeltanoProject, postgres: Database) -> Callable[[], Loaded]:
    schema = f"workspace_{uuid4().hex}"
    meltano.variables.update(postgres.environment)
    meltano.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = schema

    def read() -> Loaded:
        with postgres.connect(schema) as connection:
            *ids, emitted = [connection.execute(q).fetchall() for q in QUERIES]
        return Loaded([i for rows in ids for (i,) in rows], sum(n for (n,) in emitted))

    return read


@pytest.fixture
def in_duckdb(meltano: MeltanoProject) -> Callable[[], Loaded]:
    skip_without_duckdb()
    script = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    connection.execute("SET schema = 'sandbox.tap_openai_audit_sandbox'")
    found = [connection.sql(query).fetchall() for query in sys.argv[2:]]
print(json.dumps([[int(v) if isinstance(v, int) else v for v, in x] for x in found]))
"""

    def read() -> Loaded:
        python = program_of("target-duckdb").with_name("python")
        file = meltano.directory / "sandbox.duckdb"
        command: list[str | Path] = [python, "-c", script, file, *QUERIES]
        *ids, emitted = json.loads(subprocess.check_output(command))
        return Loaded([i for rows in ids for i in rows], sum(emitted))

    return read


@pytest.fixture
def in_jsonl(meltano: MeltanoProject) -> Callable[[], Loaded]:
    def lines(stream: str) -> list[dict[str, str]]:
        file = meltano.directory / "output" / "sandbox" / f"{stream}.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").split("\n")[:-1]]

    def read() -> Loaded:
        ids = [row["event_id"] for name in EVENTS for row in lines(name)]
        rows = lines("workspace_log_files")
        return Loaded(ids, sum(int(row["events_emitted"]) for row in rows))

    return read


def everything(sandbox: SandboxProcess) -> list[str]:
    files = [file for file in sandbox.control.workspace_files() if file.visible]
    return sorted({id_ for file in files for id_ in file.events})


@pytest.mark.parametrize(
    ("blocks", "target"),
    [
        ((TAP, "target-postgres"), "in_postgres"),
        ((TAP, "target-duckdb"), "in_duckdb"),
        ((TAP, "target-jsonl"), "in_jsonl"),
    ],
)
def test_two_runs_load_every_event_once_and_the_ledger_proves_it(
    meltano: MeltanoProject,
    sandbox: SandboxProcess,
    blocks: tuple[str, ...],
    target: str,
    request: pytest.FixtureRequest,
) -> None:
    read: Callable[[], Loaded] = request.getfixturevalue(target)
    meltano("run", *blocks)
    first = read()
    assert sorted(first.ids) == everything(sandbox)
    assert first.emitted == len(first.ids)
    sandbox.control.add_workspace_file(7)
    sandbox.control.add_workspace_file(3, event_type="AUTH_LOG")
    meltano("run", *blocks)
    second = read()
    assert sorted(second.ids) == everything(sandbox)
    assert second.emitted == len(second.ids) == len(first.ids) + 10


def test_the_two_plugins_have_states_of_their_own_and_read_nothing_of_each_other(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    meltano("run", TAP, "target-jsonl")
    asked = {r["host"] for r in sandbox.control.requests()["log"]}
    assert asked == {"workspace", "files"}
    sandbox.control.forget_requests()
    meltano("run", "tap-openai-audit", "target-jsonl")
    asked = {r["host"] for r in sandbox.control.requests()["log"]}
    assert asked == {"organization"}
    assert set(meltano("state", "list").out.split()) >= {
        f"sandbox:{TAP}-to-target-jsonl",
        "sandbox:tap-openai-audit-to-target-jsonl",
    }


def test_no_variable_of_the_workspace_is_taken_for_another_setting(
    meltano: MeltanoProject,
) -> None:
    """A plugin's name and its namespace are both prefixes of variables."""
    url = "https://chatgpt.example.com/v1"
    meltano.variables["TAP_OPENAI_AUDIT_WORKSPACE_API_URL"] = url
    for tap in (TAP, "tap-openai-audit"):
        used = meltano("config", "print", tap, "--format=json").json
        assert used["workspace_api_url"] == url
        assert used["api_url"] == meltano.variables["TAP_OPENAI_AUDIT_API_URL"]


def test_the_check_is_a_command_of_the_workspaces_plugin_too(
    meltano: MeltanoProject,
) -> None:
    found = meltano("invoke", f"{TAP}:check")
    assert "ok       workspace_files" in found.out
