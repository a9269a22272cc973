"""A warehouse with findings, as dbt builds them, and the sender at work in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg

from openai_audit_analyze.alerts.__main__ import send

if TYPE_CHECKING:
    from sandbox.demo.postgres import Database

ROOT = Path(__file__).parents[3]

# The columns of the two models, in dbt's order.
FINDINGS = """
create table {schema}.openai_audit__findings (
    finding_id text, rule text, title text, severity text, organization_id text,
    workspace_id text, entity text, window_start timestamp, first_event_at timestamp,
    last_event_at timestamp, detected_at timestamp, event_count bigint,
    event_ids {json}, actor_kind text, actor_id text, actor_name text,
    actor_email text, object_kind text, object_id text, object_name text,
    ip_address text, sentence text, remediation text, mitre text, suppressed_reason text
)
"""
FINDINGS_NOW = """
create table {schema}.openai_audit__findings_now (
    finding_id text, rule text, severity text, organization_id text, workspace_id text,
    entity text, window_start timestamp, holds boolean, suppressed_reason text
)
"""


@dataclass
class Stage:
    """A schema with findings, in one kind of database.

    Attributes:
        kind: dbt's name of the database.
        schema: The schema.
        file: The file, if it is DuckDB.
        database: The server, if it is PostgreSQL.
        receivers: Who is told, as the setting has it.
        variables: Further settings.
    """

    kind: str
    schema: str
    file: Path
    database: Database | None
    receivers: dict[str, dict[str, str]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the tables."""
        json_type = "jsonb" if self.database else "json"
        self.execute(
            "create schema {schema}",
            FINDINGS.replace("{json}", json_type),
            FINDINGS_NOW,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the sender is given."""
        return {
            "DBT_TARGET": self.kind,
            "DBT_SCHEMA": self.schema,
            "DBT_DUCKDB_FILE": str(self.file),
            "ALERTS_RECEIVERS": json.dumps(self.receivers),
            **(self.database.environment if self.database else {}),
            **self.variables,
        }

    def send(self) -> bool:
        """Run the sender in this process, and return whether all succeeded."""
        return send(self.environment)

    def start(self) -> subprocess.Popen[str]:
        """Start the sender as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "openai_audit_analyze.alerts", "send"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "analyze"))),
                **self.environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def find(
        self,
        *finding_ids: str,
        severity: str = "high",
        sentence: str = "Ada Lovelace changed the role of Grace Hopper to owner",
        suppressed_reason: str | None = None,
        suppressed_today: str | None = None,
        organization_id: str = "org-1",
    ) -> None:
        """Add findings, as a run of dbt does."""
        ids = "from (select unnest(%s::text[]) as finding_id) as found"
        self.execute(
            "insert into {schema}.openai_audit__findings (finding_id, rule, title,"
            " severity, first_event_at, last_event_at, detected_at, event_count,"
            " event_ids, sentence, remediation, suppressed_reason, organization_id)"
            " select finding_id,"
            " 'owner_added', 'Owner added', %s, '2026-03-01 10:00:00',"
            " '2026-03-01 10:05:00', '2026-03-01 10:10:00', 2,"
            f""" '["audit_log-1", "audit_log-2"]', %s, 'Ask Ada', %s, %s {ids}""",
            parameters=(
                severity,
                sentence,
                suppressed_reason,
                organization_id,
                list(finding_ids),
            ),
        )
        self.execute(
            "insert into {schema}.openai_audit__findings_now (finding_id, holds,"
            f" suppressed_reason) select finding_id, true, %s {ids}",
            parameters=(suppressed_today, list(finding_ids)),
        )

    def age_claims(self) -> None:
        """Let all claims be older than any lease."""
        self.execute(
            "update {schema}.openai_audit__alerts"
            " set claimed_at = claimed_at - interval '1 day'"
        )

    def outbox(self, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Return columns of the outbox, without the introductions, by finding."""
        return self.execute(
            f"select {columns} from {{schema}}.openai_audit__alerts where {where}"
            " and finding_id not like 'introduction:%%' order by receiver, finding_id"
        )

    def execute(
        self, *statements: str, parameters: tuple[object, ...] = ()
    ) -> list[tuple[Any, ...]]:
        """Run statements and return the rows of the last."""
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            text = statement.replace("{schema}", self.schema)
            if self.database:
                with psycopg.connect(self.database.conninfo) as connection:
                    cursor = connection.execute(text.encode(), parameters)
                    rows = cursor.fetchall() if cursor.description else []
            else:
                text = text.replace("%s", "?").replace("%%", "%")
                with closing(duckdb.connect(str(self.file))) as connection:
                    rows = connection.execute(text, parameters).fetchall()
        return rows
