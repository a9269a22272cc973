"""The control endpoints: what tests and demos steer the sandbox with."""

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import FaultPlan, fault
from sandbox.ids import random_ids
from sandbox.journal import Journal
from sandbox.labels import labels_of
from sandbox.logs import SCOPES
from sandbox.selection import Entry

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.api import Api

_ID = re.compile(r'"id"\s*:\s*"([^"\\]*)"')
_AT = re.compile(r'"effective_at"\s*:\s*(-?\d{1,18})')


class Control:
    """The endpoints below /_control of one sandbox."""

    def __init__(self, api: Api) -> None:
        """Take what is controlled."""
        self._api = api

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/_control/events", self._events, methods=["GET"]),
            Route("/_control/events", self._add_events, methods=["POST"]),
            Route("/_control/behaviour", self._behaviour, methods=["GET", "PUT"]),
            Route("/_control/faults", self._set_faults, methods=["PUT"]),
            Route("/_control/requests", self._requests, methods=["GET", "DELETE"]),
        ]

    async def _events(self, _: Request) -> Response:
        return JSONResponse([list(row) for row in self._api.logs.truth()])

    async def _add_events(self, request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        scope = order.get("scope", "organization")
        if scope not in SCOPES:
            return _refused(f"no scope is called {scope!r}")
        now = time.time()
        at = now if order.get("at") is None else float(order["at"])
        raw = order.get("raw")
        if raw is None:
            count, spread = int(order.get("count", 1)), order.get("spread_seconds", 0)
            step = spread / count if count else 0
            times = [int(at + step * number) for number in range(count)]
            entries = list(self._api.logs.make(scope, times))
        else:
            entries = [_raw_entry(event, int(at)) for event in raw]
        visible_at = now + order.get("visible_in_seconds", 0)
        return JSONResponse({"ids": self._api.logs.add(scope, entries, visible_at)})

    async def _behaviour(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self._api.behaviour = self._api.behaviour.merged(await request.json())
            except ValueError as problem:
                return _refused(str(problem))
        return JSONResponse(self._api.behaviour.as_dict())

    async def _set_faults(self, request: Request) -> Response:
        try:
            faults = [fault(given) for given in (await request.json())["faults"]]
        except ValueError as problem:
            return _refused(str(problem))
        self._api.faults = FaultPlan(faults)
        return JSONResponse({"faults": len(faults)})

    async def _requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._api.journal = Journal()
        return JSONResponse(self._api.journal.as_dict())


def _refused(message: str) -> Response:
    return JSONResponse({"error": message}, status_code=400)


def _raw_entry(event: object, at: int) -> Entry:
    """Return an event as it was given, found as far as it can be read."""
    if isinstance(event, str):
        body = event.encode("utf-8", "surrogatepass")
        try:
            parsed = json.loads(event)
        except (ValueError, RecursionError):
            parsed = None
    else:
        body, parsed = json.dumps(event).encode(), event
    fields = parsed if isinstance(parsed, dict) else {}
    event_id, moment = fields.get("id"), fields.get("effective_at")
    if not fields:
        text = body.decode("utf-8", "replace")
        found_id, found_at = _ID.search(text), _AT.search(text)
        event_id = found_id.group(1) if found_id else None
        moment = int(found_at.group(1)) if found_at else None
    if not isinstance(event_id, str):
        event_id = "audit_log-" + random_ids(random.Random(body), 1)[0]
    if not isinstance(moment, int):
        moment = at
    return Entry(moment, event_id, body, labels_of(fields))
