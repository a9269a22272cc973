"""GET /v1/organization/audit_logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.http import Page, Query, RefusedError, Response, invalid, listed
from sandbox.server.log import FILTERS, Found, Selection, label

if TYPE_CHECKING:
    from sandbox.server.behaviour import Behaviour
    from sandbox.server.log import Log

_DEFAULT, _LEAST, _MOST = 20, 1, 100


def list_audit_logs(
    query: Query, log: Log, tenant_types: frozenset[str], behaviour: Behaviour
) -> Response:
    """Answer a list request.

    Args:
        query: The parameters.
        log: The events.
        tenant_types: The types that need `tenant_only`.
        behaviour: Where the answer deviates from what is documented.

    Raises:
        RefusedError: A parameter is refused.
    """
    selection = _selection(query, behaviour)
    scope = _scope(query, tenant_types, behaviour)
    found = Found([], [], has_more=False)
    if not behaviour.logging_off and scope is not None:
        try:
            found = log.find(scope, selection)
        except KeyError as missing:
            cursor = missing.args[0]
            name = "after" if cursor == selection.after else "before"
            message = f"Invalid '{name}': no audit log has the ID {cursor!r}."
            raise RefusedError(invalid(name, message, "invalid_cursor")) from missing
    fields = _fields(found, query.one("after"), behaviour)
    return listed(Page(found.bodies, fields), behaviour.envelope)


def _selection(query: Query, behaviour: Behaviour) -> Selection:
    lows = [query.integer("effective_at[gte]"), _next(query, "effective_at[gt]")]
    highs = [query.integer("effective_at[lt]"), _next(query, "effective_at[lte]")]
    since = max((low for low in lows if low is not None), default=None)
    until = min((high for high in highs if high is not None), default=None)
    filters = [
        frozenset(label(kind, value) for value in query.many(name))
        for name, kind in FILTERS.items()
    ]
    return Selection(
        since=None if behaviour.outside_window else since,
        until=None if behaviour.outside_window else until,
        filters=tuple(wanted for wanted in filters if wanted),
        after=None if behaviour.repeat_page else query.one("after"),
        before=None if behaviour.repeat_page else query.one("before"),
        limit=query.limit(_DEFAULT, _LEAST, _MOST),
        order=behaviour.order,
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
