"""Puts answers on a connection, with the headers the API sends."""

from __future__ import annotations

import time
import uuid
from email.utils import formatdate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Send

    from sandbox.replies import Reply

_SLUG = b"sandbox-slug"
_VERSION = b"2020-10-01"


class Sender:
    """Sends answers at a possibly wrong time of day."""

    def __init__(self, clock_skew_seconds: float) -> None:
        """Take what is added to the time in the `Date` header."""
        self._skew = clock_skew_seconds

    async def send(self, reply: Reply, send: Send) -> None:
        """Send a whole answer."""
        await self.start(reply, send)
        await send({"type": "http.response.body", "body": reply.body})

    async def start(self, reply: Reply, send: Send) -> None:
        """Send the head of an answer."""
        start = {"type": "http.response.start", "status": reply.status}
        await send({**start, "headers": self._headers(reply)})

    async def more(self, data: bytes, send: Send) -> None:
        """Send a part of the body."""
        await send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, send: Send) -> None:
        """End the body."""
        await send({"type": "http.response.body", "body": b""})

    def head(self, reply: Reply) -> bytes:
        """Return the head of an answer as it is on the wire."""
        lines = [b"HTTP/1.1 %d Sandbox" % reply.status]
        lines += [b"%b: %b" % pair for pair in self._headers(reply)]
        return b"\r\n".join([*lines, b"connection: close", b"", b""])

    def _headers(self, reply: Reply) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"date", formatdate(time.time() + self._skew, usegmt=True).encode()),
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            (b"openai-organization", _SLUG),
            (b"openai-version", _VERSION),
            (b"x-request-id", b"req_" + uuid.uuid4().hex.encode()),
        ]
        added = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in reply.headers.items()
        ]
        replaced = {name for name, _ in added}
        return [pair for pair in headers if pair[0] not in replaced] + added
