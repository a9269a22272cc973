"""The two databases that the query of the proof is written for, and that query."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tap_openai_audit.audit_logs.digest_stream import AuditLogDigests
from tap_openai_audit.audit_logs.stream import AuditLogs
from tap_openai_audit.singer.sync_reports import SyncReports
from testing.meltano_project import ROOT, program_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.demo.postgres import Database

PROOF = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")

STREAMS = {
    AuditLogs.name: AuditLogs.schema,
    AuditLogDigests.name: AuditLogDigests.schema,
    SyncReports.name: SyncReports.schema,
}
"""The schemas of the streams that the query reads."""

_EXECUTE = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1]) as connection:
    for line in sys.stdin:
        rows = connection.execute(json.loads(line)).fetchall()
        print(json.dumps(rows, default=str), flush=True)
"""


class Verdict(NamedTuple):
    """What a row of the query says."""

    organization_id: str
    scope: str
    day: str
    in_table: int
    in_digest: int | None
    verdict: str
    run_id: str | None
    updated_at: str | None
    last_run_id: str | None
    reason: str


@dataclass(frozen=True)
class Warehouse:
    """A database that a target loads into."""

    name: str
    """As the documentation spells it."""
    types: dict[str, str]
    """By type and format in JSON Schema, as its target makes them."""
    execute: Callable[[str], list[Any]]

    def verdicts(self) -> list[Verdict]:
        """What the documented query says of the tables."""
        rows = self.execute(query_for(self.name))
        return [Verdict(*row)._replace(day=str(row[2])) for row in rows]

    def columns_of(self, stream: str) -> dict[str, str]:
        """Columns and their types, as the target makes them of a stream."""
        columns = {}
        for name, own in STREAMS[stream]["properties"].items():
            (kind,) = set(own["type"]) - {"null"}
            columns[name] = self.types[" ".join([kind, own.get("format", "")]).strip()]
        return columns

    @contextmanager
    def rolled_back(self) -> Iterator[None]:
        """Undo at the end what is done within."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.execute("ROLLBACK")


def query_for(database: str) -> str:
    """The query as the documentation has it for a database."""
    query = PROOF.partition("<!-- proof -->\n```sql\n")[2].partition("```")[0]
    table = PROOF.partition("<!-- checksums -->")[2].partition("<!-- /checksums -->")[0]
    (checksum,) = re.findall(rf"^\| {database} \| `(.+)` \|$", table, re.MULTILINE)
    line = rf"        {checksum} AS ids_checksum -- checksum".replace("\\|", "|")
    query, replaced = re.subn(
        r".* -- checksum$", lambda _: line, query, flags=re.MULTILINE
    )
    assert replaced == 1
    return query


@contextmanager
def postgres_at(database: Database, schema: str) -> Iterator[Warehouse]:
    """PostgreSQL, with the tables of one schema."""
    with database.connect(schema) as connection:

        def execute(sql: str) -> list[Any]:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

        types = {
            "string": "text",
            "string date-time": "timestamp without time zone",
            "integer": "bigint",
            "boolean": "boolean",
            "object": "jsonb",
        }
        yield Warehouse("PostgreSQL", types, execute)


def skip_without_duckdb() -> None:
    """Skip a test where there is no DuckDB that target-duckdb loads without loss."""
    if sys.version_info >= (3, 14):
        pytest.skip("no DuckDB that target-duckdb loads without loss: see meltano.yml")


@contextmanager
def duckdb_at(file: Path | str) -> Iterator[Warehouse]:
    """DuckDB, in the version that target-duckdb loads with."""
    skip_without_duckdb()
    python = program_of("target-duckdb").with_name("python")
    with subprocess.Popen(
        [python, "-c", _EXECUTE, file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def execute(sql: str) -> list[Any]:
            print(json.dumps(sql), file=stdin, flush=True)
            rows: list[Any] = json.loads(stdout.readline())
            return rows

        types = {
            "string": "VARCHAR",
            "string date-time": "TIMESTAMP",
            "integer": "HUGEINT",
            "boolean": "BOOLEAN",
            "object": "JSON",
        }
        yield Warehouse("DuckDB", types, execute)
