"""Listings and downloads of a workspace's log files, and where the key goes."""

from __future__ import annotations

import json
import logging
import threading
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from local_server import LocalServer, response

from tap_openai_audit.errors import ErrorResponse, ExpiredFile, RequestFailed
from tap_openai_audit.http.bodies import BadBody
from tap_openai_audit.http.causes import Api, Cause
from tap_openai_audit.http.client import Client
from tap_openai_audit.http.endpoint import Endpoint
from tap_openai_audit.http.pace import Pace
from tap_openai_audit.workspace.api import AUDIT_LOG, WorkspaceLogs, decode_page
from tap_openai_audit.workspace.log_files import LogEvent, LogFile, Unreadable
from tap_openai_audit.workspace.log_lines import events_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "Wq7Zr2Lt9Xv4Bn6KWq7Zr2Lt9Xv4"
WORKSPACE = "01234567-89ab-cdef-0123-456789abcdef"
SIGNATURE = "sv=2026&sig=Qm9vZm9vYmFyYmF6"
FILE = LogFile("file-1", "2026-11-23T08:10:00Z", 1_795_421_400.0, 2, None)
PLACE = f"/v1/compliance/workspaces/{WORKSPACE}/logs"


def logs(url: str, *, max_retry_seconds: int = 0) -> WorkspaceLogs:
    endpoint = Endpoint(Api.WORKSPACE, f"{url}/v1", KEY, "test", 60, max_retry_seconds)
    client = Client(endpoint, logging.getLogger("t"), threading.Event())
    return WorkspaceLogs(client, client, WORKSPACE, AUDIT_LOG)


def to(url: str, status: int = 307) -> bytes:
    return response(status, f"Location: {url}")


def failure(url: str) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        logs(url).download(FILE)
    error = caught.value
    told = f"{error!r} {error} {vars(error)}"
    assert error.api is Api.WORKSPACE
    assert "Qm9v" not in told
    assert KEY[:6] not in told
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    return error


# Where the key goes


def test_a_file_is_got_from_another_host_without_the_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        LocalServer(response(200, body=b"{}")) as files,
        LocalServer(to(f"{files.url}/a?{SIGNATURE}")) as api,
    ):
        assert bytes(logs(api.url).download(FILE).body) == b"{}"
    (asked,), (got,) = api.requests, files.requests
    assert asked.startswith(f"GET {PLACE}/file-1 HTTP/1.1\r\n".encode())
    assert f"Authorization: Bearer {KEY}\r\n".encode() in asked
    assert got.startswith(f"GET /a?{SIGNATURE} HTTP/1.1\r\n".encode())
    assert b"authorization" not in got.lower()
    assert KEY[:6].encode() not in got
    assert "Qm9v" not in caplog.text


@pytest.mark.parametrize(
    "location",
    [
        f"http://files.example.com/a?{SIGNATURE}",
        f"ftp://127.0.0.1/a?{SIGNATURE}",
        f"file:///etc/passwd?{SIGNATURE}",
    ],
)
def test_a_redirect_that_is_not_encrypted_is_refused(location: str) -> None:
    with LocalServer(to(location)) as api:
        assert failure(api.url).cause is Cause.REDIRECT


def test_a_second_redirect_is_refused() -> None:
    with (
        LocalServer(response(200, body=b"{}")) as third,
        LocalServer(to(f"{third.url}/b?{SIGNATURE}", 302)) as files,
        LocalServer(to(f"{files.url}/a?{SIGNATURE}")) as api,
    ):
        assert failure(api.url).cause is Cause.REDIRECT
        assert files.requests
        assert not third.requests


def test_a_listing_is_never_redirected() -> None:
    with (
        LocalServer(response(200, body=b"{}")) as files,
        LocalServer(to(files.url)) as api,
        pytest.raises(RequestFailed) as caught,
    ):
        logs(api.url).page("2026-01-01")
    assert caught.value.cause is Cause.REDIRECT
    assert not files.requests


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 500, 503])
def test_what_the_host_of_the_files_says_is_not_repeated(status: int) -> None:
    said = f"<Error>{SIGNATURE} was not found</Error>".encode()
    with (
        LocalServer(response(status, body=said)) as files,
        LocalServer(to(f"{files.url}/a?{SIGNATURE}")) as api,
    ):
        error = failure(api.url)
    assert error.cause is Cause.FILE_HOST
    assert error.what.startswith(f"HTTP {status} from the host of the files")


def test_a_link_that_has_expired_is_asked_for_again() -> None:
    answers = iter([response(403, body=b"expired"), response(200, body=b"{}")])
    with (
        LocalServer(lambda: [next(answers)]) as files,
        LocalServer(to(f"{files.url}/a?{SIGNATURE}")) as api,
    ):
        found = logs(api.url, max_retry_seconds=60).download(FILE)
        assert bytes(found.body) == b"{}"
        assert len(api.requests) == len(files.requests) == 2


@pytest.mark.parametrize("body", [b"", b"<html>", b"no healthy upstream"])
def test_what_a_proxy_sends_in_place_of_a_file_is_asked_for_again(body: bytes) -> None:
    answers = iter([response(200, body=body), response(200, body=b'{"event_id": 1}')])
    with LocalServer(lambda: [next(answers)]) as api:
        found = logs(api.url, max_retry_seconds=60).download(FILE)
    assert bytes(found.body) == b'{"event_id": 1}'


# A file that is gone


def next_of(answers: Iterator[bytes]) -> list[bytes]:
    return [next(answers)]


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_is_gone_only_if_the_api_lists_it_no_more(status: int) -> None:
    gone = response(status, body=b'{"error": {"message": "No such file."}}')
    entry = json.dumps(listed(id=FILE.id, end_time=FILE.end_time)).encode()
    pages = {
        b"is not there": b'{"data": [], "has_more": false}',
        b"is listed": b'{"data": [%b], "has_more": false}' % entry,
        b"may be listed": b'{"data": [], "has_more": true}',
    }
    date = f"Date: {formatdate(usegmt=True)}"
    for what, page in pages.items():
        answers = iter([gone, response(200, date, body=page)])
        with (
            LocalServer(partial(next_of, answers)) as api,
            pytest.raises(ErrorResponse) as caught,
        ):
            logs(api.url).download(FILE)
        assert isinstance(caught.value, ExpiredFile) == (what == b"is not there")


def test_a_file_is_not_gone_because_its_workspace_is_not_there() -> None:
    gone = response(404, body=b'{"error": {"message": "No such workspace."}}')
    with LocalServer(gone) as api, pytest.raises(RequestFailed) as caught:
        logs(api.url).download(FILE)
    assert not isinstance(caught.value, ExpiredFile)


def test_a_file_is_not_gone_because_a_proxy_says_so() -> None:
    page = response(404, body=b"<html>Not Found</html>")
    with LocalServer(page) as api, pytest.raises(RequestFailed) as caught:
        logs(api.url).download(FILE)
    assert not isinstance(caught.value, ExpiredFile)
    assert len(api.requests) == 1


# Listings


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "id": "file-1",
        "event_type": AUDIT_LOG,
        "end_time": "2026-11-23T08:10:00.5Z",
        "file_name": "audit.jsonl",
        "file_size": 12,
        "file_sha256": "AB" * 32,
        **changes,
    }


def listing(*files: dict[str, Any], has_more: object = False) -> bytes:
    return json.dumps({"data": files, "has_more": has_more}).encode()


def test_a_listing_is_read_as_documented() -> None:
    with LocalServer(response(200, body=listing(listed(), has_more=True))) as api:
        page = logs(api.url).page("2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z")
    asked = api.requests[0]
    assert asked.startswith(
        f"GET {PLACE}?limit=100&event_type=AUDIT_LOG"
        "&after=2026-01-01T00%3A00%3A00Z&before=2026-12-01T00%3A00%3A00Z ".encode()
    )
    (found,) = page.files
    assert page.has_more
    assert (found.id, found.end_time) == ("file-1", "2026-11-23T08:10:00.5Z")
    assert (found.at, found.size, found.sha256) == (1_795_421_400.5, 12, "ab" * 32)


def test_several_documents_make_one_page() -> None:
    body = listing(listed()) + b"\n" + listing(listed(id="file-2"), has_more=True)
    page = decode_page(body, AUDIT_LOG)
    assert [file.id for file in page.files] == ["file-1", "file-2"]
    assert page.has_more


def test_a_file_of_a_type_that_nobody_asked_for_is_never_read() -> None:
    body = listing(listed(), listed(event_type="CONVERSATION_MESSAGE"))
    with pytest.raises(BadBody, match="CONVERSATION_MESSAGE, where only AUDIT_LOG"):
        decode_page(body, AUDIT_LOG)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": []}',
        listing(listed(), has_more=None),
        listing(listed(id=5)),
        listing(listed(end_time=5)),
        listing(listed(end_time="soon")),
        b'{"error": "no"}',
        b"",
    ],
)
def test_what_is_no_listing_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        decode_page(body, AUDIT_LOG)


def test_a_file_without_size_and_checksum_is_listed() -> None:
    (found,) = decode_page(
        listing(listed(file_size=None, file_sha256=None)), AUDIT_LOG
    ).files
    assert (found.size, found.sha256) == (None, None)


# Lines


def read(body: bytes) -> list[LogEvent | Unreadable]:
    assert [*events_of(bytearray(body))] == [*events_of(body)]
    return [*events_of(body)]


def test_a_line_is_an_event_and_blank_ones_are_none() -> None:
    found = read(b'{"event_id": "a"}\r\n\r\n   \n{"event_id": "b"}')
    assert found == [
        LogEvent(1, "a", None, b'{"event_id": "a"}'),
        LogEvent(4, "b", None, b'{"event_id": "b"}'),
    ]


def test_several_objects_on_a_line_are_as_many_events() -> None:
    found = read(b'\xef\xbb\xbf{"event_id":"a"}{"event_id":"b"} {"event_id":"c"}\n')
    assert [(item.line, item[1]) for item in found] == [(1, "a"), (1, "b"), (1, "c")]


@pytest.mark.parametrize(
    ("line", "ids", "why"),
    [
        (b'{"event_id": "a"}{"event_id": "b', ["a"], "cut off or broken"),
        (b'{"event_id": "a"}{"id": "b"}{"event_id": "c"}', ["a", "c"], "event_id"),
        (b'{"event_id": 5}', [], "Expected `str`, got `int`"),
        (b"<html>", [], "HTML"),
        (b"[]", [], "another shape"),
        (b"[" * 100_000, [], "JSON"),
    ],
)
def test_what_cannot_be_read_is_told_and_all_else_is_read(
    line: bytes, ids: list[str], why: str
) -> None:
    found = read(line + b'\n{"event_id": "last"}')
    assert [item.id for item in found if isinstance(item, LogEvent)] == [*ids, "last"]
    (unreadable,) = [item for item in found if isinstance(item, Unreadable)]
    assert unreadable.line == 1
    assert why in unreadable.reason


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-11-23T08:10:00Z", "2026-11-23T08:10:00+00:00"),
        ("2026-11-23T10:10:00.25+02:00", "2026-11-23T08:10:00.250000+00:00"),
        ("2026-11-23T08:10:00.123456789Z", "2026-11-23T08:10:00.123456+00:00"),
        ("soon", None),
        (5, None),
        (None, None),
    ],
)
def test_a_timestamp_is_read_if_it_is_one(timestamp: object, expected: str) -> None:
    line = json.dumps({"event_id": "a", "timestamp": timestamp}).encode()
    (found,) = read(line)
    assert isinstance(found, LogEvent)
    assert found.timestamp == expected
    assert found.body == line


# The documented rate


@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.1, 1.3])
def test_no_minute_has_more_requests_than_the_api_allows(seconds: float) -> None:
    now = [1000.0]
    pace = Pace(lambda: now[0], most_per_minute=50)
    made: list[float] = []
    while len(made) < 200:
        wait = pace.reserve()
        if wait:
            assert pace.is_at_its_limit
        else:
            made.append(now[0])
        now[0] += wait or seconds
    for first, fiftieth in zip(made, made[50:], strict=False):
        assert fiftieth - first > 59.999


def test_without_a_limit_nobody_waits() -> None:
    pace: Callable[[], float] = Pace(lambda: 1000.0).reserve
    assert not any(pace() for _ in range(1000))
