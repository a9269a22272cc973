"""Servers on this machine that answer as no good API would, byte for byte."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_NOTICE_SECONDS = 0.05


class LocalServer:
    """Answers each request on each connection with the same bytes, or drop by drop."""

    def __init__(
        self,
        answer: bytes | Callable[[], Iterable[bytes]] = b"",
        *,
        greeting: bytes = b"",
        pause: float = 0.0,
        tls: ssl.SSLContext | None = None,
        closing: bool = False,
    ) -> None:
        """Take what to answer.

        Args:
            answer: What comes after each request, whole or in parts.
            greeting: What comes before any request.
            pause: Seconds between the parts.
            tls: Speaks TLS if there is one.
            closing: Ends the connection after each answer.
        """
        self._answer = answer
        self._greeting = greeting
        self._pause = pause
        self._tls = tls
        self._closing = closing
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_NOTICE_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self._over = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(
                    target=self._serve, args=(connection,), daemon=True
                ).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(30)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            connection.sendall(self._greeting)
            while head := self._head(connection):
                self.requests.append(head)
                self._send(connection)
                if self._closing:
                    return

    @staticmethod
    def _head(connection: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            received = connection.recv(1)
            if not received:
                return b""
            head += received
        return head

    def _send(self, connection: socket.socket) -> None:
        answer = self._answer
        parts = iter([answer] if isinstance(answer, bytes) else answer())
        connection.sendall(next(parts))
        for part in parts:
            if self._over.wait(self._pause):
                return
            connection.sendall(part)


def response(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} Said", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine that refuses connections as long as it is held."""
    with socket.socket() as holder:
        # Bound without listening: nobody else can take it, and nothing answers.
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that no authority signed, and a server's context."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
