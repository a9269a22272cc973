"""What the tap wrote, and what it would have written: Singer messages."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from meltano_project import program_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sandbox.process import SandboxProcess

Message = dict[str, Any]
DEADLINE = 300  # seconds; bounds a hang, and nothing else
_TYPES = {
    str: {"type": ["string", "null"]},
    bool: {"type": ["boolean", "null"]},
    int: {"type": ["integer", "null"]},
    dict: {"type": ["object", "null"], "additionalProperties": True},
    datetime: {"type": ["string", "null"], "format": "date-time"},
}


def extracted(sandbox: SandboxProcess, directory: Path) -> list[Message]:
    """Run the tap with all its streams; it goes on from where it was."""
    config = directory / "tap.json"
    config.write_text(
        json.dumps(
            {
                "organization_id": sandbox.organization_id,
                "admin_key": sandbox.admin_key,
                "api_url": sandbox.url,
            }
        )
    )
    catalog, state = directory / "catalog.json", directory / "state.json"
    if not catalog.exists():
        found = json.loads(_tap("--config", str(config), "--discover"))
        for stream in found["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = True
        catalog.write_text(json.dumps(found))
    arguments = ["--config", str(config), "--catalog", str(catalog)]
    if state.exists():
        arguments += ["--state", str(state)]
    lines = _tap(*arguments).split("\n")
    messages = [json.loads(line) for line in lines if line]
    states = [m["value"] for m in messages if m["type"] == "STATE"]
    state.write_text(json.dumps(states[-1]))
    return messages


def _tap(*arguments: str) -> str:
    return subprocess.run(
        [program_of("tap-openai-audit"), *arguments],
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
    ).stdout


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
    read_at = datetime.now(timezone.utc).isoformat()
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


def digests(
    known: Iterable[Message], new: Iterable[Message], report: Message
) -> list[Message]:
    """Return the digests of the days of new events, as the run of a report writes them.

    Args:
        known: The events of the runs before.
        new: The events of the run.
        report: Its record in `sync_reports`.
    """
    days: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for event in new:
        days[_day_of(event)].append(event)
    for event in known:
        if _day_of(event) in days:
            days[_day_of(event)].append(event)
    return stream_of(
        "audit_log_digests",
        ["organization_id", "scope", "chain_id", "day"],
        {
            "organization_id": str,
            "scope": str,
            "chain_id": str,
            "day": datetime,
            "events": int,
            "ids_checksum": int,
            "counted_from": datetime,
            "counted_to": datetime,
            "exact": bool,
            "run_id": str,
            "updated_at": datetime,
        },
        [
            {
                "organization_id": report["organization_id"],
                "scope": scope,
                "chain_id": report["chain_id"],
                "day": f"{day}T00:00:00+00:00",
                "events": len({event["id"] for event in found}),
                "ids_checksum": sum(_first_digits({event["id"] for event in found})),
                "counted_from": f"{day}T00:00:00+00:00",
                "counted_to": _next(day),
                "exact": True,
                "run_id": report["run_id"],
                "updated_at": report["finished_at"],
            }
            for (scope, day), found in days.items()
        ],
    )


def _day_of(event: Message) -> tuple[str, str]:
    return event["scope"], event["effective_at"][:10]


def _first_digits(ids: Iterable[str]) -> Iterable[int]:
    """Return the numbers that the first eight digits of the ids' MD5 are."""
    for id_ in ids:
        md5 = hashlib.md5(id_.encode(), usedforsecurity=False).hexdigest()
        yield int(md5[:8], 16)


def _next(day: str) -> str:
    return (
        datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(days=1)
    ).isoformat()
