from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_openai_audit.inventory.record import Recorder
from tap_openai_audit.singer.columns import (
    count,
    flag,
    group,
    moment,
    open_object,
    several,
    snapshot,
    text,
)

SCHEMA = snapshot(
    text("project_id", "A project.", required=True),
    text("id", "An id.", required=True),
    text("name", "A name."),
    flag("active", "A flag."),
    count("limit", "A number."),
    moment("created_at", "A time."),
    group("owner", "An object.", text("id", "An id."), count("at", "A number.")),
    several("roles", "An array.", open_object(text("id", "An id."))),
)
STAMPS = {"project_id": "proj_1", "organization_id": "org-1", "run_id": "run"}
RECORDER = Recorder(SCHEMA)

NAMES = [*SCHEMA["properties"], "object", "colour"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "at", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
OBJECTS = st.fixed_dictionaries(
    {"id": st.text(min_size=1)},
    optional={name: VALUES for name in NAMES if name != "id"},
)


def given_back(record: dict[str, Any]) -> dict[str, Any]:
    """The object that a record was made of, without what was null."""
    found = {k: v for k, v in record.items() if k not in {*STAMPS, "extra"}}
    if found["created_at"] is not None:
        at = datetime.fromisoformat(found["created_at"])
        found["created_at"] = int(at.timestamp())
    found |= record["extra"] or {}
    return {k: v for k, v in found.items() if v is not None}


@given(OBJECTS)
def test_nothing_is_lost(item: dict[str, Any]) -> None:
    record = RECORDER.record(item, STAMPS)
    expected = {k: v for k, v in item.items() if v is not None and STAMPS.get(k) != v}
    assert given_back(record) == expected


@given(OBJECTS)
def test_every_record_is_what_its_schema_says(item: dict[str, Any]) -> None:
    record = RECORDER.record(item, STAMPS)
    jsonschema.validate(record, SCHEMA)
    assert record.keys() == SCHEMA["properties"].keys()


def test_unknown_keys_are_kept() -> None:
    record = RECORDER.record({"id": "a", "colour": {"name": "red"}}, STAMPS)
    assert record["extra"] == {"colour": {"name": "red"}}


def test_without_unknown_keys_extra_is_null() -> None:
    assert RECORDER.record({"id": "a"}, STAMPS)["extra"] is None


def test_unknown_properties_of_objects_stay_where_they_are() -> None:
    owner = {"id": "user_1", "shoe_size": Decimal("42.5")}
    record = RECORDER.record({"id": "a", "owner": owner}, STAMPS)
    assert record["owner"] == owner
    assert record["extra"] is None


def test_times_are_date_times() -> None:
    record = RECORDER.record({"id": "a", "created_at": 1711471533}, STAMPS)
    assert record["created_at"] == "2024-03-26T16:45:33+00:00"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 7),
        ("active", "yes"),
        ("limit", "600"),
        ("limit", True),
        ("limit", 2**63),
        ("limit", Decimal("1.5")),
        ("created_at", "2024-03-26T16:45:33Z"),
        ("created_at", 1711471533000),
        ("created_at", -1),
        ("created_at", True),
        ("owner", "somebody"),
        ("owner", {"id": 7}),
        ("roles", [{"id": "a"}, {"id": 7}]),
        ("roles", ["owner"]),
        ("extra", {"a": 1}),
    ],
)
def test_a_value_that_does_not_fit_goes_to_extra(name: str, value: Any) -> None:
    record = RECORDER.record({"id": "a", name: value}, STAMPS)
    assert record["extra"] == {name: value}
    assert name == "extra" or record[name] is None


def test_what_contradicts_the_tap_goes_to_extra() -> None:
    item = {"id": "a", "project_id": "proj_2", "organization_id": "org-1"}
    record = RECORDER.record(item, STAMPS)
    assert record["project_id"] == "proj_1"
    assert record["extra"] == {"project_id": "proj_2"}
