"""The settings of the alerts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openai_audit_analyze.contract import SEVERITIES
from openai_audit_analyze.settings import BadSettings, schema, variables, warehouse
from openai_audit_analyze.warehouse import Command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openai_audit_analyze.warehouse import Warehouse

_PREFIX = "ALERTS_"
_STATEMENT_SECONDS = 60
"""How long a statement may take. Each reads or writes findings, not events."""

COMMAND = Command("openai-audit-alerts", "docs/alerts.md", _STATEMENT_SECONDS)

_DEFAULT_MINIMUM = "medium"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
"""It stands in the outbox and in messages, so a URL must not pass as one by mistake."""

_NUMBER = re.compile(r"[0-9]{1,9}")

LONGEST_RUN = 600
"""Seconds. The outbox relies on it: a claim that is older belongs to a dead run."""

_MOST_SINGLE = 1000
"""The most findings that one run may send as a message each."""


@dataclass(frozen=True)
class Receiver:
    """Where alerts are sent.

    Attributes:
        name: Its name in the outbox and in messages.
        url: Its address in Apprise's form: a secret.
        minimum_severity: It gets findings of this severity and above.
    """

    name: str
    url: str = field(repr=False)
    minimum_severity: str = _DEFAULT_MINIMUM


@dataclass(frozen=True)
class Settings:
    """The settings of a run.

    Attributes:
        receivers: Where alerts are sent.
        heartbeat_url: What is called when a run has succeeded: a secret.
        warehouse: The database with the findings.
        schema: The schema that dbt builds the findings in.
        outbox_schema: The schema of the outbox.
        digest_above: How many findings get a message each. More become one message.
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
        BadSettings: One is missing or invalid.
    """
    given = variables(environment, _PREFIX)
    answers = schema(given, _PREFIX)
    return Settings(
        receivers=_receivers(given.get("ALERTS_RECEIVERS", "{}")),
        heartbeat_url=_heartbeat_url(given.get("ALERTS_HEARTBEAT_URL")),
        warehouse=warehouse(given, _PREFIX, COMMAND),
        schema=answers,
        outbox_schema=given.get("ALERTS_SCHEMA", answers),
        digest_above=_number(given, "ALERTS_DIGEST_ABOVE", 10, _MOST_SINGLE),
        timeout_seconds=_number(given, "ALERTS_TIMEOUT_SECONDS", 120, LONGEST_RUN),
    )


def _heartbeat_url(url: str | None) -> str | None:
    try:
        parts = urlsplit(url or "https://none")
        is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_valid = is_valid and parts.port != 0
    except ValueError:
        # Its text repeats the URL.
        is_valid = False
    if not is_valid:
        raise BadSettings(
            "ALERTS_HEARTBEAT_URL is not a URL: it begins with https:// or http://, and"
            " a host follows"
        )
    return url


def _receivers(text: str) -> tuple[Receiver, ...]:
    try:
        found = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        # The error says where JSON ends, and repeats a part of a URL.
        found = None
    if not isinstance(found, dict):
        raise BadSettings(
            "ALERTS_RECEIVERS is not a JSON object of receivers by name, such as"
            ' {"on-call": {"url": "pagerduty://...", "minimum_severity": "high"}}'
        )
    return tuple(_receiver(name, value) for name, value in found.items())


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that is given twice, of which JSON would keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadSettings(
            "ALERTS_RECEIVERS has a name twice: give each receiver one of its own, with"
            " one url and at most one minimum_severity"
        )
    return found


def _receiver(name: str, value: Any) -> Receiver:  # noqa: ANN401 - JSON may be anything
    if not _NAME.fullmatch(name):
        raise BadSettings(
            "ALERTS_RECEIVERS has an invalid name: use up to 50 letters and digits,"
            " with . _ - between them"
        )
    if not isinstance(value, dict) or not isinstance(value.get("url"), str):
        raise BadSettings(f"ALERTS_RECEIVERS gives no url for {name}: add one")
    if value.keys() - {"url", "minimum_severity"}:
        # An unknown key may be a URL in the wrong place.
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


def _number(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, str(default))
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise BadSettings(f"{name} has to be a number from 1 to {most}")
    return int(text)
