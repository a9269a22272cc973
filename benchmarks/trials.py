"""A sandbox with a log, and contestants that read it. What they read is checked."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from benchmarks.contestants import AIRBYTE, CONTESTANTS, TAP
from benchmarks.environments import WORK
from benchmarks.measure import FailedRunError, Usage, measured
from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

PAGE_SIZE = 100
_SPAN = "365d"
_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Run:
    """One run of a contestant that read what it should."""

    usage: Usage
    requests: int


class Trial:
    """A log to be read, served by a sandbox: a context manager."""

    def __init__(
        self,
        programs: Mapping[str, Path],
        events: int,
        *,
        latency_ms: float = 0,
        shape: str = "uniform",
    ) -> None:
        """Prepare a log.

        Args:
            programs: For each contestant, the folder of its programs.
            events: How many events there are, over a year up to now.
            latency_ms: How long each page takes, in milliseconds.
            shape: How the events spread over time, one of `sandbox.options.SHAPES`.
        """
        self.events = events
        self.pages = -(-events // PAGE_SIZE)
        self._programs = programs
        self._sandbox = SandboxProcess(
            events=events,
            tenant_events=0,
            start=_SPAN,
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

    def run(self, name: str) -> Run:
        """Have a contestant read the whole log.

        Raises:
            FailedRunError: If it fails, or what it read is not the log.
        """
        return self._run(name, self._truth)[0]

    def run_again(self, state: bytes) -> Run:
        """Have the tap continue from a state after which there is nothing new.

        Raises:
            FailedRunError: If it fails, or emits anything.
        """
        return self._run(TAP, frozenset(), state)[0]

    def state(self) -> bytes:
        """Have the tap read the whole log, and return the last state it wrote.

        Raises:
            FailedRunError: If it fails, or what it read is not the log.
        """
        return self._run(TAP, self._truth)[1]

    def _run(
        self, name: str, truth: frozenset[str], state: bytes | None = None
    ) -> tuple[Run, bytes]:
        contestant, control = CONTESTANTS[name], self._sandbox.control
        folder = WORK / "runs" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        output = folder / "output"
        (folder / "settings.json").write_text(json.dumps(self._settings_for(name)))
        command = contestant.command(self._programs[name], folder)
        if state is not None:
            (folder / "state.json").write_bytes(state)
            command += ["--state", str(folder / "state.json")]
        control.forget_requests()
        try:
            usage = measured(command, folder, output, timeout=_TIMEOUT_SECONDS)
            requests = control.requests()["count"]
            _check(list(contestant.ids(output, folder)), truth)
            last = _last_state(output) if name == TAP else b""
        except FailedRunError as error:
            raise FailedRunError(f"{contestant.title}: {error}") from None
        # What a million events make is not left behind.
        shutil.rmtree(folder)
        return Run(usage, requests), last

    def _settings_for(self, name: str) -> dict[str, str]:
        settings = {
            "api_url": self._sandbox.url,
            "admin_key": self._sandbox.admin_key,
            "organization_id": self._sandbox.organization_id,
        }
        if name == AIRBYTE:
            # It cannot do without one, so it gets the best there is. Nobody else does.
            start = datetime.fromtimestamp(self._oldest, timezone.utc)
            settings["start_date"] = start.strftime("%Y-%m-%dT%H:%M:%SZ")
        return settings


def _check(ids: Sequence[str], truth: frozenset[str]) -> None:
    """Compare what was read with what there is.

    Raises:
        FailedRunError: If an event is missing, repeated or invented.
    """
    found = frozenset(ids)
    if found != truth or len(ids) != len(truth):
        raise FailedRunError(
            f"it read the log wrongly: {len(truth - found)} events missing,"
            f" {len(found - truth)} unknown, {len(ids) - len(found)} repeated"
        )


def _last_state(output: Path) -> bytes:
    """The value of the last STATE message in the tap's output."""
    last = b""
    with output.open("rb") as lines:
        for line in lines:
            if line.startswith(b'{"type":"STATE"'):
                last = line
    return json.dumps(json.loads(last)["value"]).encode()
