"""A workspace's event can be rebuilt from its record, to the last digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_openai_audit.workspace.api import AUDIT_LOG, AUTH_LOG
from tap_openai_audit.workspace.log_files import LogEvent, LogFile
from tap_openai_audit.workspace.log_lines import events_of
from tap_openai_audit.workspace.record import Recorder

WORKSPACE = "01234567-89ab-cdef-0123-456789abcdef"
FILE = LogFile("file-1", "2026-11-23T10:10:00+02:00", 1_795_421_400.0, 2, None)
STAMPS = {"workspace_id", "file_id", "file_end_time"}
OWN = {"action", "action_result", "action_privilege", "actor", "action_data",
       "request_metadata"}  # fmt: skip

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=6,
)
NAMES = st.sampled_from(
    sorted(OWN | {"type", "timestamp", "principal", "new", *STAMPS})
)
PRINCIPAL = {"id": WORKSPACE, "type": "CHATGPT_WORKSPACE"}


def as_json(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}" if value else "0.0"
    if isinstance(value, dict):
        parts = (f"{json.dumps(k)}:{as_json(v)}" for k, v in value.items())
        return f"{{{','.join(parts)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(as_json, value))}]"
    return json.dumps(value)


def exact(text: str | bytes) -> Any:
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


def recorded(line: str, event_type: str = AUDIT_LOG) -> dict[str, Any]:
    (event,) = events_of(line.encode())
    assert isinstance(event, LogEvent)
    record: dict[str, Any] = exact(Recorder(event_type, WORKSPACE).json(FILE, event))
    return record


def rebuilt(record: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """The event that a record is of; what is null there may be missing."""
    found = {"event_id": record["event_id"], **(record["extra"] or {})}
    found |= {name: record[name] for name in OWN & record.keys() if name not in found}
    found.setdefault("type", AUDIT_LOG)
    found.setdefault("principal", PRINCIPAL)
    if "timestamp" not in found and record["timestamp"]:
        found["timestamp"] = record["timestamp"]
    missing = {"type", "principal", *OWN} - event.keys()
    return {k: v for k, v in found.items() if k not in missing}


@given(st.dictionaries(NAMES, JSON))
def test_an_event_can_be_rebuilt_from_its_record(fields: dict[str, Any]) -> None:
    event = {"event_id": "one", **fields}
    line = as_json(event)
    assert rebuilt(recorded(line), event) == exact(line)


@pytest.mark.parametrize(
    ("sent", "column", "kept"),
    [
        ("2026-11-23T08:10:00Z", "2026-11-23T08:10:00+00:00", False),
        ("2026-11-23T08:10:00.5Z", "2026-11-23T08:10:00.500000+00:00", False),
        ("2026-11-23T08:10:00.1234567Z", "2026-11-23T08:10:00.123456+00:00", True),
        ("2026-11-23T10:10:00+02:00", "2026-11-23T08:10:00+00:00", True),
        ("soon", None, True),
    ],
)
def test_a_time_is_utc_and_kept_as_it_came_where_that_says_less(
    sent: str, column: str | None, *, kept: bool
) -> None:
    record = recorded(json.dumps({"event_id": "one", "timestamp": sent}))
    assert record["timestamp"] == column
    assert (record["extra"] == {"timestamp": sent}) == kept


def test_what_is_the_same_on_all_events_of_a_file_is_stamped() -> None:
    line = json.dumps({"event_id": "one", "type": AUDIT_LOG, "principal": PRINCIPAL})
    record = recorded(line)
    assert record["extra"] is None
    assert record["workspace_id"] == WORKSPACE
    assert record["file_id"] == "file-1"
    assert record["file_end_time"] == "2026-11-23T08:10:00+00:00"


@pytest.mark.parametrize(
    ("data", "action"),
    [
        ({"action": "login_failed"}, "login_failed"),
        ({"action": 5}, None),
        ({}, None),
        (None, None),
        ("login_failed", None),
    ],
)
def test_the_action_of_a_sign_in_is_copied_out_of_its_data(
    data: object, action: str | None
) -> None:
    line = json.dumps({"event_id": "one", "action_data": data})
    record = recorded(line, AUTH_LOG)
    assert record["action"] == action
    assert "action_privilege" not in record
    kept = record["action_data"] or (record["extra"] or {}).get("action_data")
    assert kept == (data or None)
