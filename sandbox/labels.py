"""The labels that attribute filters find events by, one prefix per filter."""

from __future__ import annotations

from typing import Any

FILTERS = {
    "event_types": "type",
    "project_ids": "project",
    "actor_ids": "actor",
    "actor_emails": "email",
    "resource_ids": "resource",
}


def label(kind: str, value: str) -> str:
    """Return the label of one attribute; emails compare without regard to case."""
    return f"{kind}:{value.lower() if kind == 'email' else value}"


def labels_of(event: dict[str, Any]) -> tuple[str, ...]:
    """Return the labels of an event of unknown origin, as far as it has them."""
    found: list[tuple[str, object]] = [("type", event.get("type"))]
    found.append(("project", _get(event, "project", "id")))
    for holder in (("session",), ("api_key",)):
        found.append(("actor", _get(event, "actor", *holder, "user", "id")))
        found.append(("email", _get(event, "actor", *holder, "user", "email")))
    found.append(("actor", _get(event, "actor", "api_key", "id")))
    found.append(("actor", _get(event, "actor", "api_key", "service_account", "id")))
    kind = event.get("type")
    if isinstance(kind, str):
        found.append(("resource", _get(event, kind, "id")))
    return tuple(label(k, v) for k, v in found if isinstance(v, str))


def _get(value: object, *path: str) -> object:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
