"""A sandbox in a process of its own, for tests, demos and benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from sandbox.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

_ROOT = Path(__file__).resolve().parent.parent
_DEADLINE_SECONDS = 120.0
_END_SECONDS = 5.0
_OK = 200


class SandboxError(Exception):
    """The sandbox did not start, or refused what it was told."""


class Truth(NamedTuple):
    """One event the sandbox has: what a reader must find, or will once visible."""

    id: str
    effective_at: int
    scope: str
    visible: bool


@dataclass(frozen=True)
class Control:
    """Steers a running sandbox through its control endpoints.

    Attributes:
        host: The sandbox's address.
        port: The sandbox's port.
    """

    host: str
    port: int

    def events(self, scope: str | None = None) -> list[Truth]:
        """Return every event there is, of one scope or of both."""
        rows = [Truth(*row) for row in self._call("GET", "events")]
        return [row for row in rows if scope in (None, row.scope)]

    def add_events(  # noqa: PLR0913 - one argument per field of the endpoint
        self,
        count: int = 1,
        *,
        scope: str = "organization",
        at: float | None = None,
        spread_seconds: float = 0,
        visible_in_seconds: float = 0,
        raw: Sequence[dict[str, Any] | str] | None = None,
    ) -> list[str]:
        """Add events and return their ids.

        Args:
            count: How many.
            scope: `organization` or `tenant`.
            at: Time of the first, Unix seconds; None is now.
            spread_seconds: Time from the first to the last, about.
            visible_in_seconds: How long they stay invisible.
            raw: Events to serve as they are, instead of `count` synthetic ones;
                strings are served byte for byte.
        """
        order = {
            "count": count,
            "scope": scope,
            "at": at,
            "spread_seconds": spread_seconds,
            "visible_in_seconds": visible_in_seconds,
            "raw": raw,
        }
        ids: list[str] = self._call("POST", "events", order)["ids"]
        return ids

    def behave(self, **changes: object) -> dict[str, Any]:
        """Change behaviours (`sandbox.behaviour.Behaviour`) and return all of them."""
        behaviour: dict[str, Any] = self._call("PUT", "behaviour", changes)
        return behaviour

    def behaviour(self) -> dict[str, Any]:
        """Return all behaviours."""
        behaviour: dict[str, Any] = self._call("GET", "behaviour")
        return behaviour

    def faults(self, *faults: dict[str, Any]) -> None:
        """Plan faults (`sandbox.faults.Fault`); none ends them. The count restarts."""
        self._call("PUT", "faults", {"faults": faults})

    def requests(self) -> dict[str, Any]:
        """Return `count`, `by_path` and `log` of the requests so far."""
        requests: dict[str, Any] = self._call("GET", "requests")
        return requests

    def forget_requests(self) -> None:
        """Start counting requests again."""
        self._call("DELETE", "requests")

    def _call(self, method: str, name: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        connection = HTTPConnection(self.host, self.port, timeout=_DEADLINE_SECONDS)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, f"/_control/{name}", content)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != _OK:
            raise SandboxError(f"{method} {name}: {answer}")
        return answer


class SandboxProcess:
    """Starts a sandbox and ends it: a context manager.

    Attributes:
        url: Base URL, ``http://127.0.0.1:PORT/v1``; empty before the start.
        admin_key: The key it accepts.
        organization_id: The organization it accepts.
    """

    def __init__(self, **options: Any) -> None:
        """Take options by name, see `sandbox.options.Options`."""
        self.options = Options(**options)
        self.admin_key = self.options.admin_key
        self.organization_id = self.options.organization_id
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The process id, for those who measure it."""
        if self._process is None:
            raise SandboxError("the sandbox is not running")
        return self._process.pid

    @property
    def control(self) -> Control:
        """The control endpoints."""
        parts = urlsplit(self.url)
        if parts.hostname is None or parts.port is None:
            raise SandboxError("the sandbox is not running")
        return Control(parts.hostname, parts.port)

    def start(self) -> Self:
        """Start the process and wait until it is ready.

        Raises:
            SandboxError: It ended, or was not ready within two minutes.
        """
        command = [sys.executable, "-m", "sandbox", *self.options.arguments()]
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=_ROOT, stdout=subprocess.PIPE, text=True
        )
        self._process = process
        deadline = threading.Timer(_DEADLINE_SECONDS, process.kill)
        deadline.start()
        try:
            line = process.stdout.readline() if process.stdout else ""
        finally:
            deadline.cancel()
        if not line:
            self.stop()
            raise SandboxError(f"the sandbox did not start: {' '.join(command)}")
        self.url = line.strip()
        return self

    def stop(self) -> None:
        """End the process."""
        process, self._process, self.url = self._process, None, ""
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self.stop()
