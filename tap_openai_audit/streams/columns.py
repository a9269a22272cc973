"""The words in which reference streams are declared: columns and schemas."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

EXTRA = "extra"
"""The column of all that has none."""


def text(name: str, description: str, *, required: bool = False) -> th.Property[str]:
    """A column of texts."""
    return th.Property(name, th.StringType, required, description=description)


def flag(name: str, description: str) -> th.Property[bool]:
    """A column of yes and no."""
    return th.Property(name, th.BooleanType, description=description)


def count(name: str, description: str) -> th.Property[int]:
    """A column of whole numbers."""
    return th.Property(name, th.IntegerType, description=description)


def moment(name: str, description: str) -> th.Property[str]:
    """A column of date-times, which the API gives as Unix seconds."""
    return th.Property(name, th.DateTimeType, description=description)


def group(
    name: str, description: str, *properties: th.Property[Any]
) -> th.Property[Any]:
    """A column of objects, open for what is not documented."""
    return th.Property(name, open_object(*properties), description=description)


def several(
    name: str,
    description: str,
    kind: th.JSONTypeHelper[Any] | type[th.JSONTypeHelper[Any]],
) -> th.Property[Any]:
    """A column of arrays."""
    return th.Property(name, th.ArrayType(kind), description=description)


def open_object(*properties: th.Property[Any]) -> th.ObjectType:
    """An object that may have more properties than these."""
    return th.ObjectType(*properties, additional_properties=True)


def snapshot(*columns: th.Property[Any]) -> dict[str, Any]:
    """The schema of a reference stream: these columns, and those that all have."""
    return th.PropertiesList(
        *columns,
        text(
            "organization_id",
            "The organization it was read from.",
            required=True,
        ),
        group(
            EXTRA,
            "Every other key of the object, and values that their column cannot hold;"
            " null if there is none.",
        ),
    ).to_dict()


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
