"""Access to the connection below a request, for faults HTTP has no words for."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_STATE = "connection"
_LINGER_NOT = struct.pack("ii", 1, 0)


class OpenProtocol(H11Protocol):
    """An HTTP protocol that hands its transport to the application."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own
        """Put the transport into the state of every request on this connection."""
        self.app_state = {**self.app_state, _STATE: transport}
        super().connection_made(transport)


@dataclass(frozen=True)
class Exchange:
    """One request and the connection it came on."""

    scope: Scope
    receive: Receive
    send: Send

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
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
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
