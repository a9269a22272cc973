"""A database with what a real target loaded, and dbt at work in it."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
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
        if self.database:
            for schema in (self.raw, self.answers):
                self.execute(f"drop schema if exists {schema} cascade")
        else:
            self.file.unlink(missing_ok=True)

    def run(self, *, full_refresh: bool = False, **variables: object) -> None:
        """Build all models, without dbt's tests."""
        options = ["--full-refresh"] if full_refresh else []
        kinds = ["--resource-type=seed", "--resource-type=model"]
        self.dbt("build", *kinds, *options, **variables)

    def build(self, **variables: object) -> None:
        """Build all models and run dbt's data tests."""
        self.dbt("build", "--exclude-resource-type=unit_test", **variables)

    def refused(self, **variables: object) -> str:
        """Build all models, which fails, and return the one line that says why."""
        kinds = ["--resource-type=seed", "--resource-type=model"]
        code, printed = self._dbt("--quiet", "build", *kinds, **variables)
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
        # What dbt writes about a run, nobody reads here.
        options = ["--warn-error", "--no-use-colors", "--no-write-json"]
        given = json.dumps(variables, sort_keys=True)
        # dbt parses all anew where variables are others than the last time.
        parsed = sha256(f"{self.project} {given}".encode()).hexdigest()[:12]
        target = Path(self.environment["DBT_TARGET_PATH"], parsed)
        code = dbt(
            [*options, *arguments, f"--vars={given}"],
            {**self.environment, "DBT_TARGET_PATH": str(target)},
            output,
            self.deadline,
        )
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

    def texts(self, relation: str, *, without: Sequence[str] = ()) -> list[str]:
        """Return the rows of a model as texts, sorted: those of two builds compare."""
        listed = self.rows(
            "select column_name from information_schema.columns"
            f" where table_schema = '{{answers}}' and table_name = '{relation}'"
        )
        columns = sorted(name for (name,) in listed if name not in without)
        found = self.rows(f"select {', '.join(columns)} from {{answers}}.{relation}")
        return sorted(map(str, found))
