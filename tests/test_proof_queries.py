"""The query of docs/proof.md says of each day what is to be said of it.

Here of small tables made by hand, each test in both databases. The tests of loaded
tables hold them to the columns and types that the targets make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from warehouses import STREAMS, Verdict, Warehouse, duckdb_at, postgres_at

from tap_openai_audit.audit_logs.cells import hash_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "by_hand"
DAY, NEXT, AFTER = "2026-01-15", "2026-01-16", "2026-01-17"
IDS = ("audit_log-1", "audit_log-2", "audit_log-3")
NOW = "now() AT TIME ZONE 'UTC'"
HOUR_AGO, TWO_DAYS_AGO = f"{NOW} - INTERVAL '1 hour'", f"{NOW} - INTERVAL '2 days'"


@pytest.fixture(scope="module", params=["PostgreSQL", "DuckDB"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A database with the tables of the tap, and nothing in them."""
    if request.param == "DuckDB":
        at = duckdb_at(":memory:")
    else:
        at = postgres_at(request.getfixturevalue("postgres"), SCHEMA)
    with at as found:
        if found.name == "PostgreSQL":
            found.execute(f"CREATE SCHEMA {SCHEMA}")
        for stream in STREAMS:
            columns = [" ".join(column) for column in found.columns_of(stream).items()]
            found.execute(f"CREATE TABLE {stream} ({', '.join(columns)})")
        yield found


class Sql(str):
    """A value that is an expression of SQL."""

    __slots__ = ()


def literal(value: object) -> str:
    if isinstance(value, str) and not isinstance(value, Sql):
        return f"'{value}'"
    return "NULL" if value is None else str(value)


@dataclass(frozen=True)
class Tables:
    """Tables to fill: what is not said is that of a day that is proven."""

    warehouse: Warehouse

    def insert(self, table: str, **values: object) -> None:
        literals = ", ".join(map(literal, values.values()))
        self.warehouse.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({literals})"
        )

    def events(self, *ids: str, at: str = f"{DAY} 12:00:00", **other: object) -> None:
        own = {"organization_id": "org-abc", "scope": "organization", **other}
        for id_ in ids:
            self.insert("audit_logs", id=id_, effective_at=at, **own)

    def digest(self, *ids: str, day: str = DAY, **other: object) -> None:
        values = {
            "organization_id": "org-abc",
            "scope": "organization",
            "chain_id": "chain",
            "day": day,
            "events": len(ids),
            "ids_checksum": sum(hash_of(id_) >> 32 for id_ in ids),
            "counted_from": day,
            "counted_to": {DAY: NEXT, NEXT: AFTER}[day],
            "exact": True,
            "run_id": "run-1",
            "updated_at": f"{AFTER} 00:01:00",
        }
        self.insert("audit_log_digests", **{**values, **other})

    def report(self, number: int, **other: object) -> None:
        values = {
            "organization_id": "org-abc",
            "scope": "organization",
            "chain_id": "chain",
            "run_id": f"run-{number}",
            "previous_run_id": f"run-{number - 1}" if number > 1 else None,
            "started_at": f"{AFTER} 00:0{number}:00",
            "bookmark": f"{AFTER} 00:00:00",
            "complete": True,
        }
        self.insert("sync_reports", **{**values, **other})

    def confirmed_runs(self, **other: object) -> None:
        self.report(1, **other)
        self.report(2, **other)

    def proven(self, day: str = DAY) -> None:
        self.events(*IDS, at=f"{day} 12:00:00")
        self.digest(*IDS, day=day)

    @property
    def verdicts(self) -> dict[str, str]:
        found = self.warehouse.verdicts()
        days = {row.day: row.verdict for row in found}
        assert len(days) == len(found)
        return days

    @property
    def row(self) -> Verdict:
        (row,) = self.warehouse.verdicts()
        return row

    @property
    def verdict(self) -> str:
        return self.row.verdict


@pytest.fixture
def tables(warehouse: Warehouse) -> Iterator[Tables]:
    with warehouse.rolled_back():
        yield Tables(warehouse)


def test_a_day_that_is_there_in_full_is_proven(tables: Tables) -> None:
    tables.proven()
    tables.confirmed_runs(reason="as good as it gets")
    assert tables.row._replace(updated_at=None) == Verdict(
        organization_id="org-abc",
        scope="organization",
        day=DAY,
        in_table=3,
        in_digest=3,
        verdict="proven",
        run_id="run-1",
        updated_at=None,
        last_run_id="run-2",
        reason="as good as it gets",
    )


def test_a_table_that_only_appends_is_counted_by_its_ids(tables: Tables) -> None:
    tables.digest(*IDS[:2], updated_at=f"{NEXT} 23:00:00", counted_to=NEXT)
    tables.proven()
    tables.events(*IDS)
    tables.confirmed_runs()
    tables.confirmed_runs()
    assert tables.verdict == "proven"


def test_of_digests_of_the_same_second_the_later_one_counts(tables: Tables) -> None:
    tables.digest(*IDS[:1])
    tables.digest(*IDS)
    tables.digest(*IDS[:2])
    tables.digest(*IDS, "audit_log-4", counted_to=f"{DAY} 13:00:00")
    tables.events(*IDS)
    tables.confirmed_runs()
    assert tables.verdict == "proven"


@pytest.mark.parametrize(
    ("there", "verdict"),
    [
        (IDS[1:], "missing"),
        ((), "missing"),
        ((*IDS[1:], "audit_log-X"), "missing"),
        ((*IDS, "audit_log-4"), "surplus"),
    ],
)
def test_what_differs_is_found_and_its_day_named(
    tables: Tables, there: tuple[str, ...], verdict: str
) -> None:
    tables.digest(*IDS)
    tables.events(*there)
    tables.proven(NEXT)
    tables.confirmed_runs()
    assert tables.verdicts == {DAY: verdict, NEXT: "proven"}


def test_rows_without_a_digest_are_unreported(tables: Tables) -> None:
    tables.events(*IDS)
    tables.proven(NEXT)
    tables.confirmed_runs()
    assert tables.verdicts == {DAY: "unreported", NEXT: "proven"}


@pytest.mark.parametrize("there", [IDS[1:], (*IDS, "audit_log-4")])
def test_what_no_later_run_began_from_is_pending_for_a_day(
    tables: Tables, there: tuple[str, ...]
) -> None:
    tables.digest(*IDS, updated_at=Sql(HOUR_AGO))
    tables.events(*there)
    tables.report(1)
    # Neither confirms it: the one is of another scope, the other of another chain.
    tables.report(2, scope="tenant")
    tables.report(2, chain_id="other")
    assert tables.verdict == "pending"


def test_what_nobody_confirmed_for_a_day_is_missing(tables: Tables) -> None:
    tables.digest(*IDS, updated_at=Sql(TWO_DAYS_AGO))
    tables.events(*IDS[1:])
    tables.report(1)
    assert tables.verdict == "missing"


def test_what_is_confirmed_is_missing_at_once(tables: Tables) -> None:
    tables.digest(*IDS, updated_at=Sql(HOUR_AGO))
    tables.events(*IDS[1:])
    tables.confirmed_runs()
    assert tables.verdict == "missing"


def test_what_agrees_need_not_be_confirmed(tables: Tables) -> None:
    tables.digest(*IDS, updated_at=Sql(HOUR_AGO))
    tables.events(*IDS)
    tables.report(1)
    assert tables.verdict == "proven"


@pytest.mark.parametrize(
    ("there", "verdict"),
    [
        ((*IDS[1:], "audit_log-X"), "inexact"),
        (IDS, "inexact"),
        (IDS[1:], "missing"),
        ((*IDS, "audit_log-4"), "surplus"),
    ],
)
def test_an_inexact_digest_proves_no_ids(
    tables: Tables, there: tuple[str, ...], verdict: str
) -> None:
    tables.digest(*IDS, exact=False)
    tables.events(*there)
    tables.confirmed_runs()
    assert tables.verdict == verdict


def test_days_that_the_last_run_did_not_reach_are_incomplete(tables: Tables) -> None:
    tables.proven()
    tables.proven(NEXT)
    tables.report(1)
    tables.report(2, complete=False, bookmark=f"{NEXT} 12:00:00", reason="refused")
    assert tables.verdicts == {DAY: "proven", NEXT: "incomplete"}
    assert {row.reason for row in tables.warehouse.verdicts()} == {"refused"}
    # A run that had nothing to read says nothing.
    tables.report(3, complete=None)
    assert tables.verdicts == {DAY: "proven", NEXT: "incomplete"}
    tables.report(4)
    assert tables.verdicts == {DAY: "proven", NEXT: "proven"}


@pytest.mark.parametrize("reports", [False, True])
def test_what_no_report_says_was_read_is_incomplete(
    tables: Tables, *, reports: bool
) -> None:
    tables.proven()
    tables.report(1, scope="tenant")
    tables.report(1, chain_id="other")
    if reports:
        tables.report(1, complete=False, bookmark=None)
    assert tables.verdict == "incomplete"


def test_a_failure_of_another_chain_or_scope_is_theirs(tables: Tables) -> None:
    tables.proven()
    tables.report(1)
    tables.report(2, complete=False, bookmark=None, scope="tenant")
    tables.report(2, complete=False, bookmark=None, chain_id="other")
    assert tables.verdict == "proven"


@pytest.mark.parametrize(
    ("start", "end", "verdict"),
    [
        (None, None, "set_aside"),
        (f"{DAY} 10:00:00", None, "set_aside"),
        (NEXT, None, "proven"),
        (None, DAY, "proven"),
    ],
)
@pytest.mark.parametrize("of", ["", "deep_"])
def test_days_read_with_events_that_were_set_aside_are_never_proven(
    tables: Tables, of: str, start: str | None, end: str | None, verdict: str
) -> None:
    tables.proven()
    window = {f"{of}window_start": start, f"{of}window_end": end}
    if of:
        # The incremental read began after the day.
        window |= {"window_start": AFTER, "deep_window_end": end or AFTER}
    tables.report(1, set_aside="audit_log-odd", **window)
    tables.report(2)
    assert tables.verdicts == {DAY: verdict}


def test_days_after_a_run_that_set_events_aside_are_proven(tables: Tables) -> None:
    tables.proven()
    tables.report(1, set_aside="audit_log-odd", started_at=f"{DAY} 00:00:00")
    tables.report(2)
    assert tables.verdicts == {DAY: "proven"}


@pytest.mark.parametrize(
    ("start", "end", "verdicts"),
    [
        (f"{DAY} 23:59:59", f"{NEXT} 00:00:00", ["incomplete", "proven"]),
        (f"{NEXT} 00:00:00", f"{NEXT} 09:00:00", ["proven", "incomplete"]),
        (None, f"{NEXT} 00:00:01", ["incomplete", "incomplete"]),
    ],
)
def test_days_of_a_deep_look_that_failed_are_incomplete(
    tables: Tables, start: str | None, end: str, verdicts: list[str]
) -> None:
    tables.proven()
    tables.proven(NEXT)
    window = {"deep_window_start": start, "deep_window_end": end}
    tables.report(1, deep_complete=False, **window)
    tables.report(2)
    assert tables.verdicts == dict(zip((DAY, NEXT), verdicts, strict=True))
    tables.report(3, deep_complete=True, **window)
    assert tables.verdicts == {DAY: "proven", NEXT: "proven"}


def test_a_chain_that_began_within_the_day_proves_only_its_part(
    tables: Tables,
) -> None:
    tables.events("audit_log-0", at=f"{DAY} 11:59:59")
    tables.events(*IDS)
    tables.digest(*IDS, counted_from=f"{DAY} 12:00:00")
    tables.confirmed_runs()
    assert (tables.verdict, tables.row.in_table) == ("partial", 3)


def test_a_day_that_is_not_over_is_partial(tables: Tables) -> None:
    tables.events(*IDS)
    tables.digest(*IDS, counted_to=f"{DAY} 23:59:59")
    tables.confirmed_runs()
    assert tables.verdict == "partial"


@pytest.fixture
def far_east(tables: Tables) -> Iterator[Tables]:
    """The tables as a session sees them that is 14 hours ahead of UTC."""
    tables.warehouse.execute("SET TimeZone = 'Pacific/Kiritimati'")
    yield tables
    tables.warehouse.execute("RESET TimeZone")


def test_days_are_those_of_utc_wherever_the_session_is(far_east: Tables) -> None:
    far_east.digest(*IDS)
    far_east.digest("audit_log-4", day=NEXT)
    far_east.events(IDS[0], at=f"{DAY} 00:00:00")
    far_east.events(*IDS[1:], at=f"{DAY} 23:59:59")
    far_east.events("audit_log-4", at=f"{NEXT} 00:00:00")
    far_east.confirmed_runs()
    assert far_east.verdicts == {DAY: "proven", NEXT: "proven"}


def test_pending_is_a_day_wherever_the_session_is(far_east: Tables) -> None:
    far_east.digest(*IDS, updated_at=Sql(f"{NOW} - INTERVAL '20 hours'"))
    far_east.report(1)
    assert far_east.verdict == "pending"


def test_organizations_and_scopes_are_counted_apart(tables: Tables) -> None:
    for number, (organization_id, scope) in enumerate(
        [("org-abc", "organization"), ("org-abc", "tenant"), ("org-xyz", "tenant")], 1
    ):
        own = {"organization_id": organization_id, "scope": scope}
        tables.events("audit_log-0", at=f"{DAY} 0{number}:00:00", **own)
        tables.events(*IDS[:number], at=f"{DAY} 0{number}:30:00", **own)
        chain = {"chain_id": f"chain-{number}", **own}
        began = f"{DAY} 0{number}:30:00"
        tables.digest(*IDS[:number], counted_from=began, **chain)
        tables.confirmed_runs(**chain)
    found = tables.warehouse.verdicts()
    assert [row.in_table for row in found] == [1, 2, 3]
    assert {row.verdict for row in found} == {"partial"}


def test_of_two_chains_the_one_that_wrote_last_counts(tables: Tables) -> None:
    tables.events(*IDS)
    tables.digest(*IDS[1:])
    tables.confirmed_runs()
    newer = {"run_id": "run-8", "chain_id": "newer"}
    tables.digest(*IDS, updated_at=f"{AFTER} 09:00:00", **newer)
    tables.report(9, chain_id="newer")
    assert (tables.verdict, tables.row.run_id) == ("proven", "run-8")


def test_rows_of_an_older_chain_are_surplus(tables: Tables) -> None:
    tables.events(*IDS)
    tables.digest(*IDS)
    tables.confirmed_runs()
    newer = {"run_id": "run-8", "chain_id": "newer"}
    tables.digest(*IDS[1:], updated_at=f"{AFTER} 09:00:00", **newer)
    tables.report(9, chain_id="newer")
    assert tables.verdict == "surplus"


@pytest.mark.parametrize(
    "column", ["ids_checksum", "exact", "counted_from", "counted_to"]
)
def test_a_digest_that_lacks_something_proves_nothing(
    tables: Tables, column: str
) -> None:
    tables.events(*IDS)
    nothing: dict[str, Any] = {column: None}
    tables.digest(*IDS, **nothing)
    tables.confirmed_runs()
    assert tables.verdict != "proven"
