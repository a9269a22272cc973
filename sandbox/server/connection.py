"""One request and the connection it came on, down to where HTTP has no words."""

from __future__ import annotations

import asyncio
import socket
import struct
import uuid
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from sandbox.server.http import Response

_STATE = "connection"
_NO_LINGER = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing sends RST


class OpenProtocol(H11Protocol):
    """An HTTP protocol that hands its transport to the application."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own
        """Put the transport into the state of every request on this connection."""
        self.app_state = {**self.app_state, _STATE: transport}
        super().connection_made(transport)


@dataclass(frozen=True)
class Exchange:
    """One request and the connection it came on.

    Attributes:
        scope: What is asked, as ASGI has it.
        receive: ASGI's.
        send: ASGI's.
        now: The API's clock when the request came, Unix seconds.
    """

    scope: Scope
    receive: Receive
    send: Send
    now: float

    async def respond(self, response: Response) -> None:
        """Send a whole response."""
        start = {"type": "http.response.start", "status": response.status}
        await self.send({**start, "headers": self._headers(response)})
        await self.send({"type": "http.response.body", "body": response.body})

    def head(self, response: Response) -> bytes:
        """Return the head, as on the wire, of a response that ends its connection."""
        lines = [b"HTTP/1.1 %d Sandbox" % response.status]
        lines += [b"%b: %b" % pair for pair in self._headers(response)]
        return b"\r\n".join([*lines, b"connection: close", b"", b""])

    def write(self, data: bytes) -> None:
        """Send bytes below HTTP."""
        self._transport.write(data)

    @property
    def ended(self) -> bool:
        """Whether the client is gone."""
        return self._transport.is_closing()

    async def close(self) -> None:
        """Close the connection after what was written."""
        self._transport.close()
        await self._gone()

    async def reset(self) -> None:
        """Reset the connection: the client sees no orderly end (RST)."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()
        await self._gone()

    @property
    def _transport(self) -> asyncio.Transport:
        transport = self.scope["state"][_STATE]
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("the server does not run with OpenProtocol")
        return transport

    async def _gone(self) -> None:
        """Wait until the server knows, so that it does not try to answer."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _headers(self, response: Response) -> list[tuple[bytes, bytes]]:
        headers = {
            "date": formatdate(self.now, usegmt=True),
            "content-type": response.content_type,
            "content-length": str(len(response.body)),
            "openai-organization": "sandbox-slug",
            "openai-version": "2020-10-01",
            "x-request-id": f"req_{uuid.uuid4().hex}",
        }
        headers |= {name.lower(): value for name, value in response.headers.items()}
        return [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ]
