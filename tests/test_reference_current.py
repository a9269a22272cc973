"""What the documented query says is there now, in tables that real targets loaded."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from tap_command import Outcome, TapCommand, catalog_of
from warehouses import Warehouse, duckdb_at, postgres_at, skip_without_duckdb

from sandbox.process import SandboxProcess
from testing.meltano_project import DEADLINE, ROOT, program_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.demo.postgres import Database

PAGE = (ROOT / "docs/streams.md").read_text(encoding="utf-8")
CURRENT = PAGE.partition("<!-- current -->\n```sql\n")[2].partition("```")[0]
STREAMS = ("users", "project_users", "sync_reports")
EVERY_RUN = {"reference_every_hours": 0, "max_retry_seconds": 0}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """A run that is complete, one more, and one to which a project refuses its list."""
    with SandboxProcess(events=10, tenant_events=1) as sandbox:
        tap = TapCommand(sandbox, tmp_path_factory.mktemp("tap"), EVERY_RUN)
        catalog = catalog_of(*STREAMS)
        whole = [tap.run(catalog=catalog) for _ in range(2)]
        project = whole[0].records("project_users")[0]["project_id"]
        path = f"/v1/organization/projects/{project}/users"
        sandbox.control.faults({"kind": "status", "status": 404, "path": path})
        refused = tap.run(catalog=catalog)
    assert [run.code for run in (*whole, refused)] == [0, 0, 1]
    return [*whole, refused]


@pytest.fixture(scope="module")
def gone(runs: list[Outcome]) -> str:
    """A user that the first run sees and the second does not."""
    user: str = runs[0].records("project_users")[0]["id"]
    return user


@pytest.fixture(scope="module")
def in_postgres(
    runs: list[Outcome], gone: str, postgres: Database, tmp_path_factory: Any
) -> Iterator[Warehouse]:
    schema = f"current_{uuid4().hex}"
    config = {
        "sqlalchemy_url": postgres.environment["TARGET_POSTGRES_SQLALCHEMY_URL"],
        "default_target_schema": schema,
    }
    load(runs, gone, "target-postgres", config, tmp_path_factory.mktemp("postgres"))
    with postgres_at(postgres, schema) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def in_duckdb(
    runs: list[Outcome], gone: str, tmp_path_factory: Any
) -> Iterator[Warehouse]:
    skip_without_duckdb()
    folder: Path = tmp_path_factory.mktemp("duckdb")
    file = folder / "current.duckdb"
    config = {"filepath": str(file), "default_target_schema": "tables"}
    load(runs, gone, "target-duckdb", config, folder)
    with duckdb_at(file) as warehouse:
        warehouse.execute("USE tables")
        yield warehouse


@pytest.fixture(params=["in_postgres", "in_duckdb"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    loaded: Warehouse = request.getfixturevalue(request.param)
    with loaded.rolled_back():
        yield loaded


def load(
    runs: list[Outcome], gone: str, target: str, config: dict[str, str], folder: Path
) -> None:
    """Load one run after the other; the user is gone from the second on.

    Reports tell seconds, in which these runs are not apart: here they are minutes.
    """
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    without = re.compile(rf'"RECORD".*"id": ?"{re.escape(gone)}"')
    for number, run in enumerate(runs):
        at = f'"started_at":"2026-11-25T08:0{number}:00+00:00"'
        out, told = re.subn(r'"started_at":"[^"]+"', at, run.out)
        assert told == len(run.records("sync_reports"))
        lines = out.splitlines(keepends=True)
        kept = [line for line in lines if number == 0 or not without.search(line)]
        done = subprocess.run(
            [program_of(target), "--config", file],
            check=False,
            capture_output=True,
            input="".join(kept).encode(),
            timeout=DEADLINE,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]


def current(warehouse: Warehouse, stream: str, *columns: str) -> set[tuple[str, ...]]:
    query = re.sub(r"\busers\b", stream, CURRENT)
    names = ", ".join(columns)
    rows = warehouse.execute(f"SELECT {names} FROM ({query.rstrip().rstrip(';')}) AS x")
    assert len({tuple(row) for row in rows}) == len(rows)
    return {tuple(row) for row in rows}


def test_who_was_removed_is_in_the_table_but_not_current(
    warehouse: Warehouse, runs: list[Outcome], gone: str
) -> None:
    every = {(user["id"],) for user in runs[0].records("users")}
    in_table = {tuple(row) for row in warehouse.execute("SELECT id FROM users")}
    assert in_table == every
    assert current(warehouse, "users", "id") == every - {(gone,)}


def test_what_an_incomplete_run_did_not_see_is_what_the_complete_one_saw(
    warehouse: Warehouse, runs: list[Outcome], gone: str
) -> None:
    columns = ("project_id", "id")
    every = {(r["project_id"], r["id"]) for r in runs[1].records("project_users")}
    assert len(runs[2].records("project_users")) < len(every)
    expected = {key for key in every if key[1] != gone}
    assert current(warehouse, "project_users", *columns) == expected


def test_without_a_complete_report_nobody_is_said_to_be_there(
    warehouse: Warehouse,
) -> None:
    warehouse.execute("DELETE FROM sync_reports WHERE scope = 'users' AND complete")
    assert current(warehouse, "users", "id") == set()


def test_another_organization_s_report_says_nothing_of_this_one(
    warehouse: Warehouse, gone: str
) -> None:
    before = current(warehouse, "users", "id")
    warehouse.execute(
        "INSERT INTO sync_reports (run_id, scope, organization_id, started_at,"
        " complete) VALUES ('other', 'users', 'org-other', '2100-01-01', true)"
    )
    assert current(warehouse, "users", "id") == before != set()
    assert (gone,) not in before
