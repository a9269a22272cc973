"""What a warehouse holds differs, and none of it is an error or has to be set.

Streams may not be selected, columns be those of an older tap, organizations be several.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from integration_tests.conftest import in_duckdb
from integration_tests.steps import before_each_run
from testing.messages import EVENTS, event, events, stream_of

if TYPE_CHECKING:
    from integration_tests.steps import Steps
    from testing.messages import Message
    from testing.warehouse import Warehouse

WORKSPACE = {
    "event_id": str,
    "timestamp": datetime,
    "action": str,
    "action_result": str,
    "actor": dict,
    "request_metadata": dict,
    "action_data": dict,
    "workspace_id": str,
    "file_id": str,
    "file_end_time": datetime,
}
FILES = {
    "workspace_id": str,
    "file_id": str,
    "event_type": str,
    "file_end_time": datetime,
    "events_emitted": int,
    "ids_checksum": int,
}


REPORTS = {
    "run_id": str,
    "scope": str,
    "organization_id": str,
    "workspace_id": str,
    "chain_id": str,
    "previous_run_id": str,
    "started_at": datetime,
    "finished_at": datetime,
    "complete": bool,
}
ADA_HERSELF = {"id": "user-1", "email": "ada@example.com"}


def sentences(warehouse: Warehouse, account_id: str) -> dict[str, str]:
    query = "select event_id, sentence from {answers}.openai_audit__events"
    return dict(warehouse.rows(f"{query} where account_id = '{account_id}'"))


def places(*warehouses: Warehouse) -> list[dict[str, str]]:
    return [{"schema": warehouse.raw} for warehouse in warehouses]


def test_a_schema_without_a_table_of_the_tap_stops_dbt_in_one_line(
    own: Warehouse,
) -> None:
    other = replace(own, name="other")
    other.clear()
    other.load(events(event("a")))
    told, _, schemas = own.refused().partition(": tables with such names are in ")
    assert told.startswith(f"The schema {own.raw} of the database ")
    assert told.endswith(" has no table of the tap")
    assert other.raw in schemas
    # Also where it is one of several.
    line = own.refused(openai_audit_sources=places(own, other))
    assert line.startswith(f"The schema {own.raw} of the database ")


def test_a_table_without_a_column_that_answers_need_stops_dbt_in_one_line(
    own: Warehouse,
) -> None:
    def refused_without(column: str, **instead: type) -> str:
        columns = {name: kind for name, kind in EVENTS.items() if name != column}
        own.clear()
        own.load(stream_of("audit_logs", ["id"], {**columns, **instead}, [event("a")]))
        line = own.refused()
        assert f"The table {own.raw}.audit_logs has no column {column}, " in line
        return line

    line = refused_without("details", details__id=str)
    assert "it has details__id, so flattening_enabled is set" in line
    line = refused_without("actor")
    assert "the selection or a stream map leaves it out" in line


@in_duckdb
def test_a_setting_that_is_misspelt_stops_dbt_in_one_line(own: Warehouse) -> None:
    own.load(events(event("a")))
    line = own.refused(openai_audit_rules={"stale_ky": {"days": 1}})
    assert line.startswith("openai_audit_rules.stale_ky is no rule: ")


def test_without_times_of_loading_a_run_takes_what_may_have_appeared_late(
    own: Warehouse,
) -> None:
    def added(**moments: str) -> set[str]:
        # The organization of an event is called by the length of the event's id.
        rows = (
            event(id_, effective_at=at, organization_id=f"org-{len(id_)}")
            for id_, at in moments.items()
        )
        own.load(events(*rows), metadata=False)
        own.run("+int_openai_audit__events")
        found = own.rows("select event_id from {answers}.int_openai_audit__events")
        return {event_id for (event_id,) in found}

    added(day="2026-11-01T00:00:00Z", first="2026-11-01T00:00:00Z")
    late_or_new = {"eve", "new", "me", "they", "newcomer"}
    assert {"day", "first", *late_or_new} == added(
        eve="2026-10-26T00:00:00Z",
        old="2026-10-20T00:00:00Z",
        new="2026-11-02T00:00:00Z",
        # Of organizations before, between and after the known ones.
        **dict.fromkeys(("me", "they", "newcomer"), "2026-01-01T00:00:00Z"),
    )


def test_an_event_that_stands_twice_in_the_table_is_one(own: Warehouse) -> None:
    own.load(events(event("a"), event("b")))
    again = "insert into {raw}.audit_logs select * from {raw}.audit_logs"
    own.execute(
        # Without its primary key, as of a target that only appends.
        "create table {raw}.copied as select * from {raw}.audit_logs",
        "drop table {raw}.audit_logs",
        "alter table {raw}.copied rename to audit_logs",
        again,
    )
    select = "+openai_audit__events +int_openai_audit__counted_days"
    own.run(select)
    own.execute(again)
    own.build(select)
    listed = own.rows("select event_id from {answers}.openai_audit__events")
    assert sorted(listed) == [("a",), ("b",)]
    counted = own.rows("select events from {answers}.int_openai_audit__counted_days")
    assert counted == [(2,)]


NIGHT = {"id": "group-1", "data": {"group_name": "Night"}}
LATER = {"effective_at": "2026-11-02T00:00:00+00:00", "details": {"id": "group-1"}}
BY_THEMSELVES = [
    # Who is gone is called by the name that events knew.
    event("made", type="group.created", details=NIGHT),
    event("deleted", type="group.deleted", **LATER),
    event("left", actor=None, details={"id": "user-1"}),
    # Details may come under a key with underscores; but a type that anybody may have
    # made up is not taken for a path.
    event("key", details=None, extra={"user_deleted": {"id": "user-9"}}),
    event("new", actor={"type": "person", "person": {"user": ADA_HERSELF}}),
    event("path", type='$."x', details=None, extra={'$."x': {"id": "user-9"}}),
]


@before_each_run(
    events(*({**row, "organization_id": "by itself"} for row in BY_THEMSELVES))
)
def test_events_are_understood_by_themselves(steps: Steps) -> None:
    assert sentences(steps.after(1), "by itself") == {
        "made": "ada@example.com created the group “Night”",
        "deleted": "ada@example.com deleted the group “Night”",
        "left": "an unknown actor removed ada@example.com from the organization",
        "key": "ada@example.com removed user user-9 from the organization",
        "new": "ada@example.com removed user user-2 from the organization",
        "path": 'ada@example.com performed “$."x”',
    }


def test_organizations_in_schemas_of_their_own_are_united(own: Warehouse) -> None:
    other = replace(own, name="other")
    other.clear()
    own.load(events(event("a")))
    other.load(events(event("b", organization_id="org-2")))
    own.build("+openai_audit__events", openai_audit_sources=places(own, other))
    query = "select event_id, source_relation from {answers}.openai_audit__events"
    assert set(own.rows(query)) == {("a", own.raw), ("b", other.raw)}


OF_A_FILE = {"workspace_id": "beside", "file_end_time": "2026-11-01T12:10:00+00:00"}
OF_AN_EVENT = {
    **OF_A_FILE,
    "timestamp": "2026-11-01T12:00:00.5+00:00",
    "actor": {
        "type": "ACCOUNT_USER",
        "user_id": "user-1",
        "user_email": "Ada@Example.com",
    },
    "request_metadata": {"client_ip": "203.0.113.7"},
}
REMOVED = {"event_id": "a", "action": "USER_DELETE", "action_result": "BLOCKED"}
SIGNED_IN = {"event_id": "b", "action": "login_success"}
# The first eight digits of the MD5 of "a", and a sum that is wrong.
LISTED = [
    {"file_id": "1", "event_type": "AUDIT_LOG", "ids_checksum": 0x0CC175B9},
    {"file_id": "2", "event_type": "AUTH_LOG", "ids_checksum": 1},
]


# As if all had been loaded, and counted, days ago.
LOADED_DAYS_AGO = """
    update {raw}.workspace_log_files
    set _sdc_extracted_at = _sdc_extracted_at - interval '3 days'
    where file_id = '1' and workspace_id = 'beside'
"""
COUNTED_DAYS_AGO = """
    update {answers}.int_openai_audit__counted_files
    set counted_at = counted_at - interval '2 days'
    where account_id = 'beside'
"""


@before_each_run(
    [
        *events(event("c", organization_id="beside it")),
        *stream_of(
            "workspace_audit_logs",
            ["event_id"],
            WORKSPACE,
            [{**OF_AN_EVENT, **REMOVED, "file_id": "1"}],
        ),
        *stream_of(
            "workspace_auth_logs",
            ["event_id"],
            WORKSPACE,
            [{**OF_AN_EVENT, **SIGNED_IN, "file_id": "2"}],
        ),
        *stream_of(
            "workspace_log_files",
            ["workspace_id", "file_id"],
            FILES,
            [{**OF_A_FILE, **of, "events_emitted": 1} for of in LISTED],
        ),
    ],
    [],
    [
        "delete from {raw}.workspace_audit_logs where workspace_id = 'beside'",
        LOADED_DAYS_AGO,
        COUNTED_DAYS_AGO,
    ],
)
def test_a_workspace_stands_beside_the_organization(steps: Steps) -> None:
    assert sentences(steps.after(2), "beside") == {
        "a": "ada@example.com removed a user from the workspace, which was blocked",
        "b": "ada@example.com logged in to ChatGPT from 203.0.113.7",
    }
    assert sentences(steps.after(2), "beside it") == {
        "c": "ada@example.com removed user user-2 from the organization",
    }
    query = "select file_id, verdict from {answers}.openai_audit__coverage"
    query += " where file_id is not null and workspace_id = 'beside'"
    assert dict(steps.after(2).rows(query)) == {"1": "proven", "2": "missing"}
    assert dict(steps.after(3).rows(query)) == {"1": "missing", "2": "missing"}


FEEDS = ["organization", "tenant", "workspace_audit", "workspace_auth"]


def reported(run: int, feed: str, chain: str = "one") -> dict[str, Any]:
    """Return what a run says that found nothing in a feed."""
    account = "workspace_id" if feed.startswith("workspace") else "organization_id"
    return {
        "run_id": f"run-{run}",
        "scope": feed,
        account: "silent",
        "chain_id": f"{feed} {chain}",
        "previous_run_id": f"run-{run - 1}" if run else None,
        "started_at": f"2026-11-0{run // 2 + 1}T{run % 2 * 12:02}:00:00Z",
        "complete": True,
    }


def reports(*rows: dict[str, Any]) -> list[Message]:
    return stream_of("sync_reports", ["run_id", "scope"], REPORTS, rows)


@before_each_run(
    reports(*(reported(run, feed) for run in range(6) for feed in FEEDS)),
    reports(reported(6, "tenant", "two")),
)
def test_feeds_without_events_are_empty_and_raise_no_alarm(steps: Steps) -> None:
    of_them = "where coalesce(organization_id, workspace_id) = 'silent'"
    coverage = "select source, day, verdict from {answers}.openai_audit__coverage"
    days = [datetime(2026, 11, day) for day in (1, 2, 3)]  # noqa: DTZ001 - as loaded
    expected = [(feed, day, "empty") for feed in FEEDS for day in days]
    assert sorted(steps.after(1).rows(f"{coverage} {of_them}")) == expected
    findings = f"select entity from {{answers}}.openai_audit__findings {of_them}"
    assert steps.after(1).rows(findings) == []
    # A state that was lost is still found.
    assert steps.after(2).rows(findings) == [("chain tenant 2026-11-04",)]
