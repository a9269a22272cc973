"""Nothing hostile passes the gate, through whichever door of the API it comes.

Each door is a place in a response whose text might be repeated to the operator. What
is logged at any level, raised, reported and printed by a check is looked at.
"""

from __future__ import annotations

import errno
import json
import logging
import ssl
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from local_server import LocalServer, response
from tap_command import Outcome, run

from tap_openai_audit.audit_logs.api import AuditLog
from tap_openai_audit.check.checks import NAMES, OrganizationCheck
from tap_openai_audit.check.run import check
from tap_openai_audit.errors import TapError
from tap_openai_audit.http.client import Client
from tap_openai_audit.http.no_response import no_response
from tap_openai_audit.inventory.listing import Listing
from tap_openai_audit.settings import Settings
from tap_openai_audit.singer.signals import Signals
from tap_openai_audit.windows import Window
from tap_openai_audit.workspace.api import WorkspaceLogs
from tap_openai_audit.workspace.log_files import LogFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "sk-admin-Wq7Zr2Lt9Xv4Bn6K"
FRAGMENTS = ("Wq7Zr2", "2Lt9Xv4B", "Bn6K", "Zr2Lt9", " 6K")
"""What must not be seen: parts of the key, as long as the API is known to repeat."""

HOSTILE = (
    "\x1b[2J\x1b]0;title\x07 \r\n2026-11-24 00:00:00 | INFO | forged line \x00\x08\x85"
    " \u202egnol\u202c \u2066left\u2069 \u200f \u2028\u2029 \ud83d"
    f" {KEY} Wq7Zr2...Bn6K ({KEY[9:15]}) '{KEY[12:20]}' ending in 6K, ends {KEY[-4:]}"
    " http://user:pa55word@example.com/ "
)
LONG = HOSTILE + "x" * 1_000_000
IN_A_HEADER = " ".join(HOSTILE.encode(errors="ignore").decode("latin-1").split())
LONGEST_LINE = 1500
NOW = "1790000000"
HANGS_SECONDS = 60  # bounds a hang, and nothing else


def js(value: object) -> bytes:
    return json.dumps(value).encode()


def of_error(**fields: Any) -> bytes:
    return response(403, body=js({"error": {"message": "No.", **fields}}))


def page(**fields: Any) -> bytes:
    return response(200, body=js({"data": [], "has_more": False, **fields}))


def with_header(name: str, status: int, body: bytes = b"{}") -> bytes:
    value = f"{IN_A_HEADER} {'x' * 30_000}".replace("\r", " ").replace("\n", " ")
    return (
        f"HTTP/1.1 {status} Said\r\n{name}: ".encode()
        + value.encode("latin-1")
        + f"\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def event(**fields: Any) -> dict[str, Any]:
    return {"id": "audit_log-1", "effective_at": 1, "type": "t", **fields}


def file(**fields: Any) -> dict[str, Any]:
    own = {"id": "file-1", "event_type": "AUDIT_LOG", "end_time": "2026-11-23T00:00Z"}
    return {**own, **fields}


DOORS: dict[str, bytes] = {
    "message": of_error(message=LONG),
    "bare error": response(400, body=js({"error": LONG})),
    "type": of_error(message=None, type=LONG),
    "code": of_error(message=None, code=LONG),
    "nested code": of_error(code={"a": [LONG]}, message=[LONG]),
    "param": of_error(param=LONG),
    "error that may pass": response(503, body=js({"error": LONG})),
    "html": response(403, body=b"<html>" + LONG.encode(errors="replace")),
    "text": response(404, body=LONG.encode(errors="replace")),
    "text with 200": response(200, body=LONG.encode(errors="replace")),
    "json with 200": response(200, body=js(LONG)),
    "error with 200": response(200, body=js({"error": LONG})),
    "request id": with_header("x-request-id", 403),
    "request id of a bad body": with_header("x-request-id", 200),
    "request id of a page": with_header("x-request-id", 200, js({"data": []})),
    "location": with_header("Location", 302),
    "location of a host": response(302, f"Location: https://{KEY}.example.com/{KEY}"),
    "retry-after": with_header("Retry-After", 503),
    "date": with_header("Date", 200, js({"data": []})),
    "encoding": with_header("Content-Encoding", 200),
    "should retry": with_header("x-should-retry", 500),
    "status line": b"HTTP/1.1 403 " + IN_A_HEADER.encode("latin-1") + b"\r\n\r\n",
    "no status": IN_A_HEADER.encode("latin-1") + b"\r\n\r\n",
    "broken header": (
        b"HTTP/1.1 403 No\r\nx: y\r\n" + IN_A_HEADER.encode("latin-1") + b"\r\n\r\n"
    ),
    "has_more": page(has_more=LONG),
    "cursor": page(has_more=True, last_id=LONG[:5000], data=[event()]),
    "last_id of another type": page(last_id=[LONG]),
    "event id": page(data=[event(id=f"\x1b[2J\r\n\u202e{KEY} " + "x" * 1_000_000)]),
    "event id of another type": page(data=[event(id={"a": LONG})]),
    "effective_at": page(data=[event(effective_at=LONG)]),
    "field name": page(data=[event(**{LONG: LONG})], **{LONG: LONG}),
    "file id": page(data=[file(id=LONG)]),
    "file type": page(data=[file(event_type=LONG)]),
    "file end": page(data=[file(end_time=LONG)]),
    "file size": page(data=[file(file_size=LONG, file_sha256=LONG)]),
    "object": page(data=[{"id": LONG, "created_at": 1}]),
}  # fmt: skip


class NoWait(threading.Event):
    """Lets a retry come at once."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        return self.is_set()


def settings(url: str) -> Settings:
    return Settings.of(
        {
            "organization_id": "org-abc",
            "admin_key": KEY,
            "api_url": f"{url}/v1",
            "lookback_seconds": 0,
            "tenant_events": True,
            "concurrency": 1,
            "request_timeout_seconds": HANGS_SECONDS,
            "max_retry_seconds": 1,
            "user_agent": "test",
        }
    )


def assert_harmless(text: str) -> None:
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line[:LONGEST_LINE])
        assert len(line) < LONGEST_LINE
        assert not line.startswith("2026-11-24 00:00:00 | INFO | forged")
        assert "pa55word" not in line
        found = [part for part in FRAGMENTS if part in line]
        assert not found, line


def told(error: TapError) -> str:
    return "\n".join([str(error), repr(error), *map(str, vars(error).values())])


def message_of(ask: Callable[[], object]) -> str:
    try:
        ask()
    except TapError as error:
        return told(error)
    return ""


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that any library logs, at any level."""
    caplog.set_level(logging.DEBUG)
    return lambda: "\n".join(
        [*(r.getMessage() for r in caplog.records)]
        + [str(r.exc_info[1]) for r in caplog.records if r.exc_info]
    )


@pytest.mark.parametrize("door", DOORS)
def test_nothing_hostile_passes_in_a_sync(door: str, log: Callable[[], str]) -> None:
    with LocalServer(DOORS[door], closing=True) as server:
        endpoint = settings(server.url).endpoint
        client = Client(endpoint, logging.getLogger("t"), NoWait())
        source = AuditLog(client, "organization", {})
        users = Listing("/projects/{id}/users")
        files = WorkspaceLogs(client, client, "a-workspace", "AUDIT_LOG")
        id_ = HOSTILE.encode(errors="replace").decode()
        said = [
            message_of(lambda: source.read_page(Window(), None)),
            message_of(lambda: source.read_page(Window(), LONG[:5000])),
            message_of(lambda: list(users.pages(client, ["id"], id=id_))),
            message_of(lambda: files.page("2026-01-01")),
            message_of(lambda: files.download(LogFile(id_, id_, 0.0, 1, None))),
        ]
    assert server.requests
    assert_harmless("\n".join(said))
    assert_harmless(log())


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("door", DOORS)
def test_nothing_hostile_passes_in_a_check(
    door: str, output: str, log: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    with LocalServer(DOORS[door], closing=True) as server:
        found, signals = settings(server.url), Signals()
        signals.stop = NoWait()
        logger = logging.getLogger("t")
        made = OrganizationCheck(found, None, {}, signals, logger)
        check(lambda: made, NAMES, output)
    printed = capsys.readouterr().out
    lines = printed.split("\n")
    if output == "json":
        lines = [str(json.loads(printed))]
    for line in lines:
        assert line.isprintable()
        assert len(line) < 8 * LONGEST_LINE
        assert not [part for part in FRAGMENTS if part in line], line
    assert_harmless(log())


@pytest.mark.parametrize("door", ["message", "event id", "cursor", "broken header"])
def test_nothing_hostile_passes_through_the_command(door: str, tmp_path: Path) -> None:
    outcome = command(door, tmp_path)
    assert outcome.code == 1
    assert "DEBUG" in outcome.log
    assert_harmless(outcome.log)
    reports = outcome.records("sync_reports")
    for report in reports:
        assert_harmless(str(report["reason"]))


def command(door: str, folder: Path) -> Outcome:
    config = folder / "config.json"
    with LocalServer(DOORS[door], closing=True) as server:
        config.write_text(
            json.dumps(
                {
                    "organization_id": "org-abc",
                    "admin_key": KEY,
                    "api_url": f"{server.url}/v1",
                    "max_retry_seconds": 0,
                    "start_date": "2026-01-01T00:00:00Z",
                }
            )
        )
        arguments = ["-m", "tap_openai_audit", "--config", str(config)]
        debug = {"TAP_OPENAI_AUDIT_LOGLEVEL": "DEBUG"}
        return run([sys.executable, *arguments], env=debug)


@pytest.mark.parametrize("proxied", [True, False])
def test_nothing_hostile_passes_out_of_an_exception(*, proxied: bool) -> None:
    untrusted = ssl.SSLCertVerificationError(1, HOSTILE)
    untrusted.verify_message = LONG
    broken = ssl.SSLError(1, HOSTILE)
    broken.reason = LONG
    for cause in (
        untrusted,
        broken,
        OSError(errno.EIO, LONG),
        ConnectionResetError(LONG),
        OSError(f"Tunnel connection failed: 403 {LONG}"),
        type(KEY, (OSError,), {})(),
        UnicodeError(LONG),
        ValueError(LONG),
        TimeoutError(LONG),
    ):
        for error in (cause, requests.exceptions.ProxyError(cause)):
            found = no_response(
                error,
                host="api.example.com",
                timeout=1,
                proxied=proxied,
                key=KEY,
            )
            assert_harmless(told(found))
