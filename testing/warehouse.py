"""A database with what a real target loaded, and dbt at work in it."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg

from testing.forks import dbt
from testing.meltano_project import program_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sandbox.demo.postgres import Database

PROJECT = Path(__file__).parents[1] / "transform"
DEADLINE = 900  # seconds; bounds a hang, and nothing else
MODELS = ("--resource-type=seed", "--resource-type=model")


def _selection(select: str) -> list[str]:
    return [f"--select={select}"] if select else []


@dataclass(frozen=True)
class Warehouse:
    """One kind of database. What a test puts there is in schemas of the test's own.

    Attributes:
        kind: dbt's name of it.
        directory: Where files are kept, dbt's among them.
        database: The server, if it is PostgreSQL.
        name: What the schemas are named after.
        file: The file, if it is DuckDB.
        deadline: For one command, in seconds.
        project: The directory of the dbt project.
    """

    kind: str
    directory: Path
    database: Database | None
    name: str
    file: Path
    deadline: float = DEADLINE
    project: Path = PROJECT

    @property
    def raw(self) -> str:
        """The schema with the tap's tables."""
        return f"{self.name}_raw"

    @property
    def answers(self) -> str:
        """The schema with the models."""
        return f"{self.name}_answers"

    def load(
        self, messages: Iterable[Mapping[str, Any]], *, metadata: bool = True
    ) -> None:
        """Load messages with the real target, as `meltano.yml` sets it up.

        Args:
            messages: What a tap wrote.
            metadata: Whether the target says of each row when it was loaded.
        """
        config: dict[str, Any] = {"default_target_schema": self.raw}
        environment: dict[str, str] = {}
        if self.database:
            environment = dict(self.database.environment)
            config |= {"load_method": "upsert", "use_copy": True}
            config |= {"sanitize_null_text_characters": True}
            config |= {"add_record_metadata": metadata, "activate_version": metadata}
        else:
            config |= {"filepath": str(self.file), "flush_all_streams": True}
            config |= {"add_metadata_columns": metadata}
        path = self.directory / "target.json"
        path.write_text(json.dumps(config))
        arguments = ["--config", str(path)]
        if self.database:
            arguments += ["--config", "ENV"]
        loaded = subprocess.run(
            [program_of(f"target-{self.kind}"), *arguments],
            input="".join(json.dumps(message) + "\n" for message in messages),
            env={**os.environ, **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=self.deadline,
            check=False,
        )
        assert loaded.returncode == 0, loaded.stderr[-4000:]

    def clear(self) -> None:
        """Remove all that a test has put there."""
        for schema in (self.raw, self.answers):
            self.execute(f"drop schema if exists {schema} cascade")

    def run(
        self, select: str = "", *, full_refresh: bool = False, **variables: object
    ) -> None:
        """Build models without dbt's tests: all, or those that are selected."""
        options = ["--full-refresh"] if full_refresh else []
        self.dbt("build", *MODELS, *_selection(select), *options, **variables)

    def build(self, select: str = "", **variables: object) -> None:
        """Build models as `run` does, and run dbt's data tests of them."""
        tests = "--exclude-resource-type=unit_test"
        self.dbt("build", tests, *_selection(select), **variables)

    def refused(self, **variables: object) -> str:
        """Build models, which the first refuses, and return the one line of why."""
        code, printed = self._dbt("--quiet", "build", *MODELS, **variables)
        assert code == 1
        blocks = printed.split("Compilation Error in model ")
        assert len(blocks) == 2, printed
        return blocks[1].splitlines()[1].strip()

    def compiled(self, query: str) -> str:
        """Return what dbt makes of a query with macros."""
        said = self.dbt("--quiet", "compile", "--inline", query, "--output", "json")
        text: str = json.loads(said)["compiled"]
        return text

    def dbt(self, *arguments: str, **variables: object) -> str:
        """Run a command of dbt, every warning an error, and return its output."""
        code, printed = self._dbt(*arguments, **variables)
        assert code is not None, f"dbt was stopped after {self.deadline} s"
        assert code == 0, printed[-8000:]
        return printed

    def _dbt(self, *arguments: str, **variables: object) -> tuple[int | None, str]:
        output = self.directory / f"dbt-{self.name}.txt"
        given = json.dumps(variables, sort_keys=True)
        anew = self.project != PROJECT  # a test wrote it, and may go on
        code = dbt(arguments, given, self.environment, output, self.deadline, anew=anew)
        return code, output.read_text("utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which dbt finds the warehouse."""
        place = self.directory / f"dbt-{self.name}"
        return {
            **(self.database.environment if self.database else {}),
            "DBT_PROJECT_DIR": str(self.project),
            "DBT_PROFILES_DIR": str(PROJECT),
            "DBT_TARGET_PATH": str(place / "target"),
            "DBT_LOG_PATH": str(place / "logs"),
            "DBT_TARGET": self.kind,
            "DBT_SCHEMA": self.answers,
            "DBT_SOURCE_SCHEMA": self.raw,
            "DBT_DUCKDB_FILE": str(self.file),
            "DO_NOT_TRACK": "1",
        }

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, in which `raw` and `answers` are the schemas."""
        query = query.format(raw=self.raw, answers=self.answers)
        if self.database:
            with psycopg.connect(self.database.conninfo) as connection:
                return connection.execute(query.encode()).fetchall()
        with closing(duckdb.connect(str(self.file))) as connection:
            found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
            return found

    def execute(self, *statements: str) -> None:
        """Run statements that return nothing."""
        for statement in statements:
            text = statement.format(raw=self.raw, answers=self.answers)
            if self.database:
                with psycopg.connect(self.database.conninfo) as connection:
                    connection.execute(text.encode())
            else:
                with closing(duckdb.connect(str(self.file))) as connection:
                    connection.execute(text)

    def texts(
        self, relation: str, where: str = "true", *, without: Sequence[str] = ()
    ) -> list[str]:
        """Return rows of a model as texts, sorted: those of two builds compare."""
        listed = self.rows(
            "select column_name from information_schema.columns"
            f" where table_schema = '{{answers}}' and table_name = '{relation}'"
        )
        columns = sorted(name for (name,) in listed if name not in without)
        found = self.rows(
            f"select {', '.join(columns)} from {{answers}}.{relation} where {where}"
        )
        return sorted(map(str, found))
