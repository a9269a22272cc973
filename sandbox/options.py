"""What a sandbox is started with, as arguments and as a value."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SHAPES = ("uniform", "burst", "second")
HISTORIES = ("random", "story")
_CHOICES = {"shape": SHAPES, "history": HISTORIES}
#: After all events of a sandbox without options, in the middle of ten minutes and of a
#: day: what a test adds a few minutes earlier or later is of the same file and date.
STANDING = "2026-11-04T12:03:20"
MACHINE = "machine"
_AGO = {"d": 86_400, "h": 3_600}  # seconds


@dataclass(frozen=True)
class Options:
    """How to start a sandbox; each field is an argument of the same name.

    Attributes:
        port: TCP port at 127.0.0.1, and the first of three: the workspace's API has
            the next, the host of its files the one after that. 0 takes free ones.
        seed: Makes the organization and its events; the same seed makes the same.
        events: Number of events of the organization scope.
        tenant_events: Number of events of the tenant scope.
        workspace_events: Number of events of the ChatGPT workspace. Without any it is
            unknown to the API until the control endpoints add some.
        workspace_start: First moment of the workspace's log, in the forms of `start`.
        workspace_traps: What is wrong with the workspace's files, comma-separated, see
            `sandbox.server.log_file` and `sandbox.server.workspace_history`.
        start: First moment of the log: a date, a date and time, Unix seconds (all
            UTC), or ``30d`` or ``2h`` for so long before the end.
        end: End of both logs, exclusive, in the same forms, or ``now``, which is the
            API's. Events in the future become visible when their time comes.
        history: What happens, one of HISTORIES. `random` has events of every type, also
            unknown ones, by anybody at any time, and is made for tests and benchmarks.
            `story` is a company whose people and robots have habits; it is made for a
            month or so and, with 2,000 events, for reading.
        incident: When an incident begins on top of a story, in the forms of `start`;
            it takes a little more than an hour. Empty for none. Of the workspace, if it
            has events, it sees the failed sign-ins.
        shape: How events spread over time, one of SHAPES; a story has its own way.
        latency_ms: Delay before each answer, milliseconds.
        clock: What the API's clock shows: the time at which it stands, in the absolute
            forms of `start`, or ``machine``, with which it runs. Where it stands, the
            same options serve the same, whenever that is.
        clock_skew_seconds: What is added to it.
        grow_per_second: New events per second while the sandbox runs.
        admin_key: The only key of the organization's API.
        organization_id: The only `OpenAI-Organization` it accepts.
        workspace_key: The only key of the workspace's API.
        workspace_id: The only workspace there.
    """

    port: int = 0
    seed: int = 7
    events: int = 2000
    tenant_events: int = 50
    workspace_events: int = 0
    workspace_start: str = "2h"
    workspace_traps: str = ""
    start: str = "2026-01-01"
    end: str = "2026-11-01"
    history: str = "random"
    incident: str = ""
    shape: str = "uniform"
    latency_ms: float = 0.0
    clock: str = STANDING
    clock_skew_seconds: float = 0.0
    grow_per_second: float = 0.0
    admin_key: str = "sk-admin-stand-in"
    organization_id: str = "org-sandbox"
    workspace_key: str = "sk-workspace-stand-in"
    workspace_id: str = "5f0f1d4e-3c38-4a5f-9a55-6f2c1f6f8a10"

    def arguments(self) -> list[str]:
        """Return the command line that starts a sandbox with these options."""
        return [f"--{n.replace('_', '-')}={v}" for n, v in asdict(self).items()]

    def clock_at(self, machine: float) -> float:
        """Return what the API's clock shows, `clock_skew_seconds` apart.

        Args:
            machine: This machine's clock, Unix seconds.

        Raises:
            ValueError: The time cannot be read.
        """
        return machine if self.clock == MACHINE else float(_moment(self.clock))

    def span(self, now: float) -> tuple[int, int]:
        """Return start and end of the organization's log as Unix seconds.

        Args:
            now: The API's clock, Unix seconds.

        Raises:
            ValueError: A moment cannot be read, or the end is not after the start.
        """
        return self._span(self.start, now)

    def workspace_span(self, now: float) -> tuple[int, int]:
        """Return the same of the workspace's log."""
        return self._span(self.workspace_start, now)

    def incident_at(self, now: float) -> int | None:
        """Return when the incident begins, None without one.

        Raises:
            ValueError: The moment cannot be read.
        """
        return self._start(self.incident, self._end(now)) if self.incident else None

    def _span(self, first: str, now: float) -> tuple[int, int]:
        end = self._end(now)
        start = self._start(first, end)
        if start >= end:
            raise ValueError(f"start {first} is not before end {self.end}")
        return start, end

    def _end(self, now: float) -> int:
        return int(now) if self.end == "now" else _moment(self.end)

    def _start(self, text: str, end: int) -> int:
        if text[-1:] in _AGO:
            return end - int(float(text[:-1]) * _AGO[text[-1]])
        return _moment(text)


def _moment(text: str) -> int:
    if text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return int(moment.timestamp())


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read options from a command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local stand-in for OpenAI's APIs. Prints their base URLs.",
    )
    for field in fields(Options):
        default: Any = field.default
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            default=default,
            type=type(default),
            choices=_CHOICES.get(field.name),
            help=f"default: {default}",
        )
    return Options(**vars(parser.parse_args(arguments)))
