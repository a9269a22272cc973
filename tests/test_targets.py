"""Both taps load every event once, into the same tables of each real target."""

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
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from testing.meltano_project import MeltanoProject

    Rows = Callable[..., list[tuple[Any, ...]]]
    """Gives columns of a table by the names of both."""

ORGANIZATION, WORKSPACE = "tap-openai-audit", "tap-chatgpt-workspace"
HOSTS = {ORGANIZATION: {"organization"}, WORKSPACE: {"workspace", "files"}}
WORKSPACE_EVENTS = ("workspace_audit_logs", "workspace_auth_logs")
SCOPES = {
    ORGANIZATION: {"organization", "tenant"},
    WORKSPACE: {"workspace_audit", "workspace_auth"},
}


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(
        events=300, tenant_events=20, start="30d", end="now", workspace_events=300
    ) as process:
        yield process


class Target(NamedTuple):
    """A target, and what it holds."""

    name: str
    rows: Rows


@pytest.fixture
def target(request: pytest.FixtureRequest, meltano: MeltanoProject) -> Target:
    make: dict[str, Callable[[], Rows]] = {
        "target-postgres": lambda: in_postgres(meltano, request),
        "target-duckdb": lambda: in_duckdb(meltano),
        "target-jsonl": lambda: in_jsonl(meltano),
    }
    return Target(request.param, make[request.param]())


def in_postgres(meltano: MeltanoProject, request: pytest.FixtureRequest) -> Rows:
    postgres, schema = request.getfixturevalue("postgres"), f"targets_{uuid4().hex}"
    meltano.variables.update(postgres.environment)
    meltano.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = schema

    def rows(table: str, *columns: str) -> list[tuple[Any, ...]]:
        with postgres.connect(schema) as connection:
            query = f"SELECT {', '.join(columns)} FROM {table}"
            found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
            return found

    return rows


def in_duckdb(meltano: MeltanoProject) -> Rows:
    skip_without_duckdb()
    script = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    print(json.dumps(connection.sql(sys.argv[2]).fetchall()))
"""

    def rows(table: str, *columns: str) -> list[tuple[Any, ...]]:
        python = program_of("target-duckdb").with_name("python")
        file = meltano.directory / "sandbox.duckdb"
        place = f"sandbox.tap_openai_audit_sandbox.{table}"
        query = f"SELECT {', '.join(columns)} FROM {place}"
        command: list[str | Path] = [python, "-c", script, file, query]
        return [tuple(row) for row in json.loads(subprocess.check_output(command))]

    return rows


def in_jsonl(meltano: MeltanoProject) -> Rows:
    def rows(table: str, *columns: str) -> list[tuple[Any, ...]]:
        file = meltano.directory / "output" / "sandbox" / f"{table}.jsonl"
        # Not `splitlines`: a text may hold other ends of a line.
        lines = map(json.loads, filter(None, file.read_text("utf-8").split("\n")))
        return [tuple(line.get(column) for column in columns) for line in lines]

    return rows


def run(meltano: MeltanoProject, sandbox: SandboxProcess, tap: str, to: str) -> None:
    """Run a tap, which asks the hosts of its own API and no others."""
    sandbox.control.forget_requests()
    meltano("run", tap, to)
    asked = {request["host"] for request in sandbox.control.requests()["log"]}
    assert asked == HOSTS[tap]


def assert_each_event_once(sandbox: SandboxProcess, target: Target) -> None:
    """All events are in the tables once, and the ledgers count as many."""
    organization = [id_ for (id_,) in target.rows("audit_logs", "id")]
    assert sorted(organization) == sorted(e.id for e in sandbox.control.events())
    columns = ("scope", "organization_id", "workspace_id", "events_emitted")
    reports = target.rows("sync_reports", *columns)
    for scope, organization_id, workspace_id, _ in reports:
        mine = scope in SCOPES[WORKSPACE]
        assert (organization_id is None, workspace_id is None) == (mine, not mine)
    assert {scope for scope, *_ in reports} == set.union(*SCOPES.values())
    emitted = [int(n) for scope, *_, n in reports if scope in SCOPES[ORGANIZATION]]
    assert sum(emitted) == len(organization)
    files = [file for file in sandbox.control.workspace_files() if file.visible]
    workspace = [
        id_ for table in WORKSPACE_EVENTS for (id_,) in target.rows(table, "event_id")
    ]
    assert sorted(workspace) == sorted({id_ for file in files for id_ in file.events})
    ledger = target.rows("workspace_log_files", "events_emitted")
    assert sum(int(n) for (n,) in ledger) == len(workspace)


@pytest.mark.parametrize(
    ("target", "taps", "rounds"),
    [
        ("target-postgres", (ORGANIZATION, WORKSPACE), 2),
        ("target-postgres", (WORKSPACE, ORGANIZATION), 1),
        ("target-duckdb", (WORKSPACE, ORGANIZATION), 2),
        ("target-jsonl", (ORGANIZATION, WORKSPACE), 2),
    ],
    indirect=["target"],
)
def test_both_taps_load_every_event_once_into_the_same_tables(
    meltano: MeltanoProject,
    sandbox: SandboxProcess,
    target: Target,
    taps: Sequence[str],
    rounds: int,
) -> None:
    for number in range(rounds):
        if number:
            sandbox.control.add_events(5)
            sandbox.control.add_events(3, at=sandbox.control.now() - 1800)
            sandbox.control.add_events(2, scope="tenant")
            sandbox.control.add_workspace_file(7)
            sandbox.control.add_workspace_file(3, event_type="AUTH_LOG")
        for tap in taps:
            run(meltano, sandbox, tap, target.name)
        assert_each_event_once(sandbox, target)
        assert len(target.rows("sync_reports", "scope")) == 4 * (number + 1)
    # Each has a state of its own, which can be looked at as Meltano prints it.
    states = [f"sandbox:{tap}-to-{target.name}" for tap in taps]
    assert {*meltano("state", "list").out.split()} >= {*states}
    for tap, state_id in zip(taps, states, strict=True):
        state = meltano.directory / f"{tap}.json"
        state.write_text(meltano("state", "get", state_id).out)
        checked = meltano("invoke", tap, "--check", "--state", str(state)).out
        assert checked.endswith("A sync would work.\n")
        for scope in SCOPES[tap]:
            assert f"{scope}: " in checked
