"""Without the models, one line names what was looked for, and what was found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest

if TYPE_CHECKING:
    from sandbox.demo.postgres import Database

ROOT = Path(__file__).parents[2]
COMMANDS = {"alerts": "send", "report": "build"}
RECEIVERS = json.dumps({"nowhere": {"url": "json://127.0.0.1:1"}})
FINDINGS = "create table {schema}.openai_audit__findings (finding_id text)"


@dataclass
class Place:
    """A database that holds nothing, and a command at work on it.

    Attributes:
        directory: Where the command runs.
        command: `alerts` or `report`.
        database: The server, if it is PostgreSQL.
        variables: What the command is given.
    """

    directory: Path
    command: str
    database: Database | None
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The file, if it is DuckDB."""
        return self.directory / "audit_log.duckdb"

    def execute(self, statement: str) -> None:
        """Run a statement."""
        if self.database:
            with psycopg.connect(self.database.conninfo) as connection:
                connection.execute(statement.encode())
        else:
            with closing(duckdb.connect(str(self.file))) as connection:
                connection.execute(statement)

    def schemas(self) -> list[str]:
        """Return the schemas that there are."""
        statement = "select schema_name from information_schema.schemata"
        if self.database:
            with psycopg.connect(self.database.conninfo) as connection:
                return [name for (name,) in connection.execute(statement)]
        with closing(duckdb.connect(str(self.file), read_only=True)) as connection:
            return [name for (name,) in connection.execute(statement).fetchall()]

    def line(self) -> str:
        """Run the command, which has to fail, and return the line that it writes."""
        own = self.database.environment if self.database else {}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                f"openai_audit_analyze.{self.command}",
                COMMANDS[self.command],
            ],
            cwd=self.directory,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "analyze"),
                "ALERTS_RECEIVERS": RECEIVERS,
                "DBT_TARGET": "postgres" if self.database else "duckdb",
                "DBT_DUCKDB_FILE": str(self.file),
                **own,
                **self.variables,
            },
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        return line


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    """Each command."""
    return str(request.param)


@pytest.fixture
def duckdb_place(command: str, tmp_path: Path) -> Place:
    """A DuckDB file that is not there yet."""
    return Place(tmp_path, command, None)


@pytest.fixture(
    params=[
        pytest.param(kind, marks=pytest.mark.xdist_group(kind))
        for kind in ("postgres", "duckdb")
    ]
)
def place(request: pytest.FixtureRequest, command: str, tmp_path: Path) -> Place:
    """A database of each kind that holds nothing."""
    if request.param == "duckdb":
        made = Place(tmp_path, command, None)
        made.execute("select 1")
        return made
    server: Database = request.getfixturevalue("postgres")
    name = f"empty_{os.urandom(6).hex()}"
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return Place(tmp_path, command, server.named(name))


def named(place: Place) -> str:
    if place.database is None:
        return f"the DuckDB file {place.file}"
    name = place.database.environment["TARGET_POSTGRES_DATABASE"]
    return f"the PostgreSQL database {name}"


def test_a_schema_that_does_not_exist_is_named_with_the_one_that_has_models(
    place: Place,
) -> None:
    place.execute("create schema openai_audit_dev")
    place.execute(FINDINGS.format(schema="openai_audit_dev"))
    place.variables["DBT_SCHEMA"] = "openai_audit_dve"
    assert place.line() == (
        f"{named(place)} has no schema openai_audit_dve; dbt's models are in"
        " openai_audit_dev: correct DBT_SCHEMA, or run `dbt:build` first"
    )
    assert "openai_audit_dve" not in place.schemas()


def test_an_empty_schema_is_called_empty(place: Place) -> None:
    place.execute("create schema openai_audit")
    assert place.line() == (
        f"the schema openai_audit of {named(place)} is empty: correct DBT_SCHEMA, or"
        " run `dbt:build` first"
    )


def test_a_schema_of_other_tables_is_named_with_them(place: Place) -> None:
    place.execute("create schema raw")
    for number in range(6):
        place.execute(f"create table raw.table_{number} (id text)")
    place.variables["DBT_SCHEMA"] = "raw"
    assert place.line() == (
        f"the schema raw of {named(place)} has none of dbt's models, but 6 relations:"
        " table_0, table_1, table_2, table_3, table_4 and 1 more: correct DBT_SCHEMA,"
        " or run `dbt:build` first"
    )


def test_a_database_without_the_schema_is_named_with_those_it_has(place: Place) -> None:
    place.execute("create schema raw")
    place.execute("create table raw.audit_logs (id text)")
    assert place.line() == (
        f"{named(place)} has no schema openai_audit; it has the schemas raw: correct"
        " DBT_SCHEMA, or run `dbt:build` first"
    )


def test_an_empty_database_has_no_schema(place: Place) -> None:
    assert place.line() == (
        f"{named(place)} has no schema openai_audit: correct DBT_SCHEMA, or run"
        " `dbt:build` first"
    )


def test_a_hostile_name_is_repeated_in_one_line(place: Place) -> None:
    place.variables["DBT_SCHEMA"] = "a\n\x1b[31mb"
    place.execute('create schema "x\ny"')
    place.execute('create table "x\ny".openai_audit__findings (finding_id text)')
    line = place.line()
    assert line.isprintable()
    assert "has no schema a �[31mb; dbt's models are in x y:" in line


@pytest.mark.parametrize("command", ["alerts"], indirect=True)
def test_alerts_name_what_a_schema_lacks(place: Place) -> None:
    place.execute("create schema openai_audit")
    place.execute("create table openai_audit.openai_audit__events (event_id text)")
    assert (
        f"the schema openai_audit in {named(place)} lacks openai_audit__findings,"
        " openai_audit__findings_now, or the role may not read it; it has"
        " openai_audit__events: run `dbt:build`"
    ) in place.line()


def test_a_role_that_may_read_nothing_is_told_the_page_with_the_grants(
    command: str, postgres: Database, tmp_path: Path
) -> None:
    role = f"nothing_{os.urandom(6).hex()}"
    place = Place(tmp_path, command, postgres)
    place.execute(f"create schema {role}")
    place.execute(FINDINGS.format(schema=role))
    place.execute(f"create role {role} login password 'made-up'")
    place.variables = {
        "DBT_SCHEMA": role,
        f"{command.upper()}_USER": role,
        f"{command.upper()}_PASSWORD": "made-up",
    }
    assert place.line() == (
        f"the role may read none of the models in the schema {role} of {named(place)}:"
        f" docs/{command}.md has the GRANTs it needs"
    )


def test_a_file_that_is_not_there_is_named_with_its_neighbours(
    duckdb_place: Place,
) -> None:
    (duckdb_place.directory / "audit_log_dev.duckdb").touch()
    line = duckdb_place.line()
    assert line.startswith(
        f"DuckDB: there is no file {duckdb_place.file} (No such file"
    )
    assert "; its folder has audit_log_dev.duckdb): load and build something" in line
    assert not duckdb_place.file.exists()


def test_an_empty_file_is_no_database(duckdb_place: Place) -> None:
    duckdb_place.file.touch()
    assert duckdb_place.line() == (
        f"DuckDB: the file {duckdb_place.file} is empty: load and build something"
        " first, or correct DBT_DUCKDB_FILE"
    )
    assert duckdb_place.file.stat().st_size == 0
