"""The models that a report reads, and how it reads one that lacks something.

A model or a column may be missing, because dbt was not run yet, is of an older version,
or gave no right to read it. Then the report leaves out what depends on it, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from openai_audit_analyze.contract import types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_audit_analyze.report.period import Period
    from openai_audit_analyze.warehouse import Query

Answer = TypeVar("Answer")

_TIME = "timestamp"

MODELS: Mapping[str, Mapping[str, str]] = {
    model: types(model, *columns)
    for model, columns in {
        "openai_audit__events": (
            "event_id",
            "occurred_at",
            "account_id",
            "organization_id",
            "workspace_id",
            "source",
            "event_type",
            "category",
            "outcome",
            "actor_kind",
            "actor_id",
            "actor_name",
            "actor_email",
            "api_key_id",
            "api_key_name",
            "ip_address",
            "country",
            "city",
            "sentence",
        ),
        "openai_audit__findings": (
            "finding_id",
            "rule",
            "title",
            "severity",
            "organization_id",
            "workspace_id",
            "first_event_at",
            "last_event_at",
            "detected_at",
            "event_count",
            "event_ids",
            "sentence",
            "remediation",
            "mitre",
            "suppressed_reason",
        ),
        "openai_audit__findings_now": (
            "finding_id",
            "holds",
            "suppressed_reason",
        ),
        "openai_audit__rules": (
            "rule",
            "description",
            "false_positives",
            "is_enabled",
        ),
        "openai_audit__access": (
            "organization_id",
            "access_kind",
            "principal_id",
            "principal_name",
            "principal_email",
            "role",
            "project_name",
            "since",
            "granted_at",
            "granted_by",
            "last_seen_at",
            "owner_id",
            "owner_name",
            "owner_is_gone",
            "listed_at",
        ),
        "openai_audit__listings": (
            "organization_id",
            "stream",
            "objects",
            "listed_at",
            "is_complete",
            "reason",
        ),
        "openai_audit__coverage": (
            "organization_id",
            "workspace_id",
            "source",
            "day",
            "file_id",
            "verdict",
            "events_in_table",
            "events_in_digest",
            "reason",
            "runs",
            "runs_incomplete",
            "longest_gap_seconds",
            "chains_begun_anew",
            "events_late",
            "greatest_lateness_seconds",
        ),
    }.items()
}
"""The columns that a report reads, with their types."""

_ESSENTIAL: Mapping[str, frozenset[str]] = {
    "openai_audit__events": frozenset({"occurred_at", "event_type"}),
    "openai_audit__findings": frozenset({"detected_at"}),
    "openai_audit__access": frozenset({"access_kind"}),
    "openai_audit__listings": frozenset({"stream", "objects", "listed_at"}),
    "openai_audit__coverage": frozenset({"source", "day", "verdict"}),
}
"""Columns without which a model answers nothing, or wrongly: it counts as missing."""

_UNKNOWN: Mapping[str, Mapping[str, str]] = {
    "openai_audit__events": {
        "event_type": "'unknown'",
        "category": "'unknown'",
        "source": "'unknown'",
    },
    "openai_audit__findings": {
        "rule": "'unknown'",
        "severity": "'unknown'",
        "event_count": "0",
    },
    "openai_audit__access": {"access_kind": "'unknown'"},
    "openai_audit__coverage": {"source": "'unknown'"},
}
"""What stands for a value that is not there, in columns that always have one."""

_FIRST_TIME, _LAST_TIME = "0001-01-01", "9999-12-30"
"""What Python can hold. A database knows later times, and `infinity`."""


@dataclass(frozen=True)
class Answers:
    """What is asked of the models, all at one moment.

    Attributes:
        query: Runs a query.
        schema: The schema of the models.
        found: The columns of each model that may be read.
        period: The days that the report is about.
        organization_id: The organization that it is about; None: all there are.
    """

    query: Query
    schema: str
    found: Mapping[str, frozenset[str]]
    period: Period
    organization_id: str | None

    def rows(
        self, kind: type[Answer], question: str, **parameters: object
    ) -> list[Answer]:
        """Return the answers to a question, one for each row.

        Args:
            kind: A dataclass with a field for each column.
            question: SQL, in which `{events}` stands for the model of that name, and
                `{start}`, `{end}` and `{unit}` for those of the period.
            parameters: What `%(name)s` stands for.
        """
        parameters |= {
            "organization_id": self.organization_id,
            "start": self.period.start,
            "end": self.period.end,
        }
        rows = self.query(question.format_map(self._words), **parameters)
        return [kind(**row) for row in rows]

    def one(self, kind: type[Answer], question: str, **parameters: object) -> Answer:
        """Return the answer to a question that has one row."""
        (answer,) = self.rows(kind, question, **parameters)
        return answer

    @property
    def missing(self) -> list[str]:
        """The models that are not there, or may not be read, or lack what they need."""
        return [model for model in MODELS if not self.has(model)]

    @property
    def columns_missing(self) -> list[str]:
        """The columns that models lack which are there, each as `model.column`."""
        return [
            f"{model}.{column}"
            for model, columns in MODELS.items()
            for column in columns
            if model in self.found and column not in self.found[model]
        ]

    def has(self, model: str) -> bool:
        """Whether a model can be read, and answers anything."""
        there = self.found.get(model, frozenset())
        return bool(there) and there >= _ESSENTIAL.get(model, frozenset())

    @cached_property
    def _words(self) -> dict[str, str]:
        return {
            **{model.rpartition("__")[2]: self._relation(model) for model in MODELS},
            "start": "cast(%(start)s as timestamp)",
            "end": "cast(%(end)s as timestamp)",
            "unit": self.period.unit,
        }

    def _relation(self, model: str) -> str:
        """Return what stands behind `from`: a model with all of its columns."""
        there = self.found[model] if self.has(model) else frozenset()
        columns = ", ".join(
            f"{_column(model, name, name if name in there else 'null')} as {name}"
            for name in MODELS[model]
        )
        alias = model.rpartition("__")[2]
        if not there:
            return f"(select {columns} where false) as {alias}"
        schema = self.schema.replace('"', '""')
        chosen = ""
        if self.organization_id and "organization_id" in MODELS[model]:
            chosen = " where organization_id = %(organization_id)s"
        return f'(select {columns} from "{schema}".{model}{chosen}) as {alias}'


def _column(model: str, name: str, given: str) -> str:
    """Return a column as the report reads it, whatever the model holds."""
    kind = MODELS[model][name]
    kind = "text" if kind == "json" else kind
    value = f"cast({given} as {kind})"
    # When an event occurred is always compared with the period, by an index if it can.
    if kind == _TIME and name != "occurred_at":
        known = f"timestamp '{_FIRST_TIME}' and timestamp '{_LAST_TIME}'"
        return f"case when {value} between {known} then {value} end"
    unknown = _UNKNOWN.get(model, {}).get(name)
    return f"coalesce({value}, {unknown})" if unknown else value
