"""A real receiver of webhooks on this machine, which fails and waits as it is told."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

DEADLINE = 60  # seconds; bounds a hang, and nothing else
SECRET = "Zk3VqTnB8wXr"  # noqa: S105 - made up, to be looked for in all output


class HttpReceiver:
    """Takes what Apprise sends to `json://`, and calls of the heartbeat.

    Attributes:
        received: What came, the oldest first.
        calls: How many GET requests came.
        answer: Gets what came and returns the status. It may wait.
    """

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.calls = 0
        self.answer: Callable[[dict[str, Any]], int] = lambda _: 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                receiver.received.append(body)
                self._end(receiver.answer(body))

            def do_GET(self) -> None:
                receiver.calls += 1
                self._end(receiver.answer({}))

            def _end(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False

    @property
    def place(self) -> str:
        """Its address without a scheme, which holds a secret."""
        return f"127.0.0.1:{self._server.server_port}/{SECRET}"

    @property
    def url(self) -> str:
        """Its address as Apprise writes it."""
        return f"json://{self.place}"

    @property
    def ids(self) -> list[str]:
        """The key of each message, by which it could drop repetitions."""
        return [message["finding_id"] for message in self.received]

    def __enter__(self) -> Self:
        # The interval is how long stopping takes.
        threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.01},
            daemon=True,
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
