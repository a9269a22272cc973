"""Memory stays small whatever events and bodies look like."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from tap_command import TapCommand, repeated

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 150_000_000  # bytes: the promise of the documents
DAY = 86_400


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[TapCommand]:
    with SandboxProcess(events=300, tenant_events=0, start="30d") as sandbox:
        yield TapCommand(sandbox, tmp_path)


def add_large(tap: TapCommand, size: int, count: int) -> None:
    chance = random.Random(size)  # noqa: S311 - reproducible
    now = tap.sandbox.control.now()
    details = {"data": "x" * size}
    for first in range(0, count, 100):
        tap.sandbox.control.add_events(
            raw=[
                {
                    "id": f"audit_log-{number:08}",
                    "type": "user.added",
                    "effective_at": int(now - 30 * DAY * chance.random()),
                    "user.added": details,
                }
                for number in range(first, min(first + 100, count))
            ]
        )


def test_many_events_are_read_in_bounded_memory(tmp_path: Path) -> None:
    with SandboxProcess(events=40_000, tenant_events=0, start="300d") as sandbox:
        outcome = TapCommand(sandbox, tmp_path).run()
    assert len(outcome.ids) == 40_000
    assert 0 < outcome.memory < MOST


@pytest.mark.parametrize(("size", "count"), [(20_000, 2_000), (1_000_000, 40)])
@pytest.mark.parametrize("concurrency", [8, 64])
def test_large_events_are_read_in_bounded_memory(
    tap: TapCommand, size: int, count: int, concurrency: int
) -> None:
    add_large(tap, size, count)
    outcome = tap.run(concurrency=concurrency)
    assert outcome.code == 0
    assert set(outcome.ids) == tap.truth
    assert not repeated(outcome.ids)
    assert 0 < outcome.memory < MOST


def test_a_page_that_is_too_large_is_asked_for_again_with_fewer_events(
    tap: TapCommand,
) -> None:
    add_large(tap, 3_000_000, 24)
    outcome = tap.run()
    assert outcome.code == 0
    assert set(outcome.ids) == tap.truth
    asked = {
        limit
        for request in tap.sandbox.control.requests()["log"]
        for limit in parse_qs(request["query"])["limit"]
    }
    assert {"100", "10"} <= asked
    assert outcome.memory < MOST


def test_bodies_that_swell_are_refused_in_bounded_memory(tap: TapCommand) -> None:
    swell = {"kind": "swell", "bytes": 100_000_000}
    tap.sandbox.control.faults(swell)
    outcome = tap.run()
    assert outcome.code == 1
    assert "a body of more than 16 MiB" in outcome.last_line
    tap.sandbox.control.faults({**swell, "times": 2})
    outcome = tap.run()
    assert outcome.code == 0
    assert set(outcome.ids) == tap.truth
    assert outcome.memory < MOST
