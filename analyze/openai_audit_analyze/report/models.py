"""The models that a report reads, and how it reads one that lacks something.

A model or a column may be missing, because dbt was not run yet, is of an older version,
or gave no right to read it. Then the report has less to tell, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from openai_audit_analyze.report.warehouse import WarehouseFailed
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_audit_analyze.report.period import Period
    from openai_audit_analyze.report.warehouse import Query

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

_ESSENTIAL: Mapping[str, frozenset[str]] = {
    "openai_audit__events": frozenset({"occurred_at", "event_type"}),
    "openai_audit__findings": frozenset({"detected_at"}),
    "openai_audit__access": frozenset({"access_kind"}),
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
        """The models that are not there, or may not be read, or lack what they need."""
        return [model for model in MODELS if not self.has(model)]

    @property
    def columns_missing(self) -> list[str]:
        """The columns that models lack which are there, each as `model.column`."""
        return [
            f"{model}.{column}"
            for model, there in self._there.items()
            for column in MODELS[model]
            if column not in there
        ]

    def has(self, model: str) -> bool:
        """Whether a model can be read, and answers anything."""
        there = self._there.get(model, set())
        return bool(there) and there >= _ESSENTIAL.get(model, frozenset())

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
        # PostgreSQL's list of columns that any privilege is on leaves out materialized
        # views, and names what may be written and not read. DuckDB knows these as well.
        rows: list[dict[str, Any]] = self.query(
            """
            select pg_class.relname as model, pg_attribute.attname as name
            from pg_catalog.pg_class
            inner join pg_catalog.pg_namespace
                on pg_class.relnamespace = pg_namespace.oid
            inner join pg_catalog.pg_attribute
                on pg_class.oid = pg_attribute.attrelid
            where
                pg_namespace.nspname = %(schema)s
                and pg_attribute.attnum > 0
                and not pg_attribute.attisdropped
                and has_schema_privilege(pg_namespace.oid, 'USAGE')
                and has_column_privilege(pg_class.oid, pg_attribute.attnum, 'SELECT')
            """,
            {"schema": self.schema},
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            if row["model"] in MODELS:
                found.setdefault(row["model"], set()).add(row["name"])
        if not found:
            raise WarehouseFailed(
                f"the schema {redacted(self.schema)} has no models: run"
                " `dbt:build`, see that DBT_SCHEMA names their schema,"
                " and that the role may read them (docs/report.md)"
            )
        return found

    def _relation(self, model: str) -> str:
        """Return what stands behind `from`: a model with all of its columns."""
        there = self._there.get(model, set()) if self.has(model) else set()
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
    value = f"cast({given} as {kind})"
    # When an event occurred is always compared with the period, by an index if it can.
    if kind == _TIME and name != "occurred_at":
        known = f"timestamp '{_FIRST_TIME}' and timestamp '{_LAST_TIME}'"
        return f"case when {value} between {known} then {value} end"
    unknown = _UNKNOWN.get(model, {}).get(name)
    return f"coalesce({value}, {unknown})" if unknown else value
