"""What the operator sets, read from environment variables as Meltano gives them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import make_conninfo

from openai_audit_analyze.report.period import BadPeriod, Period
from openai_audit_analyze.report.warehouse import DuckDb, Postgres, Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_PREFIXES = ("DBT_", "REPORT_", "TARGET_DUCKDB_", "TARGET_POSTGRES_")


class BadSettings(Exception):
    """A setting makes no sense. The text is one line for the operator."""


@dataclass(frozen=True)
class Settings:
    """What a build is told by its operator.

    Attributes:
        period: The days that the report is about.
        organization_id: The organization that it is about; None: all there are.
        directory: Where its files are put.
        warehouse: The database with the models.
        schema: The schema that dbt builds them in.
    """

    period: Period
    organization_id: str | None
    directory: Path
    warehouse: Warehouse
    schema: str


def settings(environment: Mapping[str, str], now: datetime) -> Settings:
    """Read the settings.

    Args:
        environment: Variables.
        now: The time that `30d` counts back from, in UTC without a zone.

    Raises:
        BadSettings: One makes no sense.
    """
    # Meltano gives a variable to each setting, an empty one to what is not set.
    given = {
        name: value
        for name, value in environment.items()
        if value and name.startswith(_PREFIXES)
    }
    for name, value in given.items():
        # A byte of a variable that is no text arrives as half of a character.
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise BadSettings(f"{name} is not text in UTF-8: write it anew")
    try:
        period = Period.of(given.get("REPORT_PERIOD", "30d"), now)
    except BadPeriod as error:
        raise BadSettings(f"REPORT_PERIOD makes no sense: {error}") from None
    return Settings(
        period=period,
        organization_id=given.get("REPORT_ORGANIZATION_ID"),
        directory=Path(given.get("REPORT_DIRECTORY", "output/report")),
        warehouse=_warehouse(given),
        schema=_first(given, "DBT_SCHEMA", "REPORT_ANSWERS_SCHEMA") or "openai_audit",
    )


def _warehouse(given: Mapping[str, str]) -> Warehouse:
    """Return the database of `transform/profiles.yml`, by the same variables."""
    target = given.get("DBT_TARGET", "postgres")
    if target == "duckdb":
        names = ("TARGET_DUCKDB_FILEPATH", "DBT_DUCKDB_FILE", "REPORT_DUCKDB_FILE")
        return DuckDb(Path(_first(given, *names) or "audit_log.duckdb"))
    if target != "postgres":
        raise BadSettings("DBT_TARGET is neither postgres nor duckdb: set one of them")
    user, password = given.get("REPORT_USER"), given.get("REPORT_PASSWORD")
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
        if encrypted in {"true", "1", "yes", "on"}
        else None,
        "sslrootcert": given.get("TARGET_POSTGRES_SSL_CERTIFICATE_AUTHORITY"),
    }
    return Postgres(make_conninfo(**parameters), password or "")


def _first(given: Mapping[str, str], *names: str) -> str | None:
    return next((given[name] for name in names if name in given), None)
