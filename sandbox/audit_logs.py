"""GET /v1/organization/audit_logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.labels import FILTERS, label
from sandbox.queries import Query, RefusedError
from sandbox.replies import Page, Reply, invalid, listed
from sandbox.selection import Found, Selection

if TYPE_CHECKING:
    from sandbox.behaviour import Behaviour
    from sandbox.logs import Logs

_DEFAULT, _LEAST, _MOST = 20, 1, 100


def list_audit_logs(
    query: Query, logs: Logs, tenant_types: frozenset[str], behaviour: Behaviour
) -> Reply:
    """Answer a list request.

    Args:
        query: The parameters.
        logs: The events.
        tenant_types: The types that need `tenant_only`.
        behaviour: Where the answer deviates from what is documented.

    Raises:
        RefusedError: A parameter is refused.
    """
    limit = query.limit(_DEFAULT, _LEAST, _MOST)
    since, until = _window(query)
    scope = _scope(query, tenant_types, behaviour)
    if behaviour.outside_window:
        since = until = None
    after, before = query.one("after"), query.one("before")
    selection = Selection(
        since=since,
        until=until,
        labels=_labels(query),
        after=None if behaviour.repeat_page else after,
        before=None if behaviour.repeat_page else before,
        limit=limit,
        order=behaviour.order,
    )
    found = Found([], [], has_more=False)
    if not behaviour.logging_off and scope is not None:
        try:
            found = logs.of(scope).find(selection)
        except KeyError as missing:
            name = "after" if missing.args[0] == after else "before"
            message = f"Invalid '{name}': no audit log has the ID {missing.args[0]!r}."
            raise RefusedError(invalid(name, message, "invalid_cursor")) from missing
    return listed(Page(found.bodies, _fields(found, after, behaviour)))


def _window(query: Query) -> tuple[int | None, int | None]:
    """Return the first second wanted and the second after the last."""
    lows = [query.integer("effective_at[gte]"), _next(query, "effective_at[gt]")]
    highs = [query.integer("effective_at[lt]"), _next(query, "effective_at[lte]")]
    return (
        max((low for low in lows if low is not None), default=None),
        min((high for high in highs if high is not None), default=None),
    )


def _next(query: Query, name: str) -> int | None:
    moment = query.integer(name)
    return None if moment is None else moment + 1


def _scope(
    query: Query, tenant_types: frozenset[str], behaviour: Behaviour
) -> str | None:
    """Return which events are asked for; None for none."""
    if query.flag("tenant_only") and not behaviour.tenant_ignores:
        if behaviour.tenant == "refused":
            message = "'tenant_only' is not available to this organization."
            raise RefusedError(invalid("tenant_only", message))
        for event_type in query.many("event_types"):
            if event_type not in tenant_types:
                message = f"Event type {event_type!r} is not tenant-scoped."
                raise RefusedError(invalid("event_types", message, "invalid_value"))
        return "tenant" if behaviour.tenant == "available" else None
    return "both" if behaviour.both_scopes else "organization"


def _labels(query: Query) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(label(kind, value) for value in query.many(name))
        for name, kind in FILTERS.items()
        if query.many(name)
    )


def _fields(found: Found, after: str | None, behaviour: Behaviour) -> dict[str, object]:
    first = found.ids[0] if found.ids else None
    last = found.ids[-1] if found.ids else None
    fields: dict[str, object] = {
        "first_id": first,
        "last_id": last,
        "has_more": found.has_more or (behaviour.repeat_page and bool(found.ids)),
    }
    if behaviour.last_id == "null":
        fields["last_id"] = None
    elif behaviour.last_id == "stuck":
        fields["last_id"] = after or last
    elif behaviour.last_id == "absent":
        del fields["last_id"]
    if behaviour.has_more == "absent":
        del fields["has_more"]
    return fields
