"""The control endpoints of the workspace's files."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.organization.workspace import TYPES, WorkspaceEvent
from sandbox.server.log import readable
from sandbox.server.log_file import TRAPS, moment

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.server.log_file import LogFile
    from sandbox.server.workspace_files import WorkspaceFiles

_ID = re.compile(r'"event_id"\s*:\s*"([^"\\]*)"')


class WorkspaceControl:
    """The endpoints below /_control of one workspace."""

    def __init__(self, files: WorkspaceFiles) -> None:
        self._files = files

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        files, events = "/_control/workspace_files", "/_control/workspace_events"
        return [
            Route(files, self._truth, methods=["GET"]),
            Route(files, self._add_file, methods=["POST"]),
            Route(files, self._show, methods=["PUT"]),
            Route(events, self._add_events, methods=["POST"]),
        ]

    async def _truth(self, _: Request) -> Response:
        return JSONResponse([self._row(file) for file in self._files])

    async def _add_file(self, request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        try:
            _check(order)
        except ValueError as problem:
            return JSONResponse({"error": str(problem)}, status_code=400)
        events = order["events"]
        if not isinstance(events, int):
            events = [_raw_event(event) for event in events]
        file = self._files.add(
            order["type"],
            events,
            end_time=order["end_time"],
            visible=order["visible"],
            traps=order["traps"],
        )
        return JSONResponse(self._row(file))

    async def _show(self, _: Request) -> Response:
        return JSONResponse([self._row(file) for file in self._files.show()])

    async def _add_events(self, request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        try:
            _check(order)
        except ValueError as problem:
            return JSONResponse({"error": str(problem)}, status_code=400)
        events = self._files.make_up(order["type"], order["count"], order["at"])
        self._files.happen(order["type"], events)
        return JSONResponse([event.id for event in events])

    def _row(self, file: LogFile) -> list[Any]:
        return [
            file.id,
            file.type,
            file.end_time,
            [event.id for event in file.events],
            self._files.shows(file),
            sorted(file.traps),
        ]


def _check(order: dict[str, Any]) -> None:
    """Refuse a type, a trap or a time that there is not."""
    if order["type"] not in TYPES:
        raise ValueError(f"no file is of type {order['type']!r}")
    unknown = set(order.get("traps", ())) - TRAPS.keys()
    if unknown:
        raise ValueError(f"no trap of a file is called {sorted(unknown)}")
    if order.get("end_time") is not None:
        moment(order["end_time"])


def _raw_event(event: object) -> WorkspaceEvent:
    """Return an event as it was given, with its id as far as it can be read."""
    text = event if isinstance(event, str) else json.dumps(event)
    body = text.encode("utf-8", "surrogatepass")
    event_id = readable(body).get("event_id")
    if not isinstance(event_id, str):
        found = _ID.search(text)
        event_id = (
            found.group(1) if found else str(UUID(bytes=sha256(body).digest()[:16]))
        )
    return WorkspaceEvent(event_id, body)
