"""Which of dbt's models a schema has, and what to say where it has none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_audit_analyze.contract import MODELS
from openai_audit_analyze.text import safe
from openai_audit_analyze.warehouse import WarehouseFailed, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from openai_audit_analyze.warehouse import Command, Query, Readable

_MOST_NAMED = 5
"""Tables or schemas that a message names."""

# PostgreSQL's `information_schema` leaves out materialized views, and names what may be
# written but not read. DuckDB has these tables as well.
_COLUMNS = """
    select pg_class.relname as model, pg_attribute.attname as name
    from pg_catalog.pg_class
    inner join pg_catalog.pg_namespace on pg_class.relnamespace = pg_namespace.oid
    inner join pg_catalog.pg_attribute on pg_class.oid = pg_attribute.attrelid
    where
        pg_namespace.nspname = %(schema)s
        and pg_attribute.attnum > 0
        and not pg_attribute.attisdropped
        and has_schema_privilege(pg_namespace.oid, 'USAGE')
        and has_column_privilege(pg_class.oid, pg_attribute.attnum, 'SELECT')
"""
_SCHEMAS = (
    "select nspname as name from pg_catalog.pg_namespace where nspname = %(name)s"
)
# DuckDB lists views of its own in the schema `main`, by these names.
_RELATIONS = """
    select distinct pg_namespace.nspname as schema, pg_class.relname as name
    from pg_catalog.pg_class
    inner join pg_catalog.pg_namespace on pg_class.relnamespace = pg_namespace.oid
    where
        pg_class.relkind in ('r', 'v', 'm', 'p', 'f')
        and pg_namespace.nspname not in ('pg_catalog', 'information_schema')
        and pg_class.relname not like 'duckdb%%'
        and pg_class.relname not like 'pragma%%'
        and pg_class.relname not like 'sqlite%%'
    order by 1, 2
"""


@dataclass(frozen=True)
class Models:
    """The models of a schema that may be read.

    Attributes:
        where: The schema and its database as a message calls them.
        columns: The columns of each that may be read.
    """

    where: str
    columns: Mapping[str, frozenset[str]]

    def require(self, needed: Mapping[str, Collection[str]]) -> None:
        """Refuse a schema that lacks a model or one of these columns.

        Raises:
            WarehouseFailed: It lacks one.
        """
        lacking = [
            name
            for model, columns in needed.items()
            for name in (
                [model]
                if model not in self.columns
                else [f"{model}.{c}" for c in columns if c not in self.columns[model]]
            )
        ]
        if lacking:
            raise WarehouseFailed(
                f"{self.where} lacks {listed(lacking, _MOST_NAMED)}, or the role may"
                f" not read it; it has {listed(sorted(self.columns), len(MODELS))}: run"
                " `dbt:build` with this version of the dbt package"
            )


def found(warehouse: Readable, query: Query, schema: str, command: Command) -> Models:
    """Return the models of a schema.

    Raises:
        WarehouseFailed: It has none, or the role may read none.
    """
    columns: dict[str, set[str]] = {}
    for row in query(_COLUMNS, schema=schema):
        if row["model"] in MODELS:
            columns.setdefault(row["model"], set()).add(row["name"])
    if not columns:
        raise WarehouseFailed(_none(warehouse, query, schema, command))
    return Models(
        f"the schema {safe(schema, longest=80)} in {warehouse.place}",
        {model: frozenset(names) for model, names in columns.items()},
    )


def _none(warehouse: Readable, query: Query, schema: str, command: Command) -> str:
    """Say that a schema has none of the models, and what is there instead."""
    by_schema: dict[str, list[str]] = {}
    for row in query(_RELATIONS):
        by_schema.setdefault(row["schema"], []).append(row["name"])
    own = by_schema.pop(schema, [])
    name, place = safe(schema, longest=80), warehouse.place
    if any(relation in MODELS for relation in own):
        return (
            f"the role may read none of the models in the schema {name} of {place}:"
            f" {command.docs} has the GRANTs it needs"
        )
    if own:
        count = f"{len(own):,} {'relation' if len(own) == 1 else 'relations'}"
        what = (
            f"the schema {name} of {place} has none of dbt's models, but {count}:"
            f" {listed(own, _MOST_NAMED)}"
        )
    elif query(_SCHEMAS, name=schema):
        what = f"the schema {name} of {place} is empty"
    else:
        what = f"{place} has no schema {name}"
    others = [
        other
        for other, relations in by_schema.items()
        if any(relation in MODELS for relation in relations)
    ]
    if others:
        what += f"; dbt's models are in {listed(others, _MOST_NAMED)}"
    elif by_schema:
        what += f"; it has the schemas {listed(list(by_schema), _MOST_NAMED)}"
    return f"{what}: correct DBT_SCHEMA, or run `dbt:build` first"
