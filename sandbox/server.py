"""Runs the sandbox until it is told to end."""

from __future__ import annotations

import gc
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.api import Api
from sandbox.connection import OpenProtocol
from sandbox.control import Control

if TYPE_CHECKING:
    from types import FrameType

    from sandbox.options import Options

_HOST = "127.0.0.1"
_BACKLOG = 2048


def application(api: Api) -> Starlette:
    """Return the API and its control endpoints as one application."""
    return Starlette(routes=[*Control(api).routes(), Mount("/v1", app=api)])


def serve(options: Options) -> None:
    """Serve a sandbox; print its base URL, and nothing else, when it is ready."""
    # A million events are as many objects: the collector would walk them for nothing.
    gc.disable()
    api = Api(options)
    gc.freeze()
    gc.enable()
    # The protocol is named: asyncio sends without Nagle's delay (40 ms) only then.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_HOST, options.port))
    config = uvicorn.Config(
        application(api),
        http=OpenProtocol,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        date_header=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=60,
    )
    _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that says where it is and does not wait for anybody at the end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            port = listener.getsockname()[1]
            sys.stdout.write(f"http://{_HOST}:{port}/v1\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # From Python 3.12 on the server would wait for whoever is still connected.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.force_exit = True
