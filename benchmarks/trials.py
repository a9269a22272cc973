"""A sandbox with a log, and programs that read it. What they read is checked."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from benchmarks.environments import WORK
from benchmarks.measure import FailedRunError, Usage, measured
from benchmarks.program import BEFORE, TAP, last_state
from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from benchmarks.program import Installed

PAGE_SIZE = 100
_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Run:
    """One run of a program that read what it should.

    Attributes:
        usage: What it cost.
        requests: How many requests it made.
        state: The last state, if it is the tap.
    """

    usage: Usage
    requests: int
    state: bytes


class Trial:
    """A log to be read, served by a sandbox: a context manager."""

    def __init__(
        self,
        programs: Mapping[str, Installed],
        events: int,
        *,
        latency_ms: float = 0,
        shape: str = "uniform",
        span: str = "365d",
    ) -> None:
        """Prepare a log.

        Args:
            programs: What is installed, by its name.
            events: How many events there are.
            latency_ms: How long each page takes, in milliseconds.
            shape: How the events spread over time, one of `sandbox.options.SHAPES`.
            span: How long before now the log begins, as in `365d`.
        """
        self.events = events
        self.pages = -(-events // PAGE_SIZE)
        self._programs = programs
        self._sandbox = SandboxProcess(
            events=events,
            tenant_events=0,
            clock="machine",
            start=span,
            end="now",
            latency_ms=latency_ms,
            shape=shape,
        )
        self._truth: frozenset[str] = frozenset()
        self._oldest = 0

    def __enter__(self) -> Self:
        """Start the sandbox."""
        self._sandbox.start()
        truth = self._sandbox.control.events()
        self._truth = frozenset(event.id for event in truth)
        self._oldest = min(event.effective_at for event in truth)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the sandbox."""
        self._sandbox.stop()

    def run(self, name: str, **settings: object) -> Run:
        """Have a program read the whole log.

        Args:
            name: Which one.
            settings: Settings that it is given besides the usual ones.

        Raises:
            FailedRunError: If it fails, or what it read is not the log.
        """
        return self._run(name, self._truth, settings)

    def run_again(self, name: str, state: bytes) -> Run:
        """Have a tap continue from a state after which there is nothing new.

        Raises:
            FailedRunError: If it fails, or emits anything.
        """
        return self._run(name, frozenset(), {}, state)

    def _run(
        self,
        name: str,
        truth: frozenset[str],
        settings: Mapping[str, object],
        state: bytes | None = None,
    ) -> Run:
        installed, control = self._programs[name], self._sandbox.control
        program = installed.program
        folder = WORK / "runs" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        output = folder / "output"
        given = {**self._settings(needs_start=program.needs_start_date), **settings}
        (folder / "settings.json").write_text(json.dumps(given))
        command = installed.command(folder)
        if state is not None:
            (folder / "state.json").write_bytes(state)
            command += ["--state", str(folder / "state.json")]
        control.forget_requests()
        try:
            usage = measured(
                command,
                folder,
                output,
                timeout=_TIMEOUT_SECONDS,
                variables=program.environment,
            )
            requests = control.requests()["count"]
            _check(list(program.ids(output, folder)), truth)
            last = last_state(output) if name in {TAP, BEFORE} else b""
        except FailedRunError as error:
            raise FailedRunError(f"{program.title}: {error}") from None
        # What a million events make is not left behind.
        shutil.rmtree(folder)
        return Run(usage, requests, last)

    def _settings(self, *, needs_start: bool) -> dict[str, str]:
        settings = {
            "api_url": self._sandbox.url,
            "admin_key": self._sandbox.admin_key,
            "organization_id": self._sandbox.organization_id,
        }
        if needs_start:
            # It gets the best there is. No other program gets one.
            start = datetime.fromtimestamp(self._oldest, timezone.utc)
            settings["start_date"] = start.strftime("%Y-%m-%dT%H:%M:%SZ")
        return settings


def _check(ids: Sequence[str], truth: frozenset[str]) -> None:
    """Compare what was read with what there is.

    Raises:
        FailedRunError: If an event is missing, repeated or unknown.
    """
    found = frozenset(ids)
    if found != truth or len(ids) != len(truth):
        raise FailedRunError(
            f"it read the log wrongly: {len(truth - found)} events missing,"
            f" {len(found - truth)} unknown, {len(ids) - len(found)} repeated"
        )
