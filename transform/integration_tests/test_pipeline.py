"""From the real tap through the real targets to answers, in two runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.process import SandboxProcess
from testing.clock import recent
from testing.hostile import hostile_events
from testing.messages import extracted, records
from testing.warehouse import PROJECT

if TYPE_CHECKING:
    from testing.messages import Message
    from testing.warehouse import Warehouse

TABLES = tuple(
    f"int_openai_audit__{name}"
    for name in ("events", "sightings", "counted_days", "counted_files")
)
ANSWERS = tuple(
    f"openai_audit__{name}" for name in ("events", "names", "access", "coverage")
)


@dataclass(frozen=True)
class Runs:
    """What two runs of the tap wrote."""

    first: list[Message]
    second: list[Message]

    @property
    def ids(self) -> set[str]:
        """The ids of all events."""
        messages = [*self.first, *self.second]
        return {
            event[key]
            for stream, key in {
                "audit_logs": "id",
                "workspace_audit_logs": "event_id",
                "workspace_auth_logs": "event_id",
            }.items()
            for event in records(messages, stream)
        }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Hostile events among ordinary ones, then new ones and late ones."""
    directory = tmp_path_factory.mktemp("tap")
    options: dict[str, Any] = {
        "events": 400,
        "tenant_events": 100,
        "workspace_events": 300,
    }
    options |= {"start": "9d", "end": "now", "clock": recent()}
    with SandboxProcess(**options) as sandbox:
        sandbox.control.add_events(raw=hostile_events(sandbox.control.now()))
        first = extracted(sandbox, directory)
        sandbox.control.add_events(20)
        sandbox.control.add_events(5, at=sandbox.control.now() - 1800)
        sandbox.control.add_events(3, scope="tenant")
        sandbox.control.add_workspace_file(7)
        second = extracted(sandbox, directory)
    return Runs(first, second)


@pytest.fixture(scope="module")
def built(warehouse: Warehouse, runs: Runs) -> Warehouse:
    """All models and all tests of dbt, after the first run."""
    warehouse.clear()
    warehouse.load(runs.first)
    warehouse.dbt("build")
    return warehouse


@pytest.fixture(scope="module")
def built_twice(built: Warehouse, runs: Runs) -> Warehouse:
    """The same after the second run, which adds to what is there."""
    built.load(runs.second)
    built.build()
    return built


def test_every_event_is_there_once_and_in_one_line(
    built_twice: Warehouse, runs: Runs
) -> None:
    rows = built_twice.rows(
        "select event_id, sentence from {answers}.openai_audit__events"
    )
    assert sorted(event_id for event_id, _ in rows) == sorted(runs.ids)
    assert [s for _, s in rows if not s or not s.isprintable()] == []


def test_everybody_who_is_listed_is_called_by_name(built_twice: Warehouse) -> None:
    rows = built_twice.rows(
        "select events.sentence, users.name"
        " from {answers}.openai_audit__events as events"
        " inner join {raw}.users as users on events.actor_id = users.id"
        " where events.workspace_id is null"
    )
    assert len(rows) > 100
    assert [row for row in rows if row[1] not in row[0]] == []


@pytest.mark.parametrize("page", ["answers", "detections"])
def test_the_queries_of_the_docs_run(built_twice: Warehouse, page: str) -> None:
    text = (PROJECT.parent / f"docs/{page}.md").read_text("utf-8")
    queries = re.findall(r"```sql\n(SELECT.*?);\n```", text, re.DOTALL)
    assert queries
    for query in queries:
        built_twice.rows(
            re.sub(r"(FROM|JOIN) (openai_audit__)", r"\1 {answers}.\2", query)
        )


def test_an_incremental_run_equals_a_full_refresh(built_twice: Warehouse) -> None:
    def contents() -> dict[str, list[str]]:
        relations = (*TABLES, *ANSWERS)
        return {
            name: built_twice.texts(name, without=["added_at", "batch", "counted_at"])
            for name in relations
        }

    select = " ".join(f"+{name}" for name in (*TABLES, *ANSWERS))
    incremental = contents()
    assert all(incremental.values())
    # A run without news changes nothing either.
    built_twice.run(select)
    assert contents() == incremental
    built_twice.run(select, full_refresh=True)
    assert contents() == incremental


def test_each_day_is_proven_and_a_row_that_was_deleted_is_found(
    built_twice: Warehouse,
) -> None:
    query = (
        "select day, verdict from {answers}.openai_audit__coverage"
        " where source = 'organization' and events_in_table > 0 order by day"
    )
    verdicts = dict(built_twice.rows(query))
    # The log of the sandbox begins within a day, and today is not over.
    (first, *over, today) = sorted(verdicts)
    assert verdicts[first] == verdicts[today] == "partial"
    assert {verdicts[day] for day in over} == {"proven"}
    day = over[3]
    built_twice.execute(
        "delete from {raw}.audit_logs where id = (select min(id) from {raw}.audit_logs"
        f" where scope = 'organization' and effective_at >= '{day}'"
        f" and effective_at < timestamp '{day}' + interval '1 day')",
        # As if it had been counted two days ago.
        "update {answers}.int_openai_audit__counted_days"
        " set counted_at = counted_at - interval '2 days'",
    )
    built_twice.run("+openai_audit__coverage")
    assert dict(built_twice.rows(query)) == {**verdicts, day: "missing"}


def test_no_index_is_created_on_the_raw_tables_unless_asked_for(
    built_twice: Warehouse,
) -> None:
    if built_twice.database:
        query = "select indexname from pg_indexes where schemaname = '{raw}'"
        assert not [name for (name,) in built_twice.rows(query) if "_by_" in name]


def test_dbt_says_how_long_ago_the_last_run_was(built_twice: Warehouse) -> None:
    assert "PASS freshness" in built_twice.dbt("source", "freshness")


def test_each_file_of_a_workspace_is_proven(built_twice: Warehouse) -> None:
    query = "select verdict from {answers}.openai_audit__coverage where file_id <> ''"
    assert set(built_twice.rows(query)) == {("proven",)}
