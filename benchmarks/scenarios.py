"""What is measured, and against which target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench import least
from benchmarks.contestants import AIRBYTE, BARE, CONTESTANTS, TAP
from benchmarks.environments import WORK
from benchmarks.measure import Usage, measured
from benchmarks.outcomes import Outcome, Table, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench
    from benchmarks.trials import Run

_LATENCY_MS = 100.0
_SMALL, _MIDDLE, _LARGE = 20_000, 100_000, 1_000_000
_SERIAL = "x the speed of the bare loop"


def latency_20k(bench: Bench) -> Outcome:
    """Pages that take 100 ms each: everybody, whole processes."""
    names = [TAP, BARE, AIRBYTE] if bench.quick else list(CONTESTANTS)
    with bench.trial(_SMALL, latency_ms=_LATENCY_MS) as trial:
        runs = bench.rounds(trial, names, 1 if bench.quick else 2)
    serial = least(runs[BARE]).wall
    bench.page_seconds = serial / trial.pages
    case = "20,000 events, 100 ms a page"
    return Outcome(
        [
            Verdict.at_least(case, 5, serial / least(runs[TAP]).wall, _SERIAL),
            _ahead(case, runs),
        ],
        [_wall_table(case, runs, serial)],
    )


def latency_100k(bench: Bench) -> Outcome:
    """The same with five times the events, and how many requests they take."""
    if bench.quick and bench.page_seconds is None:
        latency_20k(bench)
    names = [TAP] if bench.quick else [TAP, BARE, AIRBYTE]
    with bench.trial(_MIDDLE, latency_ms=_LATENCY_MS) as trial:
        runs = bench.rounds(trial, names, 1)
    if BARE in runs:
        serial = least(runs[BARE]).wall
    else:
        serial = trial.pages * (bench.page_seconds or 0)
    case = "100,000 events, 100 ms a page"
    requests = runs[TAP][0].requests
    return Outcome(
        [
            Verdict.at_least(case, 6.5, serial / least(runs[TAP]).wall, _SERIAL),
            _ahead(case, runs),
            Verdict.at_most(
                f"requests for 100,000 events, which fill {trial.pages:,} pages",
                1.15,
                requests / trial.pages,
                "x the pages",
            ),
        ],
        [_wall_table(case, runs, serial)],
    )


def burst(bench: Bench) -> Outcome:
    """Nine tenths of the events within one hour, next to the even spread."""
    even, dense = [], []
    with (
        bench.trial(_SMALL, latency_ms=_LATENCY_MS) as uniform,
        bench.trial(_SMALL, latency_ms=_LATENCY_MS, shape="burst") as bursting,
    ):
        for _ in range(1 if bench.quick else 3):
            even += bench.rounds(uniform, [TAP], 1)[TAP]
            dense += bench.rounds(bursting, [TAP], 1)[TAP]
    return Outcome(
        [
            Verdict.at_most(
                "20,000 events, 90 % of them in one hour",
                1.4,
                least(dense).wall / least(even).wall,
                "x the time of the even spread",
            )
        ]
    )


def cpu(bench: Bench) -> Outcome:
    """Processor time without latency, start-up included."""
    others = [] if bench.quick else [n for n in CONTESTANTS if n not in {TAP, BARE}]
    with bench.trial(_MIDDLE) as trial:
        runs = bench.rounds(trial, [TAP, BARE], 3 if bench.quick else 5)
        runs |= bench.rounds(trial, others, 2)
    bare = least(runs[BARE]).cpu
    rows = []
    for name, several in runs.items():
        usage = least(several)
        rows.append(
            (
                CONTESTANTS[name].title,
                f"{usage.cpu / trial.events * 1e6:.1f}",
                f"{usage.cpu / bare:.2f}",
                f"{usage.wall:.1f}",
                f"{usage.peak:.0f}",
            )
        )
    header = ("", "CPU µs an event", "x bare", "wall s", "peak MB")
    return Outcome(
        [
            Verdict.at_most(
                "CPU an event, 100,000 events, no latency",
                2.5,
                least(runs[TAP]).cpu / bare,
                "x the bare loop's",
            )
        ],
        [Table("100,000 events, no latency", header, rows)],
    )


def memory(bench: Bench) -> Outcome:
    """Peak memory of a long run, and that it does not grow with the log."""
    peaks = []
    for events in (_MIDDLE, _LARGE):
        with bench.trial(events) as trial:
            peaks.append(least(bench.rounds(trial, [TAP], 1)[TAP]).peak)
    case = "peak memory, 1,000,000 events"
    growth = peaks[1] - peaks[0]
    return Outcome(
        [
            Verdict.at_most(case, 150, peaks[1], "MB"),
            Verdict.at_most(case, 20, growth, "MB above that for 100,000"),
        ]
    )


def nothing_new(bench: Bench) -> Outcome:
    """A run that continues where the last one ended, and finds nothing."""
    with bench.trial(_SMALL, latency_ms=_LATENCY_MS) as trial:
        state = trial.state()
        runs = [trial.run_again(state) for _ in range(5)]
    case = "nothing new, 100 ms a page"
    return Outcome(
        [
            Verdict.at_most(case, 2, max(run.requests for run in runs), "requests"),
            Verdict.at_most(case, 1, least(runs).wall, "s"),
        ]
    )


def start_up(bench: Bench) -> Outcome:
    """What it costs to start each tool and do nothing."""
    folder = WORK / "runs" / "start-up"
    folder.mkdir(parents=True, exist_ok=True)
    commands = {
        CONTESTANTS[name].title: CONTESTANTS[name].start(programs)
        for name, programs in bench.programs.items()
    }
    usages: dict[str, list[Usage]] = {title: [] for title in commands}
    for _ in range(7):
        for title, command in commands.items():
            usages[title].append(
                measured(command, folder, folder / "output", timeout=60)
            )
    rows = []
    for title, several in usages.items():
        usage = Usage.best(several)
        rows.append((title, f"{usage.wall:.2f}", f"{usage.cpu:.2f}"))
        bench.log(f"  {title}: {usage.wall:.2f} s")
    return Outcome(tables=[Table("Start-up alone", ("", "wall s", "CPU s"), rows)])


SCENARIOS: dict[str, Callable[[Bench], Outcome]] = {
    "20k": latency_20k,
    "100k": latency_100k,
    "burst": burst,
    "cpu": cpu,
    "memory": memory,
    "nothing-new": nothing_new,
    "start-up": start_up,
}
"""All scenarios, in the order in which they run."""

NOT_QUICK = frozenset({"memory", "start-up"})
"""Scenarios that a quick look does without."""


def _ahead(case: str, runs: dict[str, list[Run]]) -> Verdict:
    """Whether the tap takes less time than the Airbyte source."""
    target = "less time than the Airbyte source"
    if AIRBYTE not in runs:
        return Verdict(case, target, "", None)
    ratio = least(runs[TAP]).wall / least(runs[AIRBYTE]).wall
    return Verdict(case, target, f"{ratio:.2f} x its time", ratio < 1)


def _wall_table(case: str, runs: dict[str, list[Run]], serial: float) -> Table:
    rows = [
        (
            CONTESTANTS[name].title,
            f"{least(several).wall:.2f}",
            f"{serial / least(several).wall:.2f}",
            f"{several[0].requests:,}",
        )
        for name, several in runs.items()
    ]
    return Table(case, ("", "wall s", "times as fast as bare", "requests"), rows)
