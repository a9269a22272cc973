"""How to write events of each type, prepared so that writing one is cheap."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.labels import label
from sandbox.values import split

if TYPE_CHECKING:
    from sandbox.values import Values

_CATALOGUE = Path(__file__).resolve().parent.parent / "tap_openai_audit"
_UNKNOWN = ("future.thing.happened", "future.actor.appeared", "api_key.teleported")
_VARIANTS = 8
_PROJECT_SCOPED = frozenset(
    {"api_key", "checkpoint.permission", "rate_limit", "resource", "service_account"}
)
_WEIGHTS = {
    "login.succeeded": 25.0,
    "logout.succeeded": 8.0,
    "login.failed": 4.0,
    "api_key.created": 8.0,
    "api_key.updated": 5.0,
    "api_key.deleted": 8.2,
    "user.added": 3.0,
    "user.updated": 3.0,
    "user.deleted": 3.1,
    "invite.sent": 4.0,
    "invite.accepted": 3.0,
}


@dataclass(frozen=True)
class Template:
    """One variant of a type's details, cut where the id of the thing goes.

    Attributes:
        before: What follows the actor, up to the id.
        after: What follows the id; None when the details name no thing.
        labels: Labels of the further resources it names.
    """

    before: bytes
    after: bytes | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class EventType:
    """A type of event and how often it comes.

    Attributes:
        name: The type.
        scope: `organization` or `tenant`.
        kind: What its events are about: the type without its last part.
        verb: The last part of the type.
        weight: Frequency, relative to other types.
        templates: Variants of its details.
        in_project: Whether its events are scoped to a project.
        labels: What filters find its events by.
    """

    name: str
    scope: str
    kind: str
    verb: str
    weight: float
    templates: tuple[Template, ...]
    in_project: bool
    labels: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether the catalogue has this type."""
        return self.name not in _UNKNOWN


def event_types(values: Values) -> list[EventType]:
    """Return the types of the catalogue, and some that no catalogue has."""
    catalogue = json.loads((_CATALOGUE / "event_types.json").read_text("utf-8"))
    found = []
    for name, description in catalogue["types"].items():
        fields = description.get("details") or {}
        templates = tuple(
            _template(values, name, fields, spare) for spare in range(_VARIANTS)
        )
        found.append(_event_type(name, description["scope"], templates))
    unknown = [_event_type(n, "organization", (_unknown(n),)) for n in _UNKNOWN]
    return found + unknown


def tenant_types() -> frozenset[str]:
    """Return the names of the types that only the tenant scope has."""
    catalogue = json.loads((_CATALOGUE / "event_types.json").read_text("utf-8"))
    types = catalogue["types"].items()
    return frozenset(name for name, about in types if about["scope"] == "tenant")


def _event_type(name: str, scope: str, templates: tuple[Template, ...]) -> EventType:
    kind, _, verb = name.rpartition(".")
    return EventType(
        name=name,
        scope=scope,
        kind=kind,
        verb=verb,
        weight=_WEIGHTS.get(name, 1.0 if scope == "organization" else 0.0),
        templates=templates,
        in_project=kind in _PROJECT_SCOPED,
        labels=(label("type", name),),
    )


def _template(
    values: Values, name: str, fields: dict[str, str], spare: int
) -> Template:
    silent = kindless(name) or spare % 2 == 0
    if not fields:
        # Types without documented details come without any, or with anything.
        if silent:
            return Template(b"}", None, ())
        fields = {"id": "string", "changes": "object", "note": "string"}
    details, others = values.details(name, fields, spare)
    before, after = split(details)
    labels = tuple(label("resource", other) for other in others)
    opening = f',"{name}":{before}'.encode()
    if after is None:
        return Template(opening + b"}", None, labels)
    return Template(opening, (after + "}").encode(), labels)


def kindless(name: str) -> bool:
    """Tell whether events of this type never have details."""
    return name in ("login.succeeded", "logout.succeeded")


def _unknown(name: str) -> Template:
    extra = {
        "source": "adminapi",
        "x_new_top_level": {"déjà": [1, 2.5, None, True]},
        name: {"reason": "nobody documented this"},
    }
    text = json.dumps(extra, ensure_ascii=False, separators=(",", ":"))
    return Template(("," + text[1:]).encode(), None, ())
