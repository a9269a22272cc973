"""Whether a value fits its column, judged by the column's own schema.

A column is declared once, as a JSON schema. What it says of values is translated, when
a module is loaded, to a type that msgspec checks in C: bytes while it decodes them,
objects while it converts them.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_INT64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""Whole numbers of 64 bits: what loaders keep in a column of integers."""

_SCALARS = {"boolean": bool, "integer": _INT64, "null": None, "string": str}


def column_type(column: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a type or a union
    """Translate the schema of a column, or of a part of one.

    Properties that the schema does not name may be missing, and hold anything.

    Raises:
        KeyError: If the schema names a type that no column of this tap has.
    """
    kinds: str | list[str] = column["type"]
    listed = [kinds] if isinstance(kinds, str) else kinds
    return reduce(or_, [_of_kind(kind, column) for kind in listed])


def _of_kind(kind: str, column: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a type
    if kind == "array":
        return list.__class_getitem__(column_type(column["items"]))
    if kind == "object":
        properties = column.get("properties", {}).items()
        fields = [(name, column_type(inner), None) for name, inner in properties]
        # Objects of it live for one check, so the garbage collector need not know them.
        return msgspec.defstruct("Object", fields, gc=False)
    return _SCALARS[kind]
