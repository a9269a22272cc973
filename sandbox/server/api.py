"""The APIs: which host is asked, who may ask, and the process that serves them."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import time
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.organization.details import tenant_types
from sandbox.server.audit_logs import list_audit_logs
from sandbox.server.behaviour import Behaviour
from sandbox.server.connection import Exchange, OpenProtocol
from sandbox.server.control import Control
from sandbox.server.faults import Faults, suffer
from sandbox.server.file_host import FileHost
from sandbox.server.http import Query, RefusedError, Response, bearer, error
from sandbox.server.journal import Journal
from sandbox.server.log import Log
from sandbox.server.reference import Reference
from sandbox.server.workspace_api import WorkspaceApi
from sandbox.server.workspace_control import WorkspaceControl
from sandbox.server.workspace_files import WorkspaceFiles

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import Receive, Scope, Send

    from sandbox.options import Options

_AUDIT_LOGS = "/v1/organization/audit_logs"
_FIND = "You can find your API key at https://platform.openai.com/account/api-keys."
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
        self.behaviour = Behaviour(
            latency_ms=options.latency_ms,
            clock_skew_seconds=options.clock_skew_seconds,
        )
        self.faults = Faults()
        self.journal = Journal()
        self.log = Log(options, self.now)
        self.files = WorkspaceFiles(options, self.log.organization, self.now)
        self._hosts = {port: host for host, port in ports.items()}
        files_at = f"http://{_ADDRESS}:{ports['files']}"
        self._file_host = FileHost(files_at, options.seed, self.files)
        self._workspace = WorkspaceApi(options, self.files, self._file_host)
        self._options = options
        self._tenant_types = tenant_types()

    def now(self) -> float:
        """Return the time by the API's clock, Unix seconds."""
        return time.time() + self.behaviour.clock_skew_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let a fault happen to it."""
        path, query = scope["path"], Query(scope["query_string"])
        host = self._hosts[scope["server"][1]]
        entry = self.journal.note(
            host, self._key_in(scope), path, scope["query_string"].decode("latin-1")
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

    def _key_in(self, scope: Scope) -> str | None:
        """Return which key a request brings, wherever it carries it."""
        headers = scope["headers"]
        text = b"\n".join([scope["raw_path"], scope["query_string"], *sum(headers, ())])
        if self._options.admin_key.encode() in text:
            return "admin"
        if self._options.workspace_key.encode() in text:
            return "workspace"
        return "other" if b"authorization" in dict(headers) else None

    def _answer(self, host: str, scope: Scope) -> Response:
        path, method = scope["path"], scope["method"]
        if method != "GET":
            message = f"Not allowed to {method} on {path} (HINT: Perhaps GET?)"
            return error(405, message, code="method_not_supported")
        query, headers = Query(scope["query_string"]), dict(scope["headers"])
        found: Response | None
        try:
            match host:
                case "files":
                    with_key = self._key_in(scope) is not None
                    found = self._file_host.answer(
                        path, query, self.now(), with_key=with_key
                    )
                case "workspace":
                    key = bearer(headers)
                    found = self._workspace.answer(
                        path, query, key, self.behaviour, self.now()
                    )
                case _:
                    found = self._organization(path, query, headers)
        except RefusedError as refusal:
            return refusal.response
        return found or error(404, f"Invalid URL ({method} {path})")

    def _organization(
        self, path: str, query: Query, headers: dict[bytes, bytes]
    ) -> Response | None:
        self._admit(headers)
        if path == _AUDIT_LOGS:
            self._check_scope()
            return list_audit_logs(query, self.log, self._tenant_types, self.behaviour)
        return Reference(query, self.log.organization, self.now()).page(path)

    def _admit(self, headers: dict[bytes, bytes]) -> None:
        """Refuse a request that does not come from this organization."""
        key = bearer(headers)
        if not key:
            message = "You didn't provide an API key in an Authorization header."
            raise RefusedError(error(401, message))
        if self.behaviour.key_expired:
            message = f"Your API key has expired. {_FIND}"
            raise RefusedError(error(401, message, code="api_key_expired"))
        if key != self._options.admin_key or self.behaviour.wrong_key:
            # The real message repeats both ends of the key: logs must not keep it.
            shown = f"{key[:6]}***...{key[-3:]}"
            message = f"Incorrect API key provided: {shown}. {_FIND}"
            raise RefusedError(error(401, message, code="invalid_api_key"))
        named = headers.get(b"openai-organization", b"").decode("latin-1")
        own = named in ("", self._options.organization_id)
        if self.behaviour.wrong_organization or not own:
            message = (
                "OpenAI-Organization header should match organization for API key."
            )
            code = "mismatched_organization"
            raise RefusedError(error(401, message, error_type=code, code=code))

    def _check_scope(self) -> None:
        """Refuse a key that may not read audit logs."""
        if self.behaviour.missing_scope:
            message = (
                "You have insufficient permissions for this operation. "
                "Missing scopes: api.audit_logs.read."
            )
            raise RefusedError(error(self.behaviour.missing_scope_status, message))


def serve(options: Options) -> None:
    """Serve a sandbox; print its base URLs, and nothing else, when it is ready.

    The first line is the organization's API, the second the workspace's.
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
    _Server(config).run(sockets=listeners)


def _listener(port: int, number: int) -> socket.socket:
    # The protocol is named: asyncio sends without Nagle's delay (40 ms) only then.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_ADDRESS, port and port + number))
    return listener


class _Server(uvicorn.Server):
    """A server that says where it is and does not wait for anybody at the end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in (sockets or [])[:2]:  # files are found by their signed URLs
            port = listener.getsockname()[1]
            sys.stdout.write(f"http://{_ADDRESS}:{port}/v1\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # From Python 3.12 on the server would wait for whoever is still connected.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.force_exit = True
