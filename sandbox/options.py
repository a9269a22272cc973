"""What a sandbox is started with, as arguments and as a value."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SHAPES = ("uniform", "burst", "second")
_CHOICES = {"shape": SHAPES}
_DAY = 86_400


@dataclass(frozen=True)
class Options:
    """How to start a sandbox; each field is an argument of the same name.

    Attributes:
        port: TCP port at 127.0.0.1; 0 takes a free one.
        seed: Makes the organization and its events; the same seed makes the same.
        events: Number of events of the organization scope.
        tenant_events: Number of events of the tenant scope.
        start: First moment of the log: a date, a date and time, Unix seconds (all
            UTC), or ``30d`` for so many days before the end.
        end: End of the log, exclusive, in the same forms, or ``now``, which is the
            API's. Events in the future become visible when their time comes.
        shape: How events spread over time, one of SHAPES.
        latency_ms: Delay before each answer, milliseconds.
        clock_skew_seconds: What the API's clock is ahead of this machine's.
        grow_per_second: New events per second while the sandbox runs.
        admin_key: The only key it accepts.
        organization_id: The only `OpenAI-Organization` it accepts.
    """

    port: int = 0
    seed: int = 7
    events: int = 2000
    tenant_events: int = 50
    start: str = "2026-01-01"
    end: str = "2026-11-01"
    shape: str = "uniform"
    latency_ms: float = 0.0
    clock_skew_seconds: float = 0.0
    grow_per_second: float = 0.0
    admin_key: str = "sk-admin-stand-in"
    organization_id: str = "org-sandbox"

    def arguments(self) -> list[str]:
        """Return the command line that starts a sandbox with these options."""
        return [f"--{n.replace('_', '-')}={v}" for n, v in asdict(self).items()]

    def span(self, now: float) -> tuple[int, int]:
        """Return start and end as Unix seconds.

        Args:
            now: The API's clock, Unix seconds.

        Raises:
            ValueError: A moment cannot be read, or the end is not after the start.
        """
        end = int(now) if self.end == "now" else _moment(self.end)
        if self.start.endswith("d"):
            start = end - int(float(self.start[:-1]) * _DAY)
        else:
            start = _moment(self.start)
        if start >= end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        return start, end


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
        description="A local stand-in for OpenAI's Admin API. Prints its base URL.",
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
