"""Requests are repeated as long as that can help, at a pace that all workers keep."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest

from sandbox.process import SandboxProcess
from tap_openai_audit.api.client import Client, Interrupted
from tap_openai_audit.api.pace import Pace
from tap_openai_audit.api.refusals import Refusal
from tap_openai_audit.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/organization/audit_logs"
LOGGER = logging.getLogger("test")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(events=400, tenant_events=0, start="9d", end="now") as process:
        yield process


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def client(sandbox: SandboxProcess, stop: threading.Event) -> Client:
    sandbox.control.faults()
    sandbox.control.forget_requests()
    settings = Settings.of(
        {
            "organization_id": sandbox.organization_id,
            "admin_key": sandbox.admin_key,
            "api_url": sandbox.url,
            "lookback_seconds": 3600,
            "tenant_events": True,
            "concurrency": 8,
            "request_timeout_seconds": 5,
            "max_retry_seconds": 3,
            "user_agent": "test",
        }
    )
    return Client(settings, LOGGER, stop)


def test_a_429_slows_all_workers() -> None:
    pace = Pace()
    assert pace.reserve() == 0
    pace.slow_down(5)
    assert 4 < pace.reserve() <= 5
    assert pace.slowed


def test_after_a_429_requests_are_spread_in_time() -> None:
    pace = Pace()
    pace.slow_down(0)
    waits = [pace.reserve() for _ in range(2)]
    assert waits[0] == 0
    assert waits[1] > 0


def test_the_pace_recovers() -> None:
    pace = Pace()
    pace.slow_down(0)
    pace.slow_down(0)
    for _ in range(30):
        pace.succeeded()
    assert not pace.slowed
    assert [pace.reserve() for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
def test_what_cannot_help_is_not_tried_again(
    client: Client, sandbox: SandboxProcess, status: int
) -> None:
    headers = {"Location": "https://other.example/"} if status == 302 else {}
    sandbox.control.faults({"kind": "status", "status": status, "headers": headers})
    with pytest.raises(Refusal) as refused:
        client.get(PATH, [], bytes)
    assert refused.value.status == status
    assert sandbox.control.requests()["count"] == 1


def test_each_retry_is_logged_once_with_its_request_id(
    client: Client, sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.control.faults({"kind": "status", "status": 503, "at": [0, 1]})
    assert client.get(PATH, [], bytes).retries == 2
    lines = [record.getMessage() for record in caplog.records]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert all("HTTP 503" in line and "request id req_" in line for line in lines)


def test_a_request_is_given_up_in_time(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control.faults({"kind": "status", "status": 500})
    began = time.monotonic()
    with pytest.raises(Refusal, match="given up after"):
        client.get(PATH, [], bytes)
    assert time.monotonic() - began < 10


def test_what_the_api_asks_to_wait_is_waited(
    client: Client, sandbox: SandboxProcess
) -> None:
    headers = {"Retry-After": "1"}
    sandbox.control.faults(
        {"kind": "status", "status": 429, "headers": headers, "at": [0]}
    )
    client.get(PATH, [], bytes)
    first, second = sandbox.control.requests()["log"]
    assert second["at"] - first["at"] >= 1


def test_a_wait_that_is_too_long_ends_at_once(
    client: Client, sandbox: SandboxProcess
) -> None:
    headers = {"Retry-After": "86400"}
    sandbox.control.faults({"kind": "status", "status": 429, "headers": headers})
    with pytest.raises(Refusal, match="86400 s, which is longer than max_retry"):
        client.get(PATH, [], bytes)
    assert sandbox.control.requests()["count"] == 1


def test_waiting_ends_at_once_when_the_run_ends(
    client: Client, sandbox: SandboxProcess, stop: threading.Event
) -> None:
    headers = {"Retry-After": "2"}
    sandbox.control.faults({"kind": "status", "status": 429, "headers": headers})
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        client.get(PATH, [], bytes)
    assert time.monotonic() - began < 2
