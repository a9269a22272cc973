"""Names and user agents are written by whoever signs up. None of them stops a load."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from tap_command import TapCommand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Loaded
    from meltano_project import MeltanoProject

    from sandbox.process import SandboxProcess

TEXTS = {
    "nul": r"a\u0000b",
    "lone surrogate": r"a\ud800b\udc00",
    "bidirectional": r"\u202egpj.exe\u2066",
    "control": r"\u0001\u0007\u001b[31m\u007f\u0085",
    "line ends": r"a\nb\r\nc\u2028d",
    "quotes": r"'; DROP TABLE audit_logs; --\"\\",
    "formula": "=HYPERLINK()",
    "format": "%s {0} ${HOME} {{ jinja }}",
    "emoji": "👩‍💻 e\u0301 ﷽",
    "long": "x" * 1_000_000,
    "empty": "",
}
KEYS = (
    "__proto__",
    "constructor",
    'quo\\"te',
    "k" * 300,
    "a.b",
    "a b",
    "$",
    "",
    r"\u0000",
)


def event(text: str, number: int, inner: str) -> str:
    at = int(time.time()) - 60
    # DuckDB reads lines of 2 MB at the most, which one long text does not fill.
    name = text if len(text) < 1_000 else '"Ada"'
    return (
        f'{{"id": "audit_log-hostile-{number:03}", "type": "login.failed",'
        f' "effective_at": {at}, "project": {{"id": "proj_x", "name": {name}}},'
        f' "actor": {{"type": "session", "session": {{"user_agent": {text},'
        f' "user": {{"id": "user-x", "email": {name}}}}}}},'
        f' "login.failed": {{"error_message": {name}, "inner": {inner}}},'
        f' "added tomorrow": {inner}}}'
    )


def hostile_events() -> list[str]:
    texts = [f'"{text}"' for text in TEXTS.values()]
    objects = ", ".join(f'"{key}": [{{"{key}": 1}}]' for key in KEYS)
    inner = [
        *(text if len(text) < 1_000 else "null" for text in texts),
        f"{{{objects}}}",
        "[" * 500 + "]" * 500,
        '{"a":' * 3_000 + "null" + "}" * 3_000,
        "[9007199254740993, 1e-7, -0.0, 123456789012345678901234567890]",
    ]
    return [
        event(texts[number % len(texts)], number, value)
        for number, value in enumerate(inner)
    ]


@pytest.fixture
def ids(sandbox: SandboxProcess) -> set[str]:
    """The ids of ordinary events and of hostile ones among them."""
    sandbox.control.add_events(raw=hostile_events())
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
