"""The hosts: which one is asked, and the process that serves them."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.server.behaviour import Behaviour
from sandbox.server.connection import Exchange, OpenProtocol
from sandbox.server.control import Control
from sandbox.server.faults import Faults, suffer
from sandbox.server.file_host import FileHost
from sandbox.server.http import Query, RefusedError, Response, bearer, error
from sandbox.server.journal import Journal
from sandbox.server.keys import Keys
from sandbox.server.log import Log
from sandbox.server.organization_api import OrganizationApi
from sandbox.server.workspace_api import WorkspaceApi
from sandbox.server.workspace_control import WorkspaceControl
from sandbox.server.workspace_files import WorkspaceFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from starlette.types import Receive, Scope, Send

    from sandbox.options import Options

_MILLISECONDS = 1000
_ADDRESS = "127.0.0.1"
#: The hosts, each at a port of its own: a key of one must not come to another.
_HOSTS = ("organization", "workspace", "files")
_BACKLOG = 2048  # connections: more than any number of workers opens at once
_KEEP_ALIVE_SECONDS = 60  # longer than any test leaves a connection unused


class Api:
    """The APIs of one invented organization and its workspace: an ASGI application."""

    def __init__(self, options: Options, ports: dict[str, int]) -> None:
        """Write the histories.

        Args:
            options: What there is and what happened.
            ports: The port of each of _HOSTS.
        """
        self._options = options
        self.behaviour = Behaviour(
            latency_ms=options.latency_ms,
            clock_skew_seconds=options.clock_skew_seconds,
        )
        self.faults = Faults()
        self.journal = Journal()
        self.log = Log(options, self.now)
        self.files = WorkspaceFiles(options, self.log.workspace, self.now)
        self._hosts = {port: host for host, port in ports.items()}
        files_at = f"http://{_ADDRESS}:{ports['files']}"
        self._file_host = FileHost(files_at, options.seed, self.files)
        self._workspace = WorkspaceApi(options, self.files, self._file_host)
        self._organization = OrganizationApi(options, self.log)
        self._keys = Keys(options.admin_key, options.workspace_key)

    def now(self) -> float:
        """Return the time by the API's clock, Unix seconds."""
        shown = self._options.clock_at(time.time())
        return shown + self.behaviour.clock_skew_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let a fault happen to it."""
        path, query = scope["path"], Query(scope["query_string"])
        host = self._hosts[scope["server"][1]]
        entry = self.journal.note(
            host,
            self._keys.brought_by(scope),
            self._keys.hidden(path),
            self._keys.hidden(scope["query_string"].decode("latin-1")),
        )
        fault = self.faults.next(host, path, query)
        if self.behaviour.latency_ms:
            await asyncio.sleep(self.behaviour.latency_ms / _MILLISECONDS)
        exchange = Exchange(scope, receive, send, self.now())
        if fault is not None:
            entry.status = await suffer(
                fault, lambda: self._answer(host, scope), exchange
            )
            return
        response = self._answer(host, scope)
        entry.status = response.status
        await exchange.respond(response)

    def _answer(self, host: str, scope: Scope) -> Response:
        path, method = scope["path"], scope["method"]
        if method != "GET":
            message = f"Not allowed to {method} on {path} (HINT: Perhaps GET?)"
            return error(405, message, code="method_not_supported")
        query, now = Query(scope["query_string"]), self.now()
        headers = dict(scope["headers"])
        found: Response | None
        try:
            if host == "files":
                with_key = self._keys.brought_by(scope) is not None
                found = self._file_host.answer(path, query, now, with_key=with_key)
            elif host == "workspace":
                key = bearer(headers)
                found = self._workspace.answer(path, query, key, self.behaviour, now)
            else:
                found = self._organization.answer(
                    path, query, headers, self.behaviour, now
                )
        except RefusedError as refusal:
            return refusal.response
        return found or error(404, f"Invalid URL ({method} {path})")


def serve(options: Options, ready: Callable[[list[str]], None]) -> None:
    """Serve a sandbox until the process is told to end.

    Args:
        options: What is in it, and where it listens.
        ready: Gets its base URLs when it listens, that of the organization's API and
            that of the workspace's.
    """
    listeners = [_listener(options.port, number) for number in range(len(_HOSTS))]
    ports = [listener.getsockname()[1] for listener in listeners]
    # A million events are as many objects: the collector would walk them for nothing.
    gc.disable()
    api = Api(options, dict(zip(_HOSTS, ports, strict=True)))
    gc.freeze()
    gc.enable()
    routes = [*Control(api).routes(), *WorkspaceControl(api.files).routes()]
    config = uvicorn.Config(
        Starlette(routes=[*routes, Mount("/", app=api)]),
        http=OpenProtocol,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    _Server(config, ready).run(sockets=listeners)


def _listener(port: int, number: int) -> socket.socket:
    # The protocol is named: asyncio sends without Nagle's delay (40 ms) only then.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_ADDRESS, port and port + number))
    return listener


class _Server(uvicorn.Server):
    """A server that says where it is and does not wait for anybody at the end."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[list[str]], None]
    ) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        named = (sockets or [])[:2]  # files are found by their signed URLs
        ports = [listener.getsockname()[1] for listener in named]
        self._ready([f"http://{_ADDRESS}:{port}/v1" for port in ports])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # From Python 3.12 on the server would wait for whoever is still connected.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.force_exit = True
