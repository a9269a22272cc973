"""Responses that must be whole in time.

The timeout of `requests` and urllib3 bounds each single receipt of bytes, so a server
that sends a byte now and then could hold a worker for ever. A body could be read in
pieces with a look at the clock between them. Headers cannot: `http.client` reads them
to their end inside one call, and a hundred of 64 KiB each, a byte a minute, take years.
So the deadline is where both pass by, at the socket, and `response_class` is the only
way there that the libraries leave open. Without it such a run would hang, and no
timeout would end it.
"""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, cast

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket

    from requests import PreparedRequest, Response
    from typing_extensions import Buffer


class _Receiver(io.RawIOBase):
    """Receives from a socket until a moment that no byte puts off."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, timeout: float) -> None:
        self._raw = raw
        self._sock = sock
        self._until = time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return cast("io.FileIO", self._raw).readinto(buffer)

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        timeout = sock.gettimeout()
        if timeout is not None:
            raw = self.fp.detach()
            self.fp = io.BufferedReader(_Receiver(raw, sock, timeout))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class DeadlineAdapter(HTTPAdapter):
    """Makes the requests of a session, each within its timeout as a whole."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Prepare for direct connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - requests' own signature
        """Prepare for connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **options)
        # Those for SOCKS make other connections, which this module does not know.
        if isinstance(manager, ProxyManager):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        """Make a request; its timeout includes the time to connect."""
        options["timeout"] = Timeout(total=options["timeout"])
        return super().send(request, **options)
