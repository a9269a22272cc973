"""What the package reads is what dbt promises: `make generate` writes the contract."""

from __future__ import annotations

from openai_audit_analyze import contract
from openai_audit_analyze.alerts.outbox import _NEEDED
from openai_audit_analyze.report import completeness, models

NO_PART = {"by_file", "empty"}
"""Verdicts of days that are no part of what the report counts."""


def test_the_report_ranks_each_verdict_of_dbt() -> None:
    assert set(completeness.VERDICTS) | NO_PART == contract.VERDICTS


def test_the_report_and_the_alerts_read_columns_of_the_contract() -> None:
    read = [*_NEEDED.items(), *models.MODELS.items()]
    assert [
        (model, column)
        for model, columns in read
        for column in columns
        if column not in contract.MODELS[model]
    ] == []


def test_an_unknown_severity_is_as_severe_as_any() -> None:
    assert contract.rank("unheard-of") == contract.rank("critical") == 0
    assert contract.below("high") == ["medium", "low", "info"]
