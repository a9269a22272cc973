"""Names and user agents are written by whoever signs up. None of them stops a load."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from meltano_project import MeltanoProject, program_of
from tap_command import TapCommand, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.postgres import Database
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
    read: Callable[[], set[str]] = request.getfixturevalue(f"in_{target}")
    meltano("run", "tap-openai-audit", f"target-{target}")
    assert read() == ids


@pytest.fixture
def in_postgres(meltano: MeltanoProject, postgres: Database) -> Callable[[], set[str]]:
    schema = f"hostile_{uuid4().hex}"
    meltano.variables.update(postgres.environment)
    meltano.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = schema

    def read() -> set[str]:
        with postgres.connect(schema) as connection:
            return {row[0] for row in connection.execute("SELECT id FROM audit_logs")}

    return read


@pytest.fixture
def in_duckdb(meltano: MeltanoProject) -> Callable[[], set[str]]:
    script = (
        "import duckdb, json, sys; db = duckdb.connect(sys.argv[1], read_only=True);"
        "print(json.dumps([id for id, in db.sql("
        "'SELECT id FROM sandbox.tap_openai_audit.audit_logs').fetchall()]))"
    )

    def read() -> set[str]:
        python = program_of("target-duckdb").with_name("python")
        file = meltano.directory / "sandbox.duckdb"
        return set(json.loads(run([str(python), "-c", script, str(file)]).out))

    return read


@pytest.fixture
def in_jsonl(meltano: MeltanoProject) -> Callable[[], set[str]]:
    def read() -> set[str]:
        file = meltano.directory / "output" / "sandbox" / "audit_logs.jsonl"
        lines: list[dict[str, Any]] = [
            json.loads(line) for line in file.read_text("utf-8").split("\n") if line
        ]
        return {line["id"] for line in lines}

    return read
