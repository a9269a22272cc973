"""What an operator sees of a long run."""

from __future__ import annotations

import logging

import pytest
from model_api import ModelApi

from tap_openai_audit.extraction.reader import Reader
from tap_openai_audit.extraction.report import Report
from tap_openai_audit.extraction.windows import Window
from tap_openai_audit.streams import progress
from tap_openai_audit.streams.progress import Progress, summary

BEGAN = 1_790_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that pass as the test says: the last one is now."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[-1])
    return now


def test_there_is_a_line_every_ten_seconds_and_no_more(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    report = Report("organization", BEGAN)
    watched = Progress(logging.getLogger("test"), report)
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


def test_the_end_says_what_came_of_it() -> None:
    report = Report(
        "tenant", BEGAN, read=12, emitted=10, known=2, requests=3, retries=1
    )
    report.late, report.latest_by = 4, 1_800
    report.window_start, report.complete = BEGAN, True
    assert summary(report) == (
        "tenant: 10 events emitted, 2 already known, 12 read in 3 requests (1 retried),"
        " asked from 2026-09-21T14:13:20+00:00, 4 late by up to 1,800 s; complete"
    )
    report.complete, report.reason = False, "HTTP 500"
    assert summary(report).endswith("; NOT complete: HTTP 500")
