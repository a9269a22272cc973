"""The two databases that findings are kept in, as far as the outbox needs them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg

from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Execute = Callable[..., list[tuple[Any, ...]]]
    """Runs a statement with its parameters, `%s` each, and returns its rows."""

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 60
"""How long a statement may take. Each reads or writes findings, not events."""

_LOCK_SECONDS = 60
"""How long to wait for a DuckDB file that the loader, dbt or another run has open."""

_LOCK_PAUSE_SECONDS = 0.1


class WarehouseFailed(Exception):
    """The database did not do what was asked. The text is one line for the operator."""


class Warehouse(Protocol):
    """A database."""

    @property
    def alone(self) -> str:
        """A query that waits until no other transaction has run it, or all ended."""

    def transaction(self) -> AbstractContextManager[Execute]:
        """Give what executes statements, all of them taking effect or none.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL database.

    Attributes:
        conninfo: How libpq connects: holds the password.
        password: What no message may hold.
    """

    conninfo: str = field(repr=False)
    password: str = field(repr=False)
    alone: str = "select pg_advisory_xact_lock(hashtext('openai_audit__alerts'))"

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """Connect, and commit at the end: a run has few transactions, far apart."""
        try:
            with psycopg.connect(
                self.conninfo,
                connect_timeout=_CONNECT_SECONDS,
                application_name="openai-audit-alerts",
            ) as connection:
                connection.execute(f"set statement_timeout = '{_STATEMENT_SECONDS}s'")
                # A database or a role may have another, which findings' times took.
                connection.execute("set datestyle = 'ISO'")

                def execute(statement: str, *parameters: object) -> list[Any]:
                    cursor = connection.execute(statement.encode(), parameters)
                    return cursor.fetchall() if cursor.description else []

                yield execute
        except psycopg.Error as error:
            # Without the cause: a traceback would show how the connection was made.
            raise WarehouseFailed(
                f"PostgreSQL: {redacted(error, self.password)}: {_advice(error)}"
            ) from None


@dataclass(frozen=True)
class DuckDb:
    """A DuckDB file. It is open for a transaction only: one process can have it."""

    file: Path
    # The file is: one process can have it open.
    alone: str = "select 1"

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """Open the file, and commit at the end."""
        try:
            with self._opened() as connection:
                connection.begin()

                def execute(statement: str, *parameters: object) -> list[Any]:
                    statement = statement.replace("%s", "?")
                    rows: list[Any] = connection.execute(
                        statement, parameters
                    ).fetchall()
                    return rows

                yield execute
                connection.commit()
        except duckdb.Error as error:
            raise WarehouseFailed(
                f"DuckDB: {redacted(error)}: {_advice(error)}"
            ) from None

    def _opened(self) -> Any:  # noqa: ANN401 - the package may not be installed
        # Opening would make a file that is not there, and hide a wrong path.
        if not self.file.exists():
            raise WarehouseFailed(
                f"DuckDB: there is no file {redacted(self.file)}: load and build"
                " something first, or correct DBT_DUCKDB_FILE"
            )
        until = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                return duckdb.connect(str(self.file))
            except duckdb.IOException as error:  # noqa: PERF203 - a handful of tries
                if "lock" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(_LOCK_PAUSE_SECONDS)


def _advice(error: Exception) -> str:
    """Say what an error of the database means, and what to do."""
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "the role lacks a right: docs/alerts.md has the GRANTs it needs"
    if isinstance(
        error,
        (
            psycopg.errors.UndefinedTable,
            psycopg.errors.InvalidSchemaName,
            psycopg.errors.UndefinedColumn,
            duckdb.CatalogException,
            duckdb.BinderException,
        ),
    ):
        return (
            "the tables of findings are not as expected: run `dbt:build`, and see that"
            " DBT_SCHEMA names their schema"
        )
    return (
        "what was not marked as sent is sent by a later run: see whether the database"
        " can be reached with the settings of the loader"
    )
