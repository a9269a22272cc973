"""A sandbox in a process of its own, for tests, demos and benchmarks."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from sandbox.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from types import TracebackType

    from typing_extensions import Self

# Forked from a process that holds nothing of this one; anew where that cannot be.
if sys.platform == "win32":
    _PROCESSES = multiprocessing.get_context("spawn")
else:
    _PROCESSES = multiprocessing.get_context("forkserver")

_DEADLINE_SECONDS = 120.0  # a million events take twenty
_END_SECONDS = 30.0  # it ends at once, unless the machine is very busy
_OK = 200


class SandboxError(Exception):
    """The sandbox did not start, or refused what it was told."""


class Truth(NamedTuple):
    """One event the sandbox has: what a reader must find, or will once visible."""

    id: str
    effective_at: int
    scope: str
    visible: bool


class WorkspaceFile(NamedTuple):
    """One log file of the workspace, as it is and not as it is declared.

    Attributes:
        id: Its id.
        type: `AUDIT_LOG` or `AUTH_LOG`.
        end_time: When it ends, as the API writes it.
        events: The `event_id` of each event in it, in their order.
        visible: Whether it is listed.
        traps: What is wrong with it, see `sandbox.server.log_file.TRAPS`.
    """

    id: str
    type: str
    end_time: str
    events: list[str]
    visible: bool
    traps: list[str]


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

    def add_events(
        self,
        count: int = 1,
        *,
        scope: str = "organization",
        at: float | None = None,
        visible_in_seconds: float = 0,
        raw: Sequence[dict[str, Any] | str] | None = None,
    ) -> list[str]:
        """Add events and return their ids.

        Args:
            count: How many.
            scope: `organization` or `tenant`.
            at: Their time, Unix seconds; None is now by the API's clock.
            visible_in_seconds: How long they stay invisible, by the API's clock.
            raw: Events to serve as they are, instead of `count` synthetic ones;
                strings are served byte for byte.
        """
        order = {
            "count": count,
            "scope": scope,
            "at": at,
            "visible_in_seconds": visible_in_seconds,
            "raw": raw,
        }
        ids: list[str] = self._call("POST", "events", order)["ids"]
        return ids

    def begin_incident(self, at: float | None = None) -> int:
        """Let an incident begin on top of a story, and return when it does.

        What of it lies in the future happens when its time comes by the API's clock,
        which `clock_skew_seconds` moves; `events` does not know of it before.

        Args:
            at: When, Unix seconds; None is now by the API's clock.

        Raises:
            SandboxError: What happens in the sandbox is no story.
        """
        began_at: int = self._call("POST", "incident", {"at": at})["at"]
        return began_at

    def remove_events(self, before: int) -> int:
        """Remove the visible events that are older, in Unix seconds; return how many.

        So retention does, and an id that a reader kept is no cursor any more.
        """
        removed: int = self._call("DELETE", f"events?before={before}")["removed"]
        return removed

    def workspace_files(self, event_type: str | None = None) -> list[WorkspaceFile]:
        """Return every file there is, of one type or of both, in listing order."""
        files = [WorkspaceFile(*row) for row in self._call("GET", "workspace_files")]
        return [file for file in files if event_type in (None, file.type)]

    def add_workspace_file(
        self,
        events: int | Sequence[dict[str, Any] | str] = 1,
        *,
        event_type: str = "AUDIT_LOG",
        end_time: str | None = None,
        visible: bool = True,
        traps: Sequence[str] = (),
    ) -> WorkspaceFile:
        """Add a file to the workspace and return it.

        Args:
            events: How many synthetic events are in it, or events to serve as they
                are; strings are served byte for byte, one a line.
            event_type: `AUDIT_LOG` or `AUTH_LOG`.
            end_time: When it ends, ISO 8601, served as it is given; None is ten minutes
                after the newest file, or before that if it would be in the future.
            visible: Whether it is listed before `show_workspace_files`.
            traps: What is wrong with it, see `sandbox.server.log_file.TRAPS`.
        """
        order = {
            "events": events,
            "type": event_type,
            "end_time": end_time,
            "visible": visible,
            "traps": traps,
        }
        return WorkspaceFile(*self._call("POST", "workspace_files", order))

    def show_workspace_files(self) -> list[WorkspaceFile]:
        """List the files that were kept back until now, and return them."""
        return [WorkspaceFile(*row) for row in self._call("PUT", "workspace_files")]

    def add_workspace_events(
        self,
        count: int = 1,
        *,
        event_type: str = "AUDIT_LOG",
        at: float | None = None,
    ) -> list[str]:
        """Add synthetic events and return their ids.

        They come in the file that is listed when the running ten minutes of the API's
        clock are over: move it with `clock_skew_seconds`.

        Args:
            count: How many.
            event_type: `AUDIT_LOG` or `AUTH_LOG`.
            at: Their time, Unix seconds; None is now by the API's clock.
        """
        order = {"count": count, "type": event_type, "at": at}
        ids: list[str] = self._call("POST", "workspace_events", order)
        return ids

    def now(self) -> float:
        """Return what the API's clock shows, Unix seconds."""
        shown: float = self._call("GET", "clock")["now"]
        return shown

    def set_clock(self, at: float) -> None:
        """Set the API's clock, Unix seconds. It stands or runs on from there."""
        skew = self.behaviour()["clock_skew_seconds"]
        self.behave(clock_skew_seconds=float(skew + at - self.now()))

    def behave(self, **changes: object) -> dict[str, Any]:
        """Change behaviours, see `sandbox.server.behaviour`, and return all of them."""
        behaviour: dict[str, Any] = self._call("PUT", "behaviour", changes)
        return behaviour

    def behaviour(self) -> dict[str, Any]:
        """Return all behaviours."""
        behaviour: dict[str, Any] = self._call("GET", "behaviour")
        return behaviour

    def faults(self, *faults: dict[str, Any]) -> None:
        """Plan faults, see `sandbox.server.faults`; none ends them. Counts restart."""
        self._call("PUT", "faults", {"faults": faults})

    def requests(self) -> dict[str, Any]:
        """Return `count` and `log` of the requests so far, and `leaks` of keys.

        See `sandbox.server.journal`.
        """
        requests: dict[str, Any] = self._call("GET", "requests")
        return requests

    def forget_requests(self) -> None:
        """Start counting requests again; leaks are not forgotten."""
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

    Leaving it fails if a key came to the host of the workspace's files meanwhile.

    Attributes:
        url: Base URL of the organization's API, ``http://127.0.0.1:PORT/v1``; empty
            before the start.
        admin_key: The key it accepts there.
        organization_id: The organization it accepts there.
        workspace_url: Base URL of the workspace's API, at another port.
        workspace_key: The key it accepts there.
        workspace_id: The workspace it knows there.
    """

    def __init__(self, **options: Any) -> None:
        """Take options by name, see `sandbox.options.Options`."""
        self.options = Options(**options)
        self.admin_key = self.options.admin_key
        self.organization_id = self.options.organization_id
        self.workspace_key = self.options.workspace_key
        self.workspace_id = self.options.workspace_id
        self.url = self.workspace_url = ""
        self._process: BaseProcess | None = None

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
        ours, theirs = _PROCESSES.Pipe(duplex=False)
        self._process = _PROCESSES.Process(target=_serve, args=(self.options, theirs))
        self._process.start()
        theirs.close()
        with ours:
            try:
                urls = ours.recv() if ours.poll(_DEADLINE_SECONDS) else None
            except EOFError:
                urls = None
        if urls is None:
            self.stop()
            options = " ".join(self.options.arguments())
            raise SandboxError(f"the sandbox did not start: {options}")
        self.url, self.workspace_url = urls
        return self

    def stop(self) -> int | None:
        """End the process and return its exit code, None if there is no process.

        It is killed if it does not end by itself, which shows in its exit code.
        """
        process, self._process = self._process, None
        self.url = self.workspace_url = ""
        if process is None:
            return None
        process.terminate()
        process.join(_END_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        return process.exitcode

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End.

        Raises:
            SandboxError: A key came to the host of the workspace's files.
        """
        try:
            running = self.url and problem is None
            leaks = self.control.requests()["leaks"] if running else 0
        finally:
            self.stop()
        if leaks:
            raise SandboxError(f"a key came to the host of the files, {leaks} times")


def _serve(options: Options, ready: Connection) -> None:
    """Run in the new process: send the two base URLs, then serve until it is ended."""
    importlib.import_module("sandbox.server.api").serve(options, ready.send)
