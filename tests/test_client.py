"""Requests are repeated as long as that can help, at a pace that all workers keep."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice, pairwise, repeat
from typing import TYPE_CHECKING, cast

import pytest

from sandbox.process import SandboxProcess
from tap_openai_audit.errors import ErrorResponse, Interrupted, RequestFailed
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.http.client import Client
from tap_openai_audit.http.pace import Pace
from tap_openai_audit.http.response import Response
from tap_openai_audit.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_openai_audit.http.transport import Transport

PATH = "/organization/audit_logs"
LOGGER = logging.getLogger("test")
HANGS_SECONDS = 60  # bounds a hang, and nothing else: no test is about speed


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
    return client_of(sandbox, stop, max_retry_seconds=3)


def client_of(
    sandbox: SandboxProcess, stop: threading.Event, *, max_retry_seconds: int
) -> Client:
    found = settings(sandbox.url, sandbox.admin_key, sandbox.organization_id)
    found = replace(found, max_retry_seconds=max_retry_seconds)
    return Client(found.endpoint, LOGGER, stop)


def settings(
    url: str, key: str = "sk-admin-Wq7Zr2Lt9Xv4", organization: str = "org-abc"
) -> Settings:
    return Settings.of(
        {
            "organization_id": organization,
            "admin_key": key,
            "api_url": url,
            "lookback_seconds": 3600,
            "tenant_events": True,
            "concurrency": 8,
            "request_timeout_seconds": HANGS_SECONDS,
            "max_retry_seconds": 3,
            "user_agent": "test",
        }
    )


@pytest.fixture
def pace() -> Pace:
    """The pace while time stands still."""
    return Pace(clock=lambda: 100.0)


def test_a_429_slows_all_workers(pace: Pace) -> None:
    assert pace.reserve() == 0
    pace.slow_down(5)
    assert pace.reserve() == 5
    assert pace.slowed


def test_after_a_429_requests_are_spread_in_time(pace: Pace) -> None:
    pace.slow_down(0)
    waits = [pace.reserve() for _ in range(2)]
    assert waits[0] == 0
    assert waits[1] > 0


def test_the_pace_recovers(pace: Pace) -> None:
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
    with pytest.raises(RequestFailed, match=f"HTTP {status}"):
        client.get(PATH, [], bytes)
    assert sandbox.control.requests()["count"] == 1


def test_each_retry_is_logged_once_with_its_request_id(
    client: Client, sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.control.faults({"kind": "status", "status": 503, "at": [0, 1]})
    assert client.get(PATH, [], bytes).retries == 2
    lines = [record.getMessage() for record in caplog.records]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert all("HTTP 503" in line and "request id req_" in line for line in lines)


def test_a_request_is_given_up(client: Client, sandbox: SandboxProcess) -> None:
    sandbox.control.faults({"kind": "status", "status": 500})
    with pytest.raises(RequestFailed, match="given up after"):
        client.get(PATH, [], bytes)


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
    with pytest.raises(RequestFailed, match="86400 s, which is longer than max_retry"):
        client.get(PATH, [], bytes)
    assert sandbox.control.requests()["count"] == 1


# Time, without waiting for it


class Time(threading.Event):
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return False


class Script:
    """A transport that answers as it is told, each answer after so many seconds."""

    def __init__(
        self, time_: Time, *answers: RequestFailed | None, seconds: float
    ) -> None:
        self._time = time_
        self._answers = iter(answers) if answers else repeat(None)
        self._seconds = seconds

    def get(self, _path: str, _params: object) -> Response[bytes]:
        self._time.now += self._seconds
        answer = next(self._answers)
        if answer is not None:
            raise answer
        return Response(b"{}", date=1_790_000_000)


def scripted(time_: Time, *answers: RequestFailed | None, seconds: float = 1) -> Client:
    endpoint = settings("http://127.0.0.1").endpoint
    client = Client(endpoint, LOGGER, time_, clock=lambda: time_.now)
    client._transport = cast("Transport", Script(time_, *answers, seconds=seconds))
    return client


BUSY = ErrorResponse("HTTP 503", Cause.SERVER_ERROR, retriable=True, status=503)
TOO_FAST = ErrorResponse("HTTP 429", Cause.RATE_LIMIT, retriable=True, status=429)


def test_a_turn_at_the_pace_of_all_is_waited_for_however_long_it_takes() -> None:
    time_ = Time()
    client = scripted(time_, BUSY, None, seconds=0)
    client._pace.slow_down(1000)
    assert client.get(PATH, [], bytes).retries == 1
    assert time_.now > 1000


def test_a_request_that_was_not_repeated_yet_is_not_given_up() -> None:
    time_ = Time()
    client = scripted(time_, TOO_FAST, None, seconds=0)
    client._pace.slow_down(60)
    assert client.get(PATH, [], bytes).retries == 1


@pytest.mark.parametrize("error", [BUSY, TOO_FAST])
@pytest.mark.parametrize("asked", [None, 0.5])
def test_an_api_that_never_recovers_is_given_up(
    error: ErrorResponse, asked: float | None
) -> None:
    time_ = Time()
    always = repeat(replace(error, retry_after=asked))
    client = scripted(time_, *islice(always, 1000), seconds=0)
    with pytest.raises(ErrorResponse, match=r"given up after \d+ tries in \d s"):
        client.get(PATH, [], bytes)
    # Its own waits are 3 s at the most; the turns that it waited for are 2 s each.
    assert time_.now < 30


# Several workers, each of which waits in the same time


class SharedTime(threading.Event):
    """Time that passes only while all workers wait."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.now = 0.0
        self._workers = workers
        self._changed = threading.Condition()
        self._until: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        with self._changed:
            until = self.now + (timeout or 0)
            self._until.append(until)
            self._pass()
            while self.now < until:
                assert self._changed.wait(HANGS_SECONDS)
            self._until.remove(until)
        return False

    def end(self) -> None:
        """A worker has ended."""
        with self._changed:
            self._workers -= 1
            self._pass()

    def _pass(self) -> None:
        if self._until and len(self._until) == self._workers:
            self.now = min(self._until)
            self._changed.notify_all()


class Refusing:
    """A transport whose API refuses what is asked for."""

    def __init__(self, time_: SharedTime, error: ErrorResponse) -> None:
        self._time = time_
        self._error = error
        self.asked_at: list[float] = []
        self.answered = ""
        """A path that is answered all the same."""

    def get(self, path: str, _params: object) -> Response[bytes]:
        self.asked_at.append(self._time.now)
        if path == self.answered:
            self._time.wait(0.25)
            return Response(b"{}", date=1_790_000_000)
        raise self._error


def at_the_same_time(
    time_: SharedTime,
    transport: Refusing,
    *paths: str,
    max_retry_seconds: int,
    pace: Pace | None = None,
) -> list[str]:
    """Ask for each path in a thread of its own; what each was told in the end."""
    endpoint = replace(
        settings("http://127.0.0.1"), max_retry_seconds=max_retry_seconds
    ).endpoint
    client = Client(endpoint, LOGGER, time_, pace=pace, clock=lambda: time_.now)
    client._transport = cast("Transport", transport)

    def ask(path: str) -> str:
        try:
            client.get(path, [], bytes)
        except RequestFailed as error:
            return str(error)
        else:
            return "answered"
        finally:
            time_.end()

    with ThreadPoolExecutor(len(paths)) as workers:
        return list(workers.map(ask, paths))


WORKERS = [PATH] * 8


@pytest.mark.parametrize("seconds", [10, 60])
@pytest.mark.parametrize("error", [BUSY, TOO_FAST])
@pytest.mark.parametrize("asked", [None, 0.001, 1])
def test_an_api_that_refuses_all_workers_is_given_up_after_that_time(
    error: ErrorResponse, asked: float | None, seconds: int
) -> None:
    time_ = SharedTime(len(WORKERS))
    transport = Refusing(time_, replace(error, retry_after=asked))
    found = at_the_same_time(time_, transport, *WORKERS, max_retry_seconds=seconds)
    assert all(f"max_retry_seconds is {seconds})" in told for told in found)
    assert time_.now <= seconds
    # As soon as another try would come too late, which is after 30 s at the most.
    assert time_.now >= min(seconds / 3, seconds - 30)


@pytest.mark.parametrize("error", [BUSY, TOO_FAST])
def test_no_header_makes_a_worker_ask_sooner_than_in_half_a_second(
    error: ErrorResponse,
) -> None:
    time_ = SharedTime(1)
    transport = Refusing(time_, replace(error, retry_after=0.001))
    at_the_same_time(time_, transport, PATH, max_retry_seconds=12)
    assert 2 < len(transport.asked_at) <= 12 / 0.5 + 1
    assert all(b - a >= 0.5 for a, b in pairwise(transport.asked_at))


def test_the_time_begins_with_the_first_refusal_after_an_answer() -> None:
    time_ = Time()
    refused = islice(cycle([TOO_FAST, None]), 100)
    client = scripted(time_, *refused, seconds=0)
    for _ in range(5):
        assert client.get(PATH, [], bytes).retries >= 1
        time_.now += 3600  # a target that does not take what was read


def test_a_request_is_refused_for_ever_while_others_are_answered() -> None:
    time_ = SharedTime(2)
    transport = Refusing(time_, replace(TOO_FAST, retry_after=1))
    transport.answered = "/other"
    endpoint = replace(settings("http://127.0.0.1"), max_retry_seconds=10).endpoint
    client = Client(endpoint, LOGGER, time_, clock=lambda: time_.now)
    client._transport = cast("Transport", transport)
    over = threading.Event()

    def others() -> None:
        while not over.is_set():
            client.get("/other", [], bytes)
        time_.end()

    def one() -> None:
        told = r"given up after 11 tries in 10 s \(max"
        try:
            with pytest.raises(ErrorResponse, match=told):
                client.get(PATH, [], bytes)
        finally:
            over.set()
            time_.end()

    with ThreadPoolExecutor(2) as workers:
        for found in [workers.submit(others), workers.submit(one)]:
            found.result()


def test_keeping_a_published_limit_is_not_time_in_which_the_api_refuses() -> None:
    time_ = Time()
    pace = Pace(lambda: time_.now, most_per_minute=1)
    found = replace(settings("http://127.0.0.1"), max_retry_seconds=10)
    client = Client(
        found.endpoint,
        LOGGER,
        time_,
        pace=pace,
        clock=lambda: time_.now,
    )
    script = Script(time_, *[BUSY] * 3, None, seconds=0)
    client._transport = cast("Transport", script)
    assert client.get(PATH, [], bytes).retries == 3
    assert time_.now >= 180


def test_one_try_is_told_as_one() -> None:
    with pytest.raises(ErrorResponse, match=r"given up after 1 try in 73 s \("):
        scripted(Time(), BUSY, seconds=73).get(PATH, [], bytes)


def test_an_error_is_not_changed_when_it_is_given_up() -> None:
    with pytest.raises(ErrorResponse) as caught:
        scripted(Time(), BUSY, seconds=73).get(PATH, [], bytes)
    assert BUSY.what == "HTTP 503"
    assert caught.value is not BUSY
    assert caught.value.status == 503


def test_a_wait_of_any_size_is_told_in_a_few_digits() -> None:
    error = replace(TOO_FAST, retry_after=1e300)
    with pytest.raises(ErrorResponse, match=r"asks to wait 1e\+300 s, which is longer"):
        scripted(Time(), error).get(PATH, [], bytes)


def test_waiting_ends_at_once_when_the_run_ends(
    sandbox: SandboxProcess, stop: threading.Event
) -> None:
    wait = 10 * HANGS_SECONDS
    headers = {"Retry-After": str(wait)}
    sandbox.control.faults({"kind": "status", "status": 429, "headers": headers})
    sandbox.control.forget_requests()
    client = client_of(sandbox, stop, max_retry_seconds=2 * wait)

    def stop_when_it_waits() -> None:
        while not any(r["status"] for r in sandbox.control.requests()["log"]):
            stop.wait(0.05)
        stop.set()

    threading.Thread(target=stop_when_it_waits, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        client.get(PATH, [], bytes)
    assert time.monotonic() - began < HANGS_SECONDS
