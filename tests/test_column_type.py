"""What fits a column is what its schema says, and it is said once."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_openai_audit.audit_logs.schema import SCHEMA
from tap_openai_audit.singer.column_type import column_type
from tap_openai_audit.singer.columns import (
    anything,
    count,
    flag,
    group,
    open_object,
    schema_of,
    several,
    text,
)

COLUMNS: dict[str, Any] = schema_of(
    text("id", "An id.", required=True),
    text("name", "A name."),
    flag("active", "A flag."),
    count("limit", "A number."),
    group("owner", "An object.", text("id", "An id."), count("at", "A number.")),
    several("roles", "An array.", open_object(text("id", "An id."))),
    anything("rest", "All the rest."),
)["properties"] | {name: SCHEMA["properties"][name] for name in ("project", "actor")}

KEYS = st.sampled_from(
    ["id", "at", "type", "session", "api_key", "user", "email", "new"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)


def fits(value: Any, column: dict[str, Any]) -> bool:
    try:
        msgspec.convert(value, column_type(column))
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", COLUMNS)
@given(value=VALUES)
def test_what_fits_is_what_the_schema_says(name: str, value: Any) -> None:
    valid = jsonschema.Draft7Validator(COLUMNS[name]).is_valid(value)
    assert fits(value, COLUMNS[name]) == valid


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_a_number_of_more_than_64_bits_does_not_fit(number: int) -> None:
    assert not fits(number, COLUMNS["limit"])
    assert not fits({"at": number}, COLUMNS["owner"])


def test_bytes_are_judged_like_objects() -> None:
    decoder = msgspec.json.Decoder(column_type(COLUMNS["actor"]))
    decoder.decode(b'{"session": {"user": {"id": "user_1", "new": 1e400}}}')
    with pytest.raises(msgspec.ValidationError):
        decoder.decode(b'{"session": {"user": {"id": 7}}}')


def test_a_type_that_no_column_has_is_refused_when_it_is_declared() -> None:
    with pytest.raises(KeyError, match="number"):
        column_type({"type": ["number", "null"]})
