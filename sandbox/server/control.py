"""The control endpoints: what tests and demos steer the sandbox with."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.organization.events import Event
from sandbox.organization.things import random_ids
from sandbox.server.faults import Fault, Faults
from sandbox.server.journal import Journal
from sandbox.server.log import SCOPES, readable

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.server.api import Api

_ID = re.compile(r'"id"\s*:\s*"([^"\\]*)"')
_AT = re.compile(r'"effective_at"\s*:\s*(-?\d{1,18})')


class Control:
    """The endpoints below /_control of one sandbox."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return [
            Route("/_control/events", self._events, methods=["GET"]),
            Route("/_control/events", self._add_events, methods=["POST"]),
            Route("/_control/events", self._remove_events, methods=["DELETE"]),
            Route("/_control/incident", self._incident, methods=["POST"]),
            Route("/_control/clock", self._clock, methods=["GET"]),
            Route("/_control/behaviour", self._behaviour, methods=["GET", "PUT"]),
            Route("/_control/faults", self._faults, methods=["PUT"]),
            Route("/_control/requests", self._requests, methods=["GET", "DELETE"]),
        ]

    async def _events(self, _: Request) -> Response:
        return JSONResponse([list(row) for row in self._api.log.truth()])

    async def _add_events(self, request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        scope = order.get("scope", "organization")
        if scope not in SCOPES:
            return _refused(f"no scope is called {scope!r}")
        now = self._api.now()
        at = int(now if order.get("at") is None else order["at"])
        raw = order.get("raw")
        if raw is None:
            events = self._api.log.write(scope, [at] * int(order.get("count", 1)))
        else:
            events = [_raw_event(event, at) for event in raw]
        visible_at = now + order.get("visible_in_seconds", 0)
        return JSONResponse({"ids": self._api.log.add(scope, events, visible_at)})

    async def _remove_events(self, request: Request) -> Response:
        try:
            before = int(request.query_params.get("before", ""))
        except ValueError:
            return _refused("`before` has to be Unix seconds")
        return JSONResponse({"removed": self._api.log.remove_before(before)})

    async def _incident(self, request: Request) -> Response:
        at = (await request.json())["at"]
        at = int(self._api.now() if at is None else at)
        try:
            self._api.log.begin_incident(at)
        except ValueError as problem:
            return _refused(str(problem))
        return JSONResponse({"at": at})

    async def _clock(self, _: Request) -> Response:
        return JSONResponse({"now": self._api.now()})

    async def _behaviour(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self._api.behaviour = self._api.behaviour.merged(await request.json())
            except ValueError as problem:
                return _refused(str(problem))
        return JSONResponse(self._api.behaviour.as_dict())

    async def _faults(self, request: Request) -> Response:
        try:
            faults = [Fault.of(given) for given in (await request.json())["faults"]]
        except ValueError as problem:
            return _refused(str(problem))
        self._api.faults = Faults(*faults)
        return JSONResponse({"faults": len(faults)})

    async def _requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            # A key that went astray is not forgotten: it fails the test in the end.
            self._api.journal = Journal(leaks=self._api.journal.leaks)
        return JSONResponse(self._api.journal.as_dict())


def _refused(message: str) -> Response:
    return JSONResponse({"error": message}, status_code=400)


def _raw_event(event: object, at: int) -> Event:
    """Return an event as it was given, found as far as it can be read."""
    text = event if isinstance(event, str) else json.dumps(event)
    body = text.encode("utf-8", "surrogatepass")
    fields = readable(body)
    event_id, moment = fields.get("id"), fields.get("effective_at")
    if not fields:
        found_id, found_at = _ID.search(text), _AT.search(text)
        event_id = found_id.group(1) if found_id else None
        moment = int(found_at.group(1)) if found_at else None
    if not isinstance(event_id, str):
        event_id = "audit_log-" + random_ids(random.Random(body), 1)[0]
    return Event(moment if isinstance(moment, int) else at, event_id, body)
