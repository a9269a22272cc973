"""Runs contestants in turns, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from benchmarks.contestants import BARE, TAP
from benchmarks.measure import FailedRunError, Usage
from benchmarks.trials import Run, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_INDISPENSABLE = {TAP, BARE}


class Bench:
    """The environments, and how thoroughly to measure."""

    def __init__(
        self, programs: Mapping[str, Path], *, quick: bool, log: Callable[[str], None]
    ) -> None:
        """Prepare to measure.

        Args:
            programs: For each contestant that could be installed, where its programs
                are.
            quick: Whether to measure only what the targets need, and less often.
            log: Told of each run.
        """
        self.programs = programs
        self.quick = quick
        self.log = log
        self.page_seconds: float | None = None
        """What a page with latency costs that is read after another, once measured."""

    def trial(
        self, events: int, *, latency_ms: float = 0, shape: str = "uniform"
    ) -> Trial:
        """A log to be read, see `Trial`."""
        self.log(f"a log of {events:,} events, {shape}, {latency_ms:.0f} ms a page")
        return Trial(self.programs, events, latency_ms=latency_ms, shape=shape)

    def rounds(
        self, trial: Trial, names: Sequence[str], count: int
    ) -> dict[str, list[Run]]:
        """Have contestants read a log in turns.

        One that is not installed or fails is left out, with a line that says so.

        Raises:
            FailedRunError: If the tap or the bare loop fails: without them there is
                nothing to compare.
        """
        runs: dict[str, list[Run]] = defaultdict(list)
        names = [name for name in names if name in self.programs]
        for _ in range(count):
            for name in list(names):
                try:
                    run = trial.run(name)
                except FailedRunError as error:
                    if name in _INDISPENSABLE:
                        raise
                    self.log(f"  left out: {error}")
                    names.remove(name)
                    runs.pop(name, None)
                    continue
                runs[name].append(run)
                self.log(f"  {name:8} {_line(run.usage)}, {run.requests} requests")
        return dict(runs)


def least(runs: Sequence[Run]) -> Usage:
    """The least time of several runs, and the most memory."""
    return Usage.best([run.usage for run in runs])


def _line(usage: Usage) -> str:
    return f"{usage.wall:7.2f} s, {usage.cpu:6.2f} s CPU, {usage.peak:5.0f} MB"
