"""Which days a period has."""

from __future__ import annotations

from datetime import datetime

import pytest

from openai_audit_analyze.report.period import BadPeriod, Period
from tests.report.stage import NOW


@pytest.mark.parametrize(
    ("text", "first_day", "last_day", "unit"),
    [
        ("1d", "2026-11-28", "2026-11-28", "day"),
        ("30d", "2026-10-30", "2026-11-28", "day"),
        ("2026-11-01/2026-11-30", "2026-11-01", "2026-11-30", "day"),
        ("2026-01-01/2026-12-31", "2026-01-01", "2026-12-31", "week"),
        ("2024-01-01/2026-12-31", "2024-01-01", "2026-12-31", "month"),
    ],
)
def test_a_period_has_whole_days_up_to_the_last(
    text: str, first_day: str, last_day: str, unit: str
) -> None:
    period = Period.of(text, NOW)
    assert str(period.start) == f"{first_day} 00:00:00"
    assert str(period.last_day) == f"{last_day} 00:00:00"
    assert period.unit == unit
    spans = period.spans
    assert spans == sorted(set(spans))
    assert spans[0] == period.span_of(period.start)
    assert spans[-1] == period.span_of(period.last_day)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0d",
        "30",
        "30 d",
        "9999d",
        "2026-11-01",
        "2026-11-30/2026-11-01",
        "2026-02-01/2026-02-30",
        "0001-01-01/9999-12-31",
        "a/b/c",
        "3\N{ARABIC-INDIC DIGIT THREE}d",
        "2026-11-0\N{ARABIC-INDIC DIGIT ONE}/2026-11-30",
    ],
)
def test_what_is_no_period_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadPeriod, match="2026-11-01/2026-11-30"):
        Period.of(text, NOW)


def test_weeks_begin_on_monday_and_months_on_their_first_day() -> None:
    wednesday = datetime(2026, 11, 25)  # noqa: DTZ001 - UTC
    weekly = Period.of("2026-01-01/2026-12-31", NOW)
    monthly = Period.of("2024-01-01/2026-12-31", NOW)
    assert str(weekly.span_of(wednesday).date()) == "2026-11-23"
    assert str(monthly.span_of(wednesday).date()) == "2026-11-01"
