"""How an object of the API becomes a record: nothing is lost, whatever is added later.

What is documented has a column. A documented Unix time is a date-time there; times
inside nested objects stay the numbers they are, because those are passed on as they
come. Every other key goes to `extra`, and so does a value that does not have the type
its column promises; the column is null then. Numbers are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_openai_audit.api.audit_log import LAST_SECOND
from tap_openai_audit.streams.columns import EXTRA
from tap_openai_audit.streams.record import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST = 2**63
"""Loaders keep whole numbers in 64 bits, of which one is the sign."""

_KINDS = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    str: "string",
    list: "array",
    dict: "object",
}


class Recorder:
    """Makes records out of the objects of one stream."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Prepare for records of this schema."""
        self._columns = {
            name: column
            for name, column in schema["properties"].items()
            if name != EXTRA
        }

    def record(self, item: dict[str, Any], stamps: Mapping[str, str]) -> dict[str, Any]:
        """Make a record.

        Args:
            item: The object, as the API gives it.
            stamps: Columns that the tap itself knows. They win over the object's own.
        """
        record: dict[str, Any] = {**dict.fromkeys(self._columns), **stamps}
        extra = {}
        for name, value in item.items():
            column = self._columns.get(name)
            if name in stamps:
                kept = value == stamps[name]
            elif column is None:
                kept = False
            elif column.get("format") == "date-time":
                kept = value is None or _is_second(value)
                record[name] = iso(value) if kept and value is not None else None
            else:
                kept = _fits(value, column)
                record[name] = value if kept else None
            if not kept:
                extra[name] = value
        record[EXTRA] = extra or None
        return record


def _is_second(value: object) -> bool:
    return type(value) is int and 0 <= value <= LAST_SECOND


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether a value is what a part of the schema promises."""
    kind = _KINDS.get(type(value))
    if kind is None or kind not in schema.get("type", ()):
        return False
    if isinstance(value, int):
        return -_LARGEST <= value < _LARGEST
    if isinstance(value, list):
        items = schema.get("items", {})
        return all(_fits(item, items) for item in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return all(
            _fits(inner, known[name]) for name, inner in value.items() if name in known
        )
    return True
