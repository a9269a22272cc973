"""The connection to the warehouse that dbt builds in: PostgreSQL or DuckDB.

`snapshot` reads, and sees the database as of one moment. `transaction` writes, which
only the outbox of the alerts does. Errors of a driver are replaced: they may hold a
password.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg
from psycopg.rows import dict_row

from openai_audit_analyze.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

Row = dict[str, Any]

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 60
"""How long to wait for a DuckDB file that the loader, dbt or another run has open."""

_LOCKED = "IO Error: Could not set lock on file"
_LOCK_PAUSE_SECONDS = 0.1
_PARAMETER = re.compile(r"%\((\w+)\)s")
_MOST_FILES = 5
"""DuckDB files that a message names."""


class WarehouseFailed(Exception):
    """The database did not do what was asked. The text is one line for the operator."""


class Query(Protocol):
    """Run a statement and return its rows, each by the names of its columns."""

    def __call__(self, text: str, /, **parameters: object) -> list[Row]:
        """Run it. `%(name)s` stands for a parameter, and `%%` for a percent sign."""


@dataclass(frozen=True)
class Command:
    """How a command identifies itself to the database and reports errors.

    Attributes:
        program: The name of the session.
        docs: The page that says which privileges it needs.
        statement_seconds: How long a statement may take.
    """

    program: str
    docs: str
    statement_seconds: int


class Readable(Protocol):
    """A database that is read."""

    @property
    def place(self) -> str:
        """The database as a message calls it."""

    def snapshot(self) -> AbstractContextManager[Query]:
        """Give what runs queries that read the database as it is now.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """


class Warehouse(Readable, Protocol):
    """A database that is read and written."""

    @property
    def lock(self) -> str:
        """A query that waits until no other transaction holds this lock."""

    def transaction(self) -> AbstractContextManager[Query]:
        """Give what runs statements, all of which take effect, or none.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL database.

    Attributes:
        conninfo: How libpq connects. It holds the password.
        password: What no message may hold.
        command: Which command connects.
    """

    conninfo: str = field(repr=False)
    password: str = field(repr=False)
    command: Command
    lock: str = "select pg_advisory_xact_lock(hashtext('openai_audit__alerts'))"

    @property
    def place(self) -> str:
        """The database as a message calls it."""
        given = psycopg.conninfo.conninfo_to_dict(self.conninfo)
        name = safe(given.get("dbname", "of the role's name"), longest=80)
        return f"the PostgreSQL database {name}"

    @contextmanager
    def snapshot(self) -> Iterator[Query]:
        """Connect for one transaction that reads."""
        with self._connected(read_only=True) as query:
            yield query

    @contextmanager
    def transaction(self) -> Iterator[Query]:
        """Connect, and commit at the end: a run has few transactions, far apart."""
        with self._connected(read_only=False) as query:
            yield query

    @contextmanager
    def _connected(self, *, read_only: bool) -> Iterator[Query]:
        try:
            with psycopg.connect(
                self.conninfo,
                connect_timeout=_CONNECT_SECONDS,
                application_name=self.command.program,
                row_factory=dict_row,
            ) as connection:
                if read_only:
                    # All queries see the database as of the first one.
                    level = psycopg.IsolationLevel.REPEATABLE_READ
                    connection.isolation_level = level
                    connection.read_only = True
                # A role or a database may have other ones.
                connection.execute("set time zone 'UTC'")
                connection.execute("set datestyle = 'ISO'")
                seconds = self.command.statement_seconds
                connection.execute(f"set statement_timeout = '{seconds}s'")

                def query(text: str, /, **parameters: object) -> list[Row]:
                    cursor = connection.execute(text.encode(), parameters)
                    return cursor.fetchall() if cursor.description else []

                yield query
        except psycopg.Error as error:
            # Without the cause: a traceback would show the connection's settings.
            raise WarehouseFailed(
                f"PostgreSQL: {safe(error, self.password, longest=300)}:"
                f" {_advice(error, self.command)}"
            ) from None


@dataclass(frozen=True)
class DuckDb:
    """A DuckDB file. It is open for a transaction only: one process can write to it.

    Attributes:
        file: The file.
        command: Which command opens it.
    """

    file: Path
    command: Command
    lock: str = "select 1"
    """The open file is the lock."""

    @property
    def place(self) -> str:
        """The database as a message calls it."""
        return f"the DuckDB file {safe(self.file, longest=200)}"

    @contextmanager
    def snapshot(self) -> Iterator[Query]:
        """Open the file for one transaction that reads."""
        with self._connected(read_only=True) as query:
            yield query

    @contextmanager
    def transaction(self) -> Iterator[Query]:
        """Open the file, and commit at the end."""
        with self._connected(read_only=False) as query:
            yield query

    @contextmanager
    def _connected(self, *, read_only: bool) -> Iterator[Query]:
        try:
            with self._opened(read_only=read_only) as connection:
                connection.execute("set TimeZone = 'UTC'")
                connection.begin()

                def query(text: str, /, **parameters: object) -> list[Row]:
                    # It takes no parameter that the query does not name.
                    names = _PARAMETER.findall(text)
                    text = _PARAMETER.sub(r"$\1", text).replace("%%", "%")
                    cursor = connection.execute(text, {n: parameters[n] for n in names})
                    columns = [name for name, *_ in cursor.description or ()]
                    return [
                        dict(zip(columns, row, strict=True))
                        for row in cursor.fetchall()
                    ]

                yield query
                connection.commit()
        except duckdb.Error as error:
            raise WarehouseFailed(
                f"DuckDB: {safe(error, longest=300)}: {_advice(error, self.command)}"
            ) from None

    def _opened(self, *, read_only: bool) -> Any:  # noqa: ANN401 - has no types here
        advice = "load and build something first, or correct DBT_DUCKDB_FILE"
        name = safe(self.file, longest=200)
        try:
            # DuckDB would create a file that is not there, and hide a wrong path.
            size = self.file.stat().st_size
        except OSError as error:
            raise WarehouseFailed(
                f"DuckDB: there is no file {name} ({error.strerror}"
                f"{self._neighbours()}): {advice}"
            ) from None
        if not size:
            raise WarehouseFailed(f"DuckDB: the file {name} is empty: {advice}")
        until = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                return duckdb.connect(str(self.file), read_only=read_only)
            except duckdb.IOException as error:  # noqa: PERF203 - a handful of tries
                if not str(error).startswith(_LOCKED) or time.monotonic() > until:
                    raise
                time.sleep(_LOCK_PAUSE_SECONDS)

    def _neighbours(self) -> str:
        """Name the DuckDB files that stand where the file should."""
        try:
            names = sorted(path.name for path in self.file.parent.glob("*.duckdb"))
        except (OSError, ValueError):
            return ""
        if not names:
            return ""
        return f"; its folder has {listed(names, _MOST_FILES)}"


def listed(names: list[str], most: int) -> str:
    """Return names as a message lists them, and how many more there are."""
    shown = ", ".join(safe(name, longest=60) for name in names[:most])
    more = len(names) - most
    return f"{shown} and {more:,} more" if more > 0 else shown


def _advice(error: Exception, command: Command) -> str:
    """Return what an error of the database means, and its remedy."""
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"the role lacks a privilege: {command.docs} has the GRANTs it needs"
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
            "the models are not as expected: run `dbt:build` with this version of the"
            " dbt package, and check that DBT_SCHEMA names their schema"
        )
    return (
        "check that the database can be reached with the loader's settings, then run"
        " again"
    )
