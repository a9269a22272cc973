"""Measure the dbt package: a first build, and a run with 1,000 new events.

    .venv/transform/bin/python benchmarks/answers.py postgres 1000000

The events are copies of those that a sandbox made, with ids and times of their own,
spread over a year. What is printed is the wall time of `dbt run`, and of what dbt needs
to start (`dbt parse`).
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "transform")]

from integration_tests.messages import extracted  # noqa: E402 - found by the line above
from integration_tests.warehouse import Warehouse  # noqa: E402

from sandbox.demo.postgres import EmbeddedPostgres  # noqa: E402
from sandbox.process import SandboxProcess  # noqa: E402

if TYPE_CHECKING:
    from sandbox.demo.postgres import Database

SEEDED = 2_000
NEW = 1_000


def main() -> None:
    """Run the benchmark for a kind of warehouse and a number of events."""
    kind, events = sys.argv[1], int(sys.argv[2])
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database: Database | None = None
        if kind == "postgres":
            database = stack.enter_context(EmbeddedPostgres()).database
        warehouse = Warehouse(
            kind, directory, database, "bench", directory / "bench.duckdb"
        )
        options = {"events": SEEDED, "tenant_events": 0, "start": "60d", "end": "now"}
        with SandboxProcess(**options) as sandbox:
            warehouse.load(extracted(sandbox, directory))
        grow(warehouse, events)
        warehouse.dbt("seed")
        print(f"{kind}, {events:,} events")
        print(f"dbt's own start        {timed(warehouse, 'parse'):8.1f} s")
        print(
            f"first build            {timed(warehouse, 'run', '--full-refresh'):8.1f} s"
        )
        add(warehouse, "new", NEW)
        print(f"1,000 new events       {timed(warehouse, 'run'):8.1f} s")
        print(f"nothing new            {timed(warehouse, 'run'):8.1f} s")


def grow(warehouse: Warehouse, events: int) -> None:
    """Copy events until there are so many, evenly over the last year.

    Each was loaded a few minutes after it happened. An object, such as a key, lives in
    ten copies.
    """
    columns = "type, scope, organization_id, project, actor, extra"
    step = 365 * 86_400 // (events // SEEDED)
    numbers = f"generate_series(1, {events // SEEDED - 1}) as copies (n)"
    back = f"interval '1 second' * (n * {step})"
    object_id = "{id} || '-' || n / 10"
    if warehouse.database:
        object_id = object_id.format(id="(details ->> 'id')")
        details = (
            "case when details ? 'id' then details ||"
            f" jsonb_build_object('id', {object_id}) else details end"
        )
    else:
        object_id = object_id.format(id="(details ->> '$.id')").replace("/", "//")
        details = (
            "case when details ->> '$.id' is not null then json_merge_patch("
            f"details, json_object('id', {object_id})) else details end"
        )
    warehouse.execute(
        "update {raw}.audit_logs"
        " set _sdc_extracted_at = effective_at + interval '10 minutes'",
        "create table {raw}.originals as select * from {raw}.audit_logs",
        "insert into {raw}.audit_logs"
        f" (id, effective_at, _sdc_extracted_at, details, {columns})"
        f" select id || '-' || n, effective_at - {back}, _sdc_extracted_at - {back},"
        f" {details}, {columns} from {{raw}}.originals cross join {numbers}",
    )
    if warehouse.database:
        warehouse.execute("analyze {raw}.audit_logs")


def add(warehouse: Warehouse, name: str, events: int) -> None:
    """Add events of now, loaded now."""
    columns = "type, scope, organization_id, project, actor, details, extra"
    newest = "(select max(effective_at) from {raw}.audit_logs)"
    loaded = "(select max(_sdc_extracted_at) from {raw}.audit_logs)"
    warehouse.execute(
        f"insert into {{raw}}.audit_logs (id, effective_at, {columns},"
        f" _sdc_extracted_at) select id || '{name}', {newest}, {columns},"
        f" {loaded} + interval '1 minute' from {{raw}}.originals limit {events}"
    )


def timed(warehouse: Warehouse, *arguments: str) -> float:
    """Run dbt and return the seconds it took."""
    begin = time.monotonic()
    warehouse.dbt(*arguments)
    return time.monotonic() - begin


if __name__ == "__main__":
    main()
