"""The models that a report reads, and how it reads one that lacks something.

A model or a column may be missing, because dbt was not run yet, is of an older version,
or gave no right to read it. Then the report has less to tell, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from openai_audit_report.warehouse import WarehouseFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_audit_report.period import Period
    from openai_audit_report.warehouse import Query

Answer = TypeVar("Answer")

_TEXT, _TIME, _NUMBER, _TRUTH = "text", "timestamp", "bigint", "boolean"

MODELS: Mapping[str, Mapping[str, str]] = {
    "openai_audit__events": {
        "event_id": _TEXT,
        "occurred_at": _TIME,
        "account_id": _TEXT,
        "organization_id": _TEXT,
        "workspace_id": _TEXT,
        "source": _TEXT,
        "event_type": _TEXT,
        "category": _TEXT,
        "outcome": _TEXT,
        "actor_kind": _TEXT,
        "actor_id": _TEXT,
        "actor_name": _TEXT,
        "actor_email": _TEXT,
        "api_key_id": _TEXT,
        "api_key_name": _TEXT,
        "ip_address": _TEXT,
        "country": _TEXT,
        "city": _TEXT,
        "sentence": _TEXT,
    },
    "openai_audit__findings": {
        "finding_id": _TEXT,
        "rule": _TEXT,
        "title": _TEXT,
        "severity": _TEXT,
        "organization_id": _TEXT,
        "workspace_id": _TEXT,
        "first_event_at": _TIME,
        "last_event_at": _TIME,
        "detected_at": _TIME,
        "event_count": _NUMBER,
        "event_ids": _TEXT,
        "sentence": _TEXT,
        "what_to_do": _TEXT,
        "mitre": _TEXT,
        "suppressed_reason": _TEXT,
    },
    "openai_audit__findings_now": {
        "finding_id": _TEXT,
        "holds": _TRUTH,
        "suppressed_reason": _TEXT,
    },
    "openai_audit__rules": {
        "rule": _TEXT,
        "meaning": _TEXT,
        "false_positives": _TEXT,
        "is_enabled": _TRUTH,
    },
    "openai_audit__access": {
        "organization_id": _TEXT,
        "access_kind": _TEXT,
        "principal_id": _TEXT,
        "principal_name": _TEXT,
        "principal_email": _TEXT,
        "role": _TEXT,
        "project_name": _TEXT,
        "since": _TIME,
        "granted_at": _TIME,
        "granted_by": _TEXT,
        "last_seen_at": _TIME,
        "owner_id": _TEXT,
        "owner_name": _TEXT,
        "owner_is_gone": _TRUTH,
        "listed_at": _TIME,
    },
    "openai_audit__coverage": {
        "organization_id": _TEXT,
        "workspace_id": _TEXT,
        "source": _TEXT,
        "day": _TIME,
        "file_id": _TEXT,
        "verdict": _TEXT,
        "events_in_table": _NUMBER,
        "events_in_digest": _NUMBER,
        "reason": _TEXT,
        "runs": _NUMBER,
        "runs_incomplete": _NUMBER,
        "longest_gap_seconds": _NUMBER,
        "chains_begun_anew": _NUMBER,
        "events_late": _NUMBER,
        "greatest_lateness_seconds": _NUMBER,
    },
}
"""Columns and their types, as far as a report reads them."""


@dataclass(frozen=True)
class Answers:
    """What is asked of the models, all at one moment.

    Attributes:
        query: Runs a query.
        schema: The schema of the models.
        period: The days that the report is about.
        organization_id: The organization that it is about; None: all there are.
    """

    query: Query
    schema: str
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
        found = self.query(question.format_map(self._words), parameters)
        return [kind(**row) for row in found]

    def one(self, kind: type[Answer], question: str, **parameters: object) -> Answer:
        """Return the answer to a question that has one row."""
        (answer,) = self.rows(kind, question, **parameters)
        return answer

    @property
    def missing(self) -> list[str]:
        """The models that are not there, or may not be read."""
        return [model for model in MODELS if model not in self._there]

    @cached_property
    def _words(self) -> dict[str, str]:
        return {
            **{model.rpartition("__")[2]: self._relation(model) for model in MODELS},
            "start": "cast(%(start)s as timestamp)",
            "end": "cast(%(end)s as timestamp)",
            "unit": self.period.unit,
        }

    @cached_property
    def _there(self) -> dict[str, set[str]]:
        """The columns of each model that may be read.

        Raises:
            WarehouseFailed: There is no model at all.
        """
        rows: list[dict[str, Any]] = self.query(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = %(schema)s",
            {"schema": self.schema},
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            if row["table_name"] in MODELS:
                found.setdefault(row["table_name"], set()).add(row["column_name"])
        if not found:
            raise WarehouseFailed(
                f"the schema {self.schema} has no models: run `dbt:build`, see that"
                " DBT_SCHEMA names their schema, and that the role may read them"
                " (docs/report.md)"
            )
        return found

    def _relation(self, model: str) -> str:
        """Return what stands behind `from`: a model with all of its columns."""
        there = self._there.get(model, set())
        columns = ", ".join(
            f"cast({name if name in there else 'null'} as {kind}) as {name}"
            for name, kind in MODELS[model].items()
        )
        alias = model.rpartition("__")[2]
        if not there:
            return f"(select {columns} where false) as {alias}"
        schema = self.schema.replace('"', '""')
        chosen = ""
        if self.organization_id and "organization_id" in MODELS[model]:
            chosen = " where organization_id = %(organization_id)s"
        return f'(select {columns} from "{schema}".{model}{chosen}) as {alias}'
