"""What the operator sets, read from environment variables as Meltano gives them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from psycopg.conninfo import make_conninfo

from openai_audit_analyze.alerts.findings import SEVERITIES
from openai_audit_analyze.alerts.warehouse import DuckDb, Postgres, Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEFAULT_MINIMUM = "medium"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
"""Stands in the outbox and in messages, so it cannot be an address by mistake."""

_NUMBER = re.compile(r"[0-9]{1,9}")

LONGEST_RUN = 600
"""Seconds. The outbox relies on it: a claim that is older belongs to nobody alive."""

_MOST_SINGLE = 1000
"""Messages of their own that one run may send to a receiver. More help nobody."""


class BadSettings(Exception):
    """A setting is missing or makes no sense. The text never repeats an address."""


@dataclass(frozen=True)
class Receiver:
    """Who is told.

    Attributes:
        name: What the outbox and messages call it.
        url: Where it is, in the form of Apprise: a secret.
        minimum_severity: It is told of this and what is more severe.
    """

    name: str
    url: str = field(repr=False)
    minimum_severity: str = _DEFAULT_MINIMUM


@dataclass(frozen=True)
class Settings:
    """What a run is told by its operator.

    Attributes:
        receivers: Who is told.
        heartbeat_url: What is called when a run succeeded: a secret.
        warehouse: The database with the findings.
        schema: The schema that dbt builds the findings in.
        outbox_schema: The schema of the outbox.
        digest_above: How many findings get a message each; more become one.
        timeout_seconds: How long a run may take.
    """

    receivers: tuple[Receiver, ...]
    heartbeat_url: str | None = field(repr=False)
    warehouse: Warehouse
    schema: str
    outbox_schema: str
    digest_above: int
    timeout_seconds: int


def settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        BadSettings: One is missing or makes no sense.
    """
    # Meltano gives a variable to each setting, an empty one to what is not set.
    given = {name: value for name, value in environment.items() if value}
    schema = _first(given, "DBT_SCHEMA", "ALERTS_FINDINGS_SCHEMA") or "openai_audit"
    return Settings(
        receivers=_receivers(given.get("ALERTS_RECEIVERS", "{}")),
        heartbeat_url=_heartbeat_url(given.get("ALERTS_HEARTBEAT_URL")),
        warehouse=_warehouse(given),
        schema=schema,
        outbox_schema=given.get("ALERTS_SCHEMA", schema),
        digest_above=_number(given, "ALERTS_DIGEST_ABOVE", 10, _MOST_SINGLE),
        timeout_seconds=_number(given, "ALERTS_TIMEOUT_SECONDS", 120, LONGEST_RUN),
    )


def _heartbeat_url(url: str | None) -> str | None:
    try:
        parts = urlsplit(url or "https://none")
        understood = parts.scheme in {"http", "https"} and bool(parts.hostname)
        understood = understood and parts.port != 0
    except ValueError:
        # It repeats what it did not understand.
        understood = False
    if not understood:
        raise BadSettings(
            "ALERTS_HEARTBEAT_URL is no address: it begins with https:// or http://,"
            " and a host follows"
        )
    return url


def _receivers(text: str) -> tuple[Receiver, ...]:
    try:
        found = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        # Where JSON ends would be told by the error, and with it a piece of an address.
        found = None
    if not isinstance(found, dict):
        raise BadSettings(
            "ALERTS_RECEIVERS is no JSON object of receivers by name, such as"
            ' {"on-call": {"url": "pagerduty://...", "minimum_severity": "high"}}'
        )
    return tuple(_receiver(name, value) for name, value in found.items())


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that is given twice, of which JSON would keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadSettings(
            "ALERTS_RECEIVERS has a name twice: give each receiver one of its own, and"
            " no more than one url and minimum_severity"
        )
    return found


def _receiver(name: str, value: Any) -> Receiver:  # noqa: ANN401 - JSON may be anything
    if not _NAME.fullmatch(name):
        raise BadSettings(
            "ALERTS_RECEIVERS has a name that is none: up to 50 letters, digits, and"
            " . _ - between them"
        )
    if not isinstance(value, dict) or not isinstance(value.get("url"), str):
        raise BadSettings(f"ALERTS_RECEIVERS gives no url for {name}: add one")
    if value.keys() - {"url", "minimum_severity"}:
        # What more there is may be an address in the wrong place.
        raise BadSettings(
            f"ALERTS_RECEIVERS has more for {name} than url and minimum_severity:"
            " remove the rest"
        )
    minimum = value.get("minimum_severity", _DEFAULT_MINIMUM)
    if minimum not in SEVERITIES:
        raise BadSettings(
            f"ALERTS_RECEIVERS has a minimum_severity for {name} that is none of"
            f" {', '.join(SEVERITIES)}"
        )
    return Receiver(name, value["url"], minimum)


def _warehouse(given: Mapping[str, str]) -> Warehouse:
    """Return the database of `transform/profiles.yml`, by the same variables."""
    target = given.get("DBT_TARGET", "postgres")
    if target == "duckdb":
        names = ("TARGET_DUCKDB_FILEPATH", "DBT_DUCKDB_FILE", "ALERTS_DUCKDB_FILE")
        return DuckDb(Path(_first(given, *names) or "audit_log.duckdb"))
    if target != "postgres":
        raise BadSettings("DBT_TARGET is neither postgres nor duckdb: set one of them")
    user, password = given.get("ALERTS_USER"), given.get("ALERTS_PASSWORD")
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


def _number(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, str(default))
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise BadSettings(f"{name} has to be a number from 1 to {most}")
    return int(text)
