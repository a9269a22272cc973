"""A 200 that holds no list is no answer: it is asked for again, and never believed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_server import LocalServer, response
from tap_command import TapCommand, catalog_of, repeated

from sandbox.process import SandboxProcess
from tap_openai_audit.audit_logs.api import decode_page
from tap_openai_audit.http.bodies import BadBody
from tap_openai_audit.inventory.listing import by_last_id, by_next
from tap_openai_audit.workspace.api import decode_page as decode_workspace_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API = "/v1/organization"
KINDS = ("error_in_list", "other_object", "data_object")
EMPTY: dict[str, Any] = {"object": "list", "data": [], "has_more": False}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(events=600, tenant_events=0, start="30d", end="now") as process:
        yield process


@pytest.fixture
def tap(sandbox: SandboxProcess, tmp_path: Path) -> Iterator[TapCommand]:
    sandbox.control.forget_requests()
    yield TapCommand(sandbox, tmp_path, {"tenant_events": False})
    sandbox.control.faults()


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_is_missed_where_a_page_holds_no_list_once(
    tap: TapCommand, kind: str
) -> None:
    tap.sandbox.control.faults({"kind": kind, "at": [2, 5]})
    outcome = tap.run()
    assert outcome.code == 0, outcome.log
    assert set(outcome.ids) == tap.truth
    assert not repeated(outcome.ids)
    (row,) = outcome.records("sync_reports")
    assert (row["complete"], row["retries"]) == (True, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_that_never_holds_a_list_ends_the_run_as_incomplete(
    tap: TapCommand, kind: str
) -> None:
    tap.sandbox.control.faults({"kind": kind, "at": [*range(3, 500)]})
    outcome = tap.run(max_retry_seconds=1)
    assert outcome.code == 1
    assert set(outcome.ids) < tap.truth
    (row,) = outcome.records("sync_reports")
    assert not row["complete"]
    assert "HTTP 200 with" in row["reason"]
    tap.sandbox.control.faults()
    rest = tap.run(state=outcome.state)
    assert rest.code == 0
    assert set(outcome.ids + rest.ids) == tap.truth
    assert not repeated(outcome.ids + rest.ids)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lasts", [False, True])
def test_a_reference_list_is_never_taken_for_empty(
    tap: TapCommand, kind: str, *, lasts: bool
) -> None:
    fault: dict[str, Any] = {"kind": kind, "path": f"{API}/users"}
    tap.sandbox.control.faults(fault if lasts else {**fault, "times": 1})
    catalog = catalog_of("users", "sync_reports")
    outcome = tap.run(catalog=catalog, max_retry_seconds=1)
    (row,) = outcome.records("sync_reports")
    if lasts:
        assert (outcome.code, row["complete"], row["events_read"]) == (1, False, 0)
        assert "HTTP 200 with" in outcome.last_line
    else:
        assert (outcome.code, row["complete"]) == (0, True)
        assert len(outcome.records("users")) == row["events_read"] > 0


def test_the_error_is_told_in_one_line(tap: TapCommand) -> None:
    tap.sandbox.control.faults({"kind": "error_in_list"})
    outcome = tap.run(max_retry_seconds=1)
    assert (
        "HTTP 200 with an error (The server had an error while processing your"
        " request.); given up after" in outcome.last_line
    )
    assert "the API has a fault: run again later" in outcome.last_line


def test_an_error_that_stays_is_not_asked_for_again(tmp_path: Path) -> None:
    key = "sk-admin-Wq7Zr2Lt9Xv4Bn6K"
    message = f"You exceeded your current quota, {key}\n{'x' * 5_000}"
    error = {"message": message, "code": "insufficient_quota"}
    body = json.dumps({**EMPTY, "error": error}).encode()
    with LocalServer(response(200, body=body)) as server:
        local = SandboxProcess(organization_id="org-a", admin_key=key)
        local.url = f"{server.url}/v1"
        outcome = TapCommand(local, tmp_path).run(tenant_events=False)
    assert outcome.code == 1
    assert len(server.requests) == 1
    assert key[9:] not in outcome.log
    assert len(outcome.last_line) < 1_000
    assert "HTTP 200 with an error (You exceeded your current quota, [key]" in (
        outcome.last_line
    )
    assert "check billing and limits" in outcome.last_line


def of_workspace(body: bytes) -> object:
    return decode_workspace_page(body, "AUDIT_LOG")


@pytest.mark.parametrize("read", [decode_page, by_last_id, by_next, of_workspace])
@pytest.mark.parametrize(
    "said",
    [
        {**EMPTY, "error": {"message": "No."}},
        {**EMPTY, "error": "No."},
        {**EMPTY, "error": {}},
        {**EMPTY, "object": "error"},
        {**EMPTY, "object": ["list"]},
        {**EMPTY, "data": {}},
        {**EMPTY, "data": None},
        {**EMPTY, "data": "none"},
        {"object": "list", "has_more": False},
        {"error": {"message": "No."}},
        {},
    ],
)
def test_what_is_no_list_is_refused_wherever_a_list_is_read(
    read: Any, said: dict[str, Any]
) -> None:
    with pytest.raises(BadBody):
        read(json.dumps(said).encode())
    with pytest.raises(BadBody):
        read(f"{json.dumps(EMPTY)}{json.dumps(said)}".encode())


@pytest.mark.parametrize("read", [decode_page, by_last_id, by_next, of_workspace])
def test_a_list_that_names_no_error_is_one(read: Any) -> None:
    for said in (EMPTY, {**EMPTY, "error": None, "object": None, "usage": 1}):
        read(json.dumps(said).encode())
