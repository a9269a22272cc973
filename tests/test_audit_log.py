"""What the engine is told when a page of the audit log is refused."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
from local_server import LocalServer, response

from tap_openai_audit.audit_logs.api import AuditLog, refuses_tenant_events
from tap_openai_audit.audit_logs.event_types import TENANT
from tap_openai_audit.errors import (
    BadResponse,
    ErrorResponse,
    NoResponse,
    RequestFailed,
    VanishedCursor,
)
from tap_openai_audit.http.causes import MEANING, Cause
from tap_openai_audit.http.client import Client
from tap_openai_audit.settings import Settings
from tap_openai_audit.windows import Window

if TYPE_CHECKING:
    from tap_openai_audit.audit_logs.events import Page

ERROR = b'{"error": {"message": "No such event.", "param": "after"}}'
HANGS_SECONDS = 60  # bounds a hang, and nothing else
HTML = b"<html>Not found</html>"


def read(answer: bytes, cursor: str | None, scope: str = "organization") -> Page:
    with LocalServer(answer) as server:
        settings = Settings.of(
            {
                "organization_id": "org-abc",
                "admin_key": "sk-admin-Wq7Zr2Lt9Xv4",
                "api_url": server.url,
                "lookback_seconds": 0,
                "tenant_events": True,
                "concurrency": 1,
                "request_timeout_seconds": HANGS_SECONDS,
                "max_retry_seconds": 0,
                "user_agent": "test",
            }
        )
        client = Client(
            settings.endpoint,
            logging.getLogger(__name__),
            threading.Event(),
        )
        return AuditLog(client, scope, {}).read_page(Window(), cursor)


def failed(answer: bytes, cursor: str | None) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        read(answer, cursor)
    return caught.value


@pytest.mark.parametrize("status", [400, 404])
def test_a_cursor_that_the_api_does_not_know_any_more_is_told(status: int) -> None:
    answer = response(status, "x-request-id: req_1", body=ERROR)
    error = failed(answer, "audit_log-1")
    assert isinstance(error, VanishedCursor)
    assert str(error) == (
        f"HTTP {status} (No such event.), request id req_1:"
        f" {MEANING[Cause.VANISHED_CURSOR]}"
    )
    assert (error.status, error.param, error.from_api) == (status, "after", True)


@pytest.mark.parametrize(
    ("status", "body", "cursor"),
    [
        (400, ERROR, None),
        (404, ERROR, None),
        (404, HTML, "audit_log-1"),
        (404, b"", "audit_log-1"),
        (403, ERROR, "audit_log-1"),
        (422, ERROR, "audit_log-1"),
    ],
)
def test_another_error_is_not_taken_for_a_vanished_cursor(
    status: int, body: bytes, cursor: str | None
) -> None:
    error = failed(response(status, body=body), cursor)
    assert isinstance(error, ErrorResponse)
    assert not isinstance(error, VanishedCursor)


@pytest.mark.parametrize(
    ("error", "refuses"),
    [
        *(
            (ErrorResponse("", Cause.NOT_ALLOWED, status=s, from_api=True), True)
            for s in (400, 403, 404)
        ),
        *(
            (ErrorResponse("", Cause.WRONG_KEY, status=s, from_api=True), False)
            for s in (401, 407, 429, 500)
        ),
        (ErrorResponse("", Cause.BLOCKED, status=403), False),
        (VanishedCursor("", status=404, from_api=True), False),
        (NoResponse("", Cause.TIMEOUT), False),
        (BadResponse("", Cause.REDIRECT), False),
    ],
)
def test_only_the_api_itself_refuses_tenant_events(
    *, error: RequestFailed, refuses: bool
) -> None:
    assert refuses_tenant_events(error) is refuses


def test_a_page_tells_its_size_and_the_clock_of_the_api() -> None:
    body = b'{"data": [{"id": "a", "effective_at": 1}], "has_more": false}'
    date = "Date: Mon, 02 Nov 2026 00:00:10 GMT"
    page = read(response(200, date, body=body), None, TENANT)
    assert (page.size, page.date, page.retries) == (len(body), 1793577610, 0)
    assert [event.id for event in page.events] == ["a"]


@pytest.mark.parametrize(
    ("last_id", "cursor"), [('"a"', "a"), ('"b"', "b"), ('"gone"', "b"), ("null", "b")]
)
def test_a_cursor_that_the_page_does_not_hold_is_replaced_by_its_last_event(
    last_id: str, cursor: str
) -> None:
    events = '[{"id": "a", "effective_at": 1}, {"id": "b"}]'
    body = f'{{"data": {events}, "last_id": {last_id}, "has_more": true}}'
    assert read(response(200, body=body.encode()), None).cursor == cursor


@pytest.mark.parametrize(
    "time",
    [
        "",
        ', "effective_at": null',
        ', "effective_at": "soon"',
        ', "effective_at": {"at": 5}',
        ', "effective_at": true',
        ', "effective_at": 1790000000000',
        ', "effective_at": 1e300',
    ],
)
def test_an_event_without_a_usable_time_is_set_aside(time: str) -> None:
    events = f'[{{"id": "a", "effective_at": 5}}, {{"id": "odd"{time}}}]'
    page = read(response(200, body=f'{{"data": {events}}}'.encode()), None)
    assert [event.id for event in page.events] == ["a"]
    assert page.set_aside == ["odd"]
    assert page.cursor == "odd"
