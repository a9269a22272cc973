"""The two databases that dbt builds in, read as they were at one moment."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import psycopg
from psycopg.rows import dict_row

from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    Row = dict[str, Any]
    Query = Callable[[str, Mapping[str, object]], list[Row]]
    """Runs a query with its parameters, `%(name)s` each, and returns its rows."""

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 600
"""How long a query may take. The longest ones read all events of the period."""

_LOCK_SECONDS = 60
"""How long to wait for a DuckDB file that the loader or dbt has open."""

_LOCKED = "IO Error: Could not set lock on file"
_LOCK_PAUSE_SECONDS = 0.1
_PARAMETER = re.compile(r"%\((\w+)\)s")


class WarehouseFailed(Exception):
    """The database did not do what was asked. The text is one line for the operator."""


class Warehouse(Protocol):
    """A database."""

    def snapshot(self) -> AbstractContextManager[Query]:
        """Give what runs queries, all of which see the database as it is now.

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

    @contextmanager
    def snapshot(self) -> Iterator[Query]:
        """Connect for one transaction that reads."""
        try:
            with psycopg.connect(
                self.conninfo,
                connect_timeout=_CONNECT_SECONDS,
                application_name="openai-audit-report",
                row_factory=dict_row,
            ) as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                # A time that has a zone is told in that of the session.
                connection.execute("set time zone 'UTC'")
                connection.execute(f"set statement_timeout = '{_STATEMENT_SECONDS}s'")

                def query(text: str, parameters: Mapping[str, object]) -> list[Row]:
                    return connection.execute(text.encode(), parameters).fetchall()

                yield query
        except psycopg.Error as error:
            # Without the cause: a traceback would show how the connection was made.
            raise WarehouseFailed(
                f"PostgreSQL: {redacted(error, self.password)}: {_ADVICE}"
            ) from None


@dataclass(frozen=True)
class DuckDb:
    """A DuckDB file. While a report reads it, no other program can write."""

    file: Path

    @contextmanager
    def snapshot(self) -> Iterator[Query]:
        """Open the file for one transaction that reads."""
        try:
            with self._opened() as connection:
                connection.execute("set TimeZone = 'UTC'")
                connection.begin()

                def query(text: str, parameters: Mapping[str, object]) -> list[Row]:
                    # It takes no parameter that the query does not name.
                    names = _PARAMETER.findall(text)
                    text = _PARAMETER.sub(r"$\1", text).replace("%%", "%")
                    cursor = connection.execute(text, {n: parameters[n] for n in names})
                    columns = [name for name, *_ in cursor.description]
                    return [
                        dict(zip(columns, row, strict=True))
                        for row in cursor.fetchall()
                    ]

                yield query
        except duckdb.Error as error:
            raise WarehouseFailed(f"DuckDB: {redacted(error)}: {_ADVICE}") from None

    def _opened(self) -> Any:  # noqa: ANN401 - the package may not be installed
        try:
            self.file.stat()
        except OSError as error:
            raise WarehouseFailed(
                f"DuckDB: there is no file {redacted(self.file)} ({error.strerror}):"
                " load and build something first, or correct DBT_DUCKDB_FILE"
            ) from None
        until = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                return duckdb.connect(str(self.file), read_only=True)
            except duckdb.IOException as error:  # noqa: PERF203 - a handful of tries
                if not str(error).startswith(_LOCKED) or time.monotonic() > until:
                    raise
                time.sleep(_LOCK_PAUSE_SECONDS)


_ADVICE = (
    "no report was made: see whether the database can be reached with the settings of"
    " the loader, and whether the role may read the models (docs/report.md)"
)
