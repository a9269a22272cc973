"""The settings that commands share, from variables as Meltano sets them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from psycopg.conninfo import make_conninfo

from openai_audit_analyze.warehouse import DuckDb, Postgres

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_audit_analyze.warehouse import Command, Warehouse

_SHARED = ("DBT_", "TARGET_DUCKDB_", "TARGET_POSTGRES_")
_TRUE = ("true", "1", "yes", "on")

_LOADERS_DUCKDB = "1.2."
"""target-duckdb works with this version and cannot open files that DuckDB 2 wrote."""


class BadSettings(Exception):
    """A setting is missing or invalid. The text is one line, without secrets."""


def variables(environment: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return the variables of dbt, the loaders and the command that have a value.

    Args:
        environment: All variables.
        prefix: What the command's own ones begin with, such as `ALERTS_`.

    Raises:
        BadSettings: One is not text.
    """
    # Meltano gives a variable to each setting, an empty one to what is not set.
    given = {
        name: value
        for name, value in environment.items()
        if value and name.startswith((*_SHARED, prefix))
    }
    for name, value in given.items():
        # A byte of a variable that is not text arrives as half of a character.
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise BadSettings(f"{name} is not text in UTF-8: set it again")
    return given


def schema(given: Mapping[str, str], prefix: str) -> str:
    """Return the schema that dbt builds its models in."""
    names = ("DBT_SCHEMA", f"{prefix}ANSWERS_SCHEMA")
    return _first(given, *names) or "openai_audit"


def warehouse(given: Mapping[str, str], prefix: str, command: Command) -> Warehouse:
    """Return the database of `transform/profiles.yml`, by the same variables.

    Raises:
        BadSettings: `DBT_TARGET` is unknown, or DuckDB is not the loader's version.
    """
    target = given.get("DBT_TARGET", "postgres")
    if target == "duckdb":
        version: str = duckdb.__version__
        if not version.startswith(_LOADERS_DUCKDB):
            raise BadSettings(
                f"DBT_TARGET=duckdb: this is DuckDB {version}, and target-duckdb cannot"
                " open files that it writes: use Python 3.10 to 3.13 for Meltano and"
                " install this plugin again, or set DBT_TARGET=postgres"
            )
        names = ("TARGET_DUCKDB_FILEPATH", "DBT_DUCKDB_FILE", f"{prefix}DUCKDB_FILE")
        return DuckDb(Path(_first(given, *names) or "audit_log.duckdb"), command)
    if target != "postgres":
        raise BadSettings("DBT_TARGET is neither postgres nor duckdb: set one of them")
    user, password = given.get(f"{prefix}USER"), given.get(f"{prefix}PASSWORD")
    if user is None:
        user = given.get("TARGET_POSTGRES_USER")
        password = given.get("TARGET_POSTGRES_PASSWORD")
    encrypted = given.get("TARGET_POSTGRES_SSL_ENABLE", "").lower()
    parameters: dict[str, Any] = {
        "host": given.get("TARGET_POSTGRES_HOST"),
        "port": given.get("TARGET_POSTGRES_PORT"),
        "user": user,
        "password": password,
        "dbname": given.get("TARGET_POSTGRES_DATABASE"),
        "sslmode": given.get("TARGET_POSTGRES_SSL_MODE", "verify-full")
        if encrypted in _TRUE
        else None,
        "sslrootcert": given.get("TARGET_POSTGRES_SSL_CERTIFICATE_AUTHORITY"),
    }
    return Postgres(make_conninfo(**parameters), password or "", command)


def _first(given: Mapping[str, str], *names: str) -> str | None:
    return next((given[name] for name in names if name in given), None)
