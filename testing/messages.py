"""What the tap wrote, and what it would have written: Singer messages."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from testing.meltano_project import program_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sandbox.process import SandboxProcess

Message = dict[str, Any]
DEADLINE = 900  # seconds; bounds a hang, and nothing else
_TYPES = {
    str: {"type": ["string", "null"]},
    bool: {"type": ["boolean", "null"]},
    int: {"type": ["integer", "null"]},
    dict: {"type": ["object", "null"], "additionalProperties": True},
    datetime: {"type": ["string", "null"], "format": "date-time"},
}


ADA = {
    "type": "session",
    "session": {"user": {"id": "user-1", "email": "ada@example.com"}},
}
EVENTS = {
    "id": str,
    "effective_at": datetime,
    "type": str,
    "scope": str,
    "organization_id": str,
    "actor": dict,
    "details": dict,
    "extra": dict,
}


def extracted(sandbox: SandboxProcess, directory: Path) -> list[Message]:
    """Run both taps with all their streams; each goes on from where it was."""
    of_the_organization = {
        "organization_id": sandbox.organization_id,
        "admin_key": sandbox.admin_key,
        "api_url": sandbox.url,
    }
    of_the_workspace = {
        "workspace_id": sandbox.workspace_id,
        "key": sandbox.workspace_key,
        "api_url": sandbox.workspace_url,
    }
    return [
        *_run("tap-openai-audit", of_the_organization, directory),
        *_run("tap-chatgpt-workspace", of_the_workspace, directory),
    ]


def _run(tap: str, settings: Mapping[str, str], directory: Path) -> list[Message]:
    config = directory / f"{tap}.json"
    config.write_text(json.dumps(settings))
    catalog = directory / f"{tap}.catalog.json"
    state = directory / f"{tap}.state.json"
    if not catalog.exists():
        found = json.loads(_output(tap, "--config", str(config), "--discover"))
        for stream in found["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = True
        catalog.write_text(json.dumps(found))
    arguments = ["--config", str(config), "--catalog", str(catalog)]
    if state.exists():
        arguments += ["--state", str(state)]
    lines = _output(tap, *arguments).split("\n")
    messages = [json.loads(line) for line in lines if line]
    states = [m["value"] for m in messages if m["type"] == "STATE"]
    state.write_text(json.dumps(states[-1]))
    return messages


def _output(tap: str, *arguments: str) -> str:
    ran = subprocess.run(
        [program_of(tap), *arguments],
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    return ran.stdout


def records(messages: Iterable[Message], stream: str) -> list[Message]:
    """Return the records of a stream."""
    return [
        m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream
    ]


def stream_of(
    stream: str,
    keys: Sequence[str],
    columns: Mapping[str, type],
    rows: Iterable[Mapping[str, Any]],
) -> list[Message]:
    """Return the messages of a stream with these rows."""
    schema = {"properties": {name: _TYPES[kind] for name, kind in columns.items()}}
    # As the warehouse has it.
    read_at = datetime.now(timezone.utc).isoformat()  # noqa: TID251
    return [
        {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": keys},
        *(
            {
                "type": "RECORD",
                "stream": stream,
                "record": {name: row.get(name) for name in columns},
                "time_extracted": read_at,
            }
            for row in rows
        ),
    ]


def event(id_: str, **columns: Any) -> Message:
    """Return a row of `audit_logs`; who did it is Ada, unless a column says else."""
    return {
        "id": id_,
        "effective_at": "2026-11-01T12:00:00+00:00",
        "type": "user.deleted",
        "scope": "organization",
        "organization_id": "org-1",
        "actor": ADA,
        "details": {"id": "user-2"},
        **columns,
    }


def events(*rows: Message) -> list[Message]:
    """Return the messages of `audit_logs` with these rows."""
    return stream_of("audit_logs", ["id"], EVENTS, rows)
