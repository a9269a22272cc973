"""A workspace's logs by their own plugin of Meltano, into real targets."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest
from warehouses import skip_without_duckdb

from sandbox.process import SandboxProcess
from testing.meltano_project import program_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
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


def query_duckdb(meltano: MeltanoProject, *queries: str) -> list[list[list[Any]]]:
    """The rows of each query in what target-duckdb loaded."""
    script = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    connection.execute("SET schema = 'sandbox.tap_openai_audit_sandbox'")
    found = [connection.sql(query).fetchall() for query in sys.argv[2:]]
print(json.dumps([[[int(v) if isinstance(v, int) else v for v in r] for r in x]
    for x in found]))
"""
    python = program_of("target-duckdb").with_name("python")
    file = meltano.directory / "sandbox.duckdb"
    command: list[str | Path] = [python, "-c", script, file, *queries]
    found: list[list[list[Any]]] = json.loads(subprocess.check_output(command))
    return found


@pytest.fixture
def in_duckdb(meltano: MeltanoProject) -> Callable[[], Loaded]:
    skip_without_duckdb()

    def read() -> Loaded:
        *ids, emitted = query_duckdb(meltano, *QUERIES)
        return Loaded([i for rows in ids for (i,) in rows], sum(n for (n,) in emitted))

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


def scopes_in(found: Collection[tuple[Any, ...]]) -> set[str]:
    """The feeds with a report, each with the one account that it is of."""
    for scope, organization_id, workspace_id in found:
        of_the_workspace = scope.startswith("workspace_")
        assert (organization_id is None, workspace_id is None) == (
            of_the_workspace,
            not of_the_workspace,
        )
    return {scope for scope, _, _ in found}


REPORTS = "SELECT scope, organization_id, workspace_id FROM sync_reports"
ALL_SCOPES = {"organization", "tenant", "workspace_audit", "workspace_auth"}


@pytest.mark.parametrize("first", [TAP, "tap-openai-audit"])
def test_both_taps_load_into_the_same_tables_of_postgres(
    meltano: MeltanoProject,
    sandbox: SandboxProcess,
    in_postgres: Callable[[], Loaded],
    postgres: Database,
    first: str,
) -> None:
    (second,) = {TAP, "tap-openai-audit"} - {first}
    for tap in (first, second, first):
        meltano("run", tap, "target-postgres")
    assert sorted(in_postgres().ids) == everything(sandbox)
    schema = meltano.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"]
    with postgres.connect(schema) as connection:
        found = connection.execute(REPORTS).fetchall()
        events = connection.execute("SELECT count(*) FROM audit_logs").fetchall()
    assert scopes_in(found) == ALL_SCOPES
    assert len(found) == 6
    assert events == [(len(sandbox.control.events()),)]


def test_both_taps_load_into_the_same_tables_of_duckdb(
    meltano: MeltanoProject,
    sandbox: SandboxProcess,
    in_duckdb: Callable[[], Loaded],
) -> None:
    for tap in ("tap-openai-audit", TAP, "tap-openai-audit"):
        meltano("run", tap, "target-duckdb")
    assert sorted(in_duckdb().ids) == everything(sandbox)
    found = [tuple(row) for row in query_duckdb(meltano, REPORTS)[0]]
    assert scopes_in(found) == ALL_SCOPES
    assert len(found) == 6


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


def test_no_variable_of_one_plugin_is_taken_for_a_setting_of_the_other(
    meltano: MeltanoProject,
) -> None:
    urls = {
        TAP: "https://chatgpt.example.com/v1",
        "tap-openai-audit": "https://openai.example.com/v1",
    }
    for tap, url in urls.items():
        meltano.variables[f"{tap.replace('-', '_').upper()}_API_URL"] = url
    for tap, url in urls.items():
        used = meltano("config", "print", tap, "--format=json").json
        assert used["api_url"] == url


def test_the_check_is_a_command_of_the_workspaces_plugin_too(
    meltano: MeltanoProject,
) -> None:
    found = meltano("invoke", "tap-chatgpt-workspace:check")
    assert "ok       workspace_files" in found.out
