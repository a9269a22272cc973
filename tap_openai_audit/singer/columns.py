"""The words in which streams are declared: columns and schemas.

A declaration is all that is said of a column: the catalog shows it, and whether a value
fits is judged by it (`column_type`).
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

EXTRA = "extra"
"""The column of all that has none."""


def text(name: str, description: str, *, required: bool = False) -> th.Property[str]:
    """Declare a column of texts."""
    return th.Property(name, th.StringType, required, description=description)


def flag(name: str, description: str) -> th.Property[bool]:
    """Declare a column of yes and no."""
    return th.Property(name, th.BooleanType, description=description)


def count(name: str, description: str) -> th.Property[int]:
    """Declare a column of whole numbers."""
    return th.Property(name, th.IntegerType, description=description)


def moment(name: str, description: str, *, required: bool = False) -> th.Property[str]:
    """Declare a column of date-times, for what the API gives as Unix seconds."""
    return th.Property(name, th.DateTimeType, required, description=description)


def group(
    name: str, description: str, *properties: th.Property[Any]
) -> th.Property[Any]:
    """Declare a column of objects, which may have more properties than these."""
    return th.Property(name, open_object(*properties), description=description)


def anything(name: str, description: str) -> th.Property[Any]:
    """Declare a column of objects of which nothing is known.

    Its schema has no `properties`, not even empty ones, so that a target that flattens
    leaves the object in its column.
    """
    kind = th.CustomType({"type": ["object", "null"], "additionalProperties": True})
    return th.Property(name, kind, description=description)


def several(
    name: str,
    description: str,
    kind: th.JSONTypeHelper[Any] | type[th.JSONTypeHelper[Any]],
) -> th.Property[Any]:
    """Declare a column of arrays.

    Args:
        name: The column.
        description: What it holds.
        kind: What each item is.
    """
    return th.Property(name, th.ArrayType(kind), description=description)


def open_object(*properties: th.Property[Any]) -> th.ObjectType:
    """Declare an object that may have more properties than these."""
    return th.ObjectType(*properties, additional_properties=True)


def schema_of(*columns: th.Property[Any]) -> dict[str, Any]:
    """Make the schema of a stream that has these columns."""
    return th.PropertiesList(*columns).to_dict()


def snapshot(*columns: th.Property[Any]) -> dict[str, Any]:
    """Make the schema of a reference stream: these columns, and those that all have."""
    return schema_of(
        *columns,
        text(
            "organization_id",
            "The organization it was read from.",
            required=True,
        ),
        text("run_id", "The run that saw it last.", required=True),
        anything(
            EXTRA,
            "Every other key of the object, and values that their column cannot hold;"
            " null if there is none.",
        ),
    )


OBJECT = text("object", "What the API calls this kind of object.")
EMAIL = text("email", "The email address.")
REDACTED = text("redacted_value", "The key with its middle left out, as given.")
LAST_USED = moment("last_used_at", "When the key was last used; null if never.")
GROUP_TYPE = text("group_type", "`group`, or `tenant_group` for one of the tenant.")
OWNER = (
    text("id", "The id."),
    text("name", "The name."),
    text("role", "The role."),
    count("created_at", "When it was made, in Unix seconds."),
)
"""The properties that owners of keys have."""
