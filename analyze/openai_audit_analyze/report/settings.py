"""The settings of the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openai_audit_analyze.report.period import BadPeriod, Period
from openai_audit_analyze.settings import BadSettings, schema, variables, warehouse
from openai_audit_analyze.warehouse import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openai_audit_analyze.warehouse import Readable

_PREFIX = "REPORT_"
_STATEMENT_SECONDS = 600
"""How long a query may take. The longest ones read all events of the period."""

COMMAND = Command("openai-audit-report", "docs/report.md", _STATEMENT_SECONDS)


@dataclass(frozen=True)
class Settings:
    """The settings of a build.

    Attributes:
        period: The days that the report covers.
        organization_id: The only organization that it covers. None: all.
        directory: Where its files are written.
        warehouse: The database with the models.
        schema: The schema that dbt builds them in.
    """

    period: Period
    organization_id: str | None
    directory: Path
    warehouse: Readable
    schema: str


def settings(environment: Mapping[str, str], now: datetime) -> Settings:
    """Read the settings.

    Args:
        environment: Variables.
        now: The time that `30d` counts back from, in UTC without a zone.

    Raises:
        BadSettings: One is invalid.
    """
    given = variables(environment, _PREFIX)
    try:
        period = Period.of(given.get("REPORT_PERIOD", "30d"), now)
    except BadPeriod as error:
        raise BadSettings(f"REPORT_PERIOD is invalid: {error}") from None
    return Settings(
        period=period,
        organization_id=given.get("REPORT_ORGANIZATION_ID"),
        directory=Path(given.get("REPORT_DIRECTORY", "output/report")),
        warehouse=warehouse(given, _PREFIX, COMMAND),
        schema=schema(given, _PREFIX),
    )
