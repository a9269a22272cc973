"""What is known of each audit event type, for people and for the choice of a scope.

The catalogue (`event_types.json`) is a description and never a filter: OpenAI
adds types at any time, so an unknown type has to work everywhere a known one does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ORGANIZATION = "organization"
TENANT = "tenant"


@dataclass(frozen=True)
class EventType:
    """One kind of audit event."""

    name: str
    """The event's `type`, which is also the key of its details object."""

    scope: str
    """`organization`, or `tenant` if the API documents that a request needs
    `tenant_only=true` for it."""

    category: str
    """The group of types that an analyst would filter by."""

    description: str
    """What happened, in one sentence."""

    details: Mapping[str, str]
    """The documented fields of the details object, from path to JSON type, such as
    `configs[].id` to `string`. Empty if none is documented."""


@cache
def event_types() -> Mapping[str, EventType]:
    """Return the catalogue, by name of the type; it is read once and read-only."""
    from importlib import resources  # noqa: PLC0415 - slow, and a sync may not need it

    text = resources.files(__package__).joinpath("event_types.json").read_text("utf-8")
    return MappingProxyType(
        {
            name: EventType(
                name=name,
                scope=entry["scope"],
                category=entry["category"],
                description=entry["description"],
                details=MappingProxyType(entry["details"]),
            )
            for name, entry in json.loads(text)["types"].items()
        }
    )


def scope_of(name: str) -> str:
    """Return the scope of an event type: `organization` or `tenant`.

    The API documents that tenant-scoped types need `tenant_only=true`. All types
    named `tenant.*` are, so an unknown type with that prefix is taken for one.
    """
    known = event_types().get(name)
    if known is not None:
        return known.scope
    return TENANT if name.startswith("tenant.") else ORGANIZATION
