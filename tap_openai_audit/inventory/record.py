"""How an object of the API becomes a record: nothing is lost, whatever is added later.

What is documented has a column. A documented Unix time is a date-time there; times
inside nested objects stay the numbers they are, because those are passed on as they
come. Every other key goes to `extra`, and so does a value that does not fit its column;
the column is null then. Numbers are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from tap_openai_audit.audit_logs.api import LAST_SECOND
from tap_openai_audit.singer.column_type import column_type
from tap_openai_audit.singer.columns import EXTRA
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECOND = Annotated[int, msgspec.Meta(ge=0, le=LAST_SECOND)] | None
"""What the API gives for a date-time."""


class Recorder:
    """Makes records out of the objects of one stream."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        columns = {k: v for k, v in schema["properties"].items() if k != EXTRA}
        self._times = {k for k, v in columns.items() if v.get("format") == "date-time"}
        # A struct of one field for each column: msgspec analyzes a struct once, but any
        # other type whenever it converts something to it.
        self._structs = {
            name: msgspec.defstruct(
                "Column",
                [(name, _SECOND if name in self._times else column_type(column))],
                gc=False,
            )
            for name, column in columns.items()
        }

    def record(self, item: dict[str, Any], stamps: Mapping[str, str]) -> dict[str, Any]:
        """Make a record.

        Args:
            item: The object, as the API gives it.
            stamps: Columns that the tap itself knows. They win over the object's own.
        """
        record: dict[str, Any] = {**dict.fromkeys(self._structs), **stamps}
        extra = {}
        for name, value in item.items():
            if name in stamps:
                kept = value == stamps[name]
            elif kept := self._fits(name, value):
                is_time = name in self._times and value is not None
                record[name] = iso(value) if is_time else value
            if not kept:
                extra[name] = value
        record[EXTRA] = extra or None
        return record

    def _fits(self, name: str, value: object) -> bool:
        """Tell whether there is a column of this name that can hold the value."""
        if name not in self._structs:
            return False
        try:
            msgspec.convert({name: value}, self._structs[name])
        except msgspec.ValidationError:
            return False
        return True
