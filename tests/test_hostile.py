"""Names and user agents are written by whoever signs up. None of them stops a load."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tap_command import TapCommand

from testing.hostile import TEXTS, hostile_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Loaded
    from sandbox.process import SandboxProcess
    from testing.meltano_project import MeltanoProject


@pytest.fixture
def ids(sandbox: SandboxProcess) -> set[str]:
    """The ids of ordinary events and of hostile ones among them."""
    sandbox.control.add_events(raw=hostile_events(sandbox.control.now()))
    return {found.id for found in sandbox.control.events()}


def test_hostile_events_come_out_of_the_tap_as_valid_lines(
    ids: set[str], sandbox: SandboxProcess, tmp_path: Path
) -> None:
    outcome = TapCommand(sandbox, tmp_path).run()
    assert outcome.code == 0
    assert set(outcome.ids) == ids
    records = {record["id"]: record for record in outcome.records()}
    for number, name in enumerate(TEXTS):
        record = records[f"audit_log-hostile-{number:03}"]
        said = {
            "nul": "a�b",
            "lone surrogate": "a�b�",
        }.get(name, json.loads(f'"{TEXTS[name]}"'))
        assert record["actor"]["session"]["user_agent"] == said
        if len(said) < 1_000:
            assert record["details"]["error_message"] == said


@pytest.mark.parametrize("target", ["postgres", "duckdb", "jsonl"])
def test_hostile_events_and_all_others_are_loaded(
    target: str,
    ids: set[str],
    meltano: MeltanoProject,
    request: pytest.FixtureRequest,
) -> None:
    read: Callable[[], Loaded] = request.getfixturevalue(f"in_{target}")
    meltano("run", "tap-openai-audit", f"target-{target}")
    assert set(read().ids) == ids
