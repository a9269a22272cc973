"""Models that a test fills by hand, and the report at work on them."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
import psycopg

from openai_audit_analyze.report.build import MANIFEST, build
from openai_audit_analyze.report.models import MODELS
from openai_audit_analyze.report.settings import settings
from sandbox.process import SandboxProcess
from testing.clock import recent
from testing.messages import extracted
from testing.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.demo.postgres import Database

Row = dict[str, Any]
ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 28, 21, 30)  # noqa: DTZ001 - UTC
EVENT: Row = {
    "event_id": "event-1",
    "occurred_at": "2026-11-20 12:00:00",
    "account_id": "org-1",
    "organization_id": "org-1",
    "source": "organization",
    "event_type": "project.created",
    "category": "projects",
    "outcome": "succeeded",
    "actor_kind": "user",
    "actor_id": "user-1",
    "actor_name": "Ada Lovelace",
    "actor_email": "ada@example.com",
    "ip_address": "203.0.113.7",
    "country": "GB",
    "sentence": "Ada Lovelace created the project “Search”",
}
FINDING: Row = {
    "finding_id": "finding-1",
    "rule": "owner_added",
    "title": "Owner added",
    "severity": "high",
    "organization_id": "org-1",
    "first_event_at": "2026-11-20 12:00:00",
    "last_event_at": "2026-11-20 12:00:00",
    "detected_at": "2026-11-20 12:05:00",
    "event_count": 1,
    "event_ids": '["event-1"]',
    "sentence": "Ada Lovelace changed the role of Grace Hopper to owner",
    "remediation": "Ask Ada",
}
DAY: Row = {
    "organization_id": "org-1",
    "source": "organization",
    "day": "2026-11-20 00:00:00",
    "verdict": "proven",
    "events_in_table": 1,
    "events_in_digest": 1,
}


@dataclass
class Stage:
    """A schema with the models, in one kind of database.

    Attributes:
        directory: Where the report is put.
        environment: What the report is given.
        schema: The schema.
        database: The server, if it is PostgreSQL.
    """

    directory: Path
    schema: str
    database: Database | None
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def made(cls, directory: Path, database: Database | None) -> Iterator[Stage]:
        """Make the models, without rows."""
        stage = cls(directory, f"answers_{uuid4().hex}", database)
        stage.environment = {
            "DBT_TARGET": "postgres" if database else "duckdb",
            "DBT_SCHEMA": stage.schema,
            "DBT_DUCKDB_FILE": str(stage.file),
            "REPORT_DIRECTORY": str(directory / "report"),
            **(database.environment if database else {}),
        }
        stage.execute(f"create schema {stage.schema}")
        for model, columns in MODELS.items():
            # As text, ids may be anything.
            kinds = {n: "text" if k == "json" else k for n, k in columns.items()}
            listed = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
            stage.execute(f"create table {stage.schema}.{model} ({listed})")
        yield stage
        if database:
            stage.execute(f"drop schema {stage.schema} cascade")

    @property
    def file(self) -> Path:
        """The file, if it is DuckDB."""
        return self.directory / "audit.duckdb"

    def add(self, model: str, *rows: Row) -> None:
        """Add rows to `openai_audit__` and the model's name."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        places = f"({', '.join(['%s'] * len(columns))})"
        self.execute(
            f"insert into {self.schema}.openai_audit__{model} ({', '.join(columns)})"
            f" values {', '.join([places] * len(rows))}",
            *(row.get(name) for row in rows for name in columns),
        )

    def drop(self, model: str) -> None:
        """Remove a model."""
        self.execute(f"drop table {self.schema}.openai_audit__{model}")

    def execute(self, statement: str, *parameters: object) -> None:
        """Run a statement."""
        if self.database:
            with psycopg.connect(self.database.conninfo) as connection:
                connection.execute(statement.encode(), parameters)
        else:
            with closing(duckdb.connect(str(self.file))) as connection:
                connection.execute(statement.replace("%s", "?"), parameters)

    def build(self, **variables: str) -> str:
        """Make the report as of `NOW`, and return the page."""
        place = build(settings(self.environment | variables, NOW))
        return place.read_text("utf-8")

    @property
    def manifest(self) -> Any:
        """What the manifest of the last report says."""
        return json.loads((self.directory / "report" / MANIFEST).read_text("utf-8"))


def told(kind: str, directory: Path, database: Database | None) -> Warehouse:
    """Return a warehouse with the demo's story, and with a workspace besides."""
    warehouse = Warehouse(kind, directory, database, "demo", directory / "demo.duckdb")
    options: dict[str, Any] = {"history": "story", "start": "30d", "end": "now"}
    options |= {"incident": "2h", "workspace_events": 300}
    with SandboxProcess(clock=recent(), **options) as sandbox:
        warehouse.load(extracted(sandbox, directory))
    warehouse.build()
    return warehouse


def built(warehouse: Warehouse, **variables: str) -> Path:
    """Make the report of a warehouse as of today, and return where it is."""
    given = dict(warehouse.database.environment) if warehouse.database else {}
    given |= {
        "DBT_TARGET": warehouse.kind,
        "DBT_SCHEMA": warehouse.answers,
        "DBT_DUCKDB_FILE": str(warehouse.file),
        "REPORT_DIRECTORY": str(warehouse.directory / "report"),
    }
    # As the warehouse has it.
    now = datetime.now(timezone.utc).replace(tzinfo=None)  # noqa: TID251
    return build(settings(given | variables, now))
