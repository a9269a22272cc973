"""What an operator sees of a long run."""

from __future__ import annotations

import logging
import time
from contextlib import closing

import pytest
from model_api import ModelApi, event

from tap_openai_audit.audit_logs.reader import Reader
from tap_openai_audit.audit_logs.report import Report
from tap_openai_audit.singer.progress import Progress, summary
from tap_openai_audit.windows import Window

BEGAN = 1_790_000_000
DEADLINE = 60  # seconds; bounds a hang, and nothing else


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that pass as the test says: the last one is now."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[-1])
    return now


def test_there_is_a_line_every_ten_seconds_and_no_more(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    report = Report(scope="organization", started_at=BEGAN)
    watched = Progress(logging.getLogger("test"), "organization", report)
    reader = Reader(ModelApi([]), Window(), workers=1)
    for tenth in range(301):
        clock.append(100 + tenth / 10)
        if tenth == 150:
            report.read, report.oldest, report.newest = 1_200, BEGAN, BEGAN + 24
            reader.newest, reader.requests = BEGAN + 99, 13
        watched.tick(reader)
    first, second, third = [record.getMessage() for record in caplog.records]
    assert first.endswith("looking for the oldest event")
    assert second == (
        "organization: 1,200 events in 20 s, 60 a second, 13 requests, up to"
        " 2026-09-21T14:13:44+00:00, 25% of the time range, 60 s left"
    )
    assert "in 30 s, 40 a second" in third


def test_a_line_tells_when_all_workers_mostly_wait_for_the_target(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    report = Report(
        scope="organization", started_at=BEGAN, read=50, oldest=BEGAN, newest=BEGAN + 24
    )
    watched = Progress(logging.getLogger("test"), "organization", report)
    reader = Reader(ModelApi([]), Window(), workers=3)
    reader.newest = BEGAN + 99
    for looks in ([0, 2, 2], [3, 2, 3], [2, 2, 3], [2, 3]):
        for waiting in looks[:-1]:
            reader.waiting = waiting
            watched.tick(reader)
        clock.append(clock[-1] + 10)
        reader.waiting = looks[-1]
        watched.tick(reader)
    says = [", waiting for the target" in line for line in caplog.messages]
    assert says == [False, True, False, False]
    assert caplog.messages[1].endswith("s left, waiting for the target")


def test_all_workers_of_a_reader_wait_while_its_caller_does_not_take_what_is_read(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    events = [event(BEGAN + number, number) for number in range(1_000)]
    reader = Reader(ModelApi(events), Window(BEGAN, BEGAN + 1_000), workers=2)
    watched = Progress(
        logging.getLogger("test"),
        "organization",
        Report(scope="organization", started_at=BEGAN),
    )
    with closing(iter(reader)) as windows:
        next(windows)
        deadline = time.perf_counter() + DEADLINE
        while reader.waiting < 2:
            assert time.perf_counter() < deadline
            time.sleep(0.01)
        clock.append(clock[-1] + 10)
        watched.tick(reader)
    assert caplog.messages[0].endswith("waiting for the target")


def test_the_end_says_what_came_of_it() -> None:
    report = Report(scope="tenant", read=12, emitted=10, known=2, requests=3, retries=1)
    report.late, report.latest_by = 4, 1_800
    report.asked, report.window_start, report.complete = True, BEGAN, True
    assert summary(report) == (
        "tenant: 10 events emitted, 2 already known, 12 read in 3 requests (1 retried),"
        " asked from 2026-09-21T14:13:20+00:00; 4 late by up to 1,800 s; complete"
    )
    report.complete, report.reason = False, "HTTP 500"
    assert summary(report).endswith("; NOT complete: HTTP 500")
