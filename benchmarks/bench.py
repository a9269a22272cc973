"""Runs programs in turns, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from benchmarks.measure import FailedRunError, Usage
from benchmarks.program import BARE, BEFORE, TAP
from benchmarks.trials import Run, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.program import Installed

LATENCY_MS = 100.0
_SAMPLE = 2_000  # events; enough pages to know what one takes after another


class Bench:
    """The programs, and how much they read."""

    def __init__(
        self,
        programs: Mapping[str, Installed],
        *,
        events: int | None,
        log: Callable[[str], None],
    ) -> None:
        """Prepare to measure.

        Args:
            programs: What is installed, by its name.
            events: How many events there are instead of a scenario's own number.
            log: Called with a line for each run.
        """
        self.programs = programs
        self.log = log
        self._events = events
        self._page_seconds: float | None = None

    @property
    def taps(self) -> list[str]:
        """The tap, and that of another commit if it is compared."""
        return [name for name in (TAP, BEFORE) if name in self.programs]

    def size(self, default: int) -> int:
        """Return how many events a scenario has."""
        return self._events or default

    def trial(
        self,
        events: int,
        *,
        latency_ms: float = 0,
        shape: str = "uniform",
        span: str = "365d",
    ) -> Trial:
        """Return a log to be read, see `Trial`."""
        self.log(f"a log of {events:,} events, {shape}, {latency_ms:.0f} ms a page")
        return Trial(
            self.programs, events, latency_ms=latency_ms, shape=shape, span=span
        )

    def rounds(
        self, trial: Trial, names: Sequence[str], count: int
    ) -> dict[str, list[Run]]:
        """Have programs read a log in turns.

        A rival that fails is left out, and the log says so.

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
                    if name in {TAP, BARE, BEFORE}:
                        raise
                    self.log(f"  left out: {error}")
                    names.remove(name)
                    runs.pop(name, None)
                    continue
                runs[name].append(run)
                self.log(f"  {name:8} {_line(run.usage)}, {run.requests} requests")
        return dict(runs)

    def serial_seconds(self, pages: int, measured: Sequence[Run] = ()) -> float:
        """Return how long the bare loop takes for pages with latency.

        It reads one after the other, so a long log is not read for this: a page takes
        what it took in the longest log that the loop has read.

        Args:
            pages: How many pages.
            measured: Runs of the bare loop over that many pages, if there are any.
        """
        if measured:
            self._page_seconds = least(measured).wall / pages
        if self._page_seconds is None:
            with self.trial(_SAMPLE, latency_ms=LATENCY_MS) as trial:
                runs = self.rounds(trial, [BARE], 2)[BARE]
            self._page_seconds = least(runs).wall / trial.pages
        return self._page_seconds * pages


def least(runs: Sequence[Run]) -> Usage:
    """Return the least time of several runs, and the most memory."""
    return Usage.best([run.usage for run in runs])


def _line(usage: Usage) -> str:
    return f"{usage.wall:7.2f} s, {usage.cpu:6.2f} s CPU, {usage.peak:5.0f} MB"
