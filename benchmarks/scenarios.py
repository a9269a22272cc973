"""What is measured of the tap, and against which goal.

Each scenario measures the tap and, if one is compared, the tap of another commit in
turns, beside the bare loop where a ratio is asked for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.bench import LATENCY_MS, least
from benchmarks.environments import WORK
from benchmarks.measure import Usage, measured
from benchmarks.outcomes import Outcome, Table, Verdict
from benchmarks.program import BARE, BEFORE, TAP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench
    from benchmarks.trials import Run

_SMALL, _MIDDLE, _LARGE = 20_000, 100_000, 1_000_000
_KIB = 1024


def cpu(bench: Bench) -> Outcome:
    """Processor time and requests without latency, start-up included."""
    with bench.trial(bench.size(_MIDDLE)) as trial:
        runs = bench.rounds(trial, [*bench.taps, BARE], 4)
    bare = least(runs[BARE]).cpu
    requests = {
        name: max(run.requests for run in several) / trial.pages
        for name, several in runs.items()
    }
    ratios = {name: least(several).cpu / bare for name, several in runs.items()}
    rows = [
        (
            bench.programs[name].program.title,
            f"{least(several).cpu / trial.events * 1e6:.1f}",
            f"{ratios[name]:.2f}",
            f"{requests[name]:.2f}",
            f"{least(several).wall:.1f}",
            f"{least(several).peak:.0f}",
        )
        for name, several in runs.items()
    ]
    case = f"{trial.events:,} events, no latency"
    header = ("", "CPU µs an event", "x bare", "requests a page", "wall s", "peak MB")
    return Outcome(
        [
            _at_most(f"CPU, {case}", 1.9, "x the bare loop's", ratios),
            _at_most(f"requests a page, {case}", 1.1, "", requests),
        ],
        [Table(case, header, rows)],
    )


def memory(bench: Bench) -> Outcome:
    """Peak memory of a long run, and how much it grows with the log."""
    large = bench.size(_LARGE)
    small = large // 10
    peaks: dict[str, list[float]] = {name: [] for name in bench.taps}
    for events in (small, large):
        with bench.trial(events) as trial:
            for name, runs in bench.rounds(trial, bench.taps, 1).items():
                peaks[name].append(least(runs).peak)
    case = f"peak memory, {large:,} events"
    whole = {name: found[1] for name, found in peaks.items()}
    growth = {name: found[1] - found[0] for name, found in peaks.items()}
    return Outcome(
        [
            _at_most(case, 90, "MB", whole),
            _at_most(case, 10, f"MB above that for {small:,}", growth),
        ]
    )


def state(bench: Bench) -> Outcome:
    """The size of the state of a feed, for two reaches of the late-arrival scan."""
    outcome = Outcome()
    # A log that is a little longer than the reach, so that all of it is in the state.
    for days, span, goal in ((7, "10d", 26), (30, "33d", 36)):
        with bench.trial(bench.size(_MIDDLE), span=span) as trial:
            sizes = {
                name: _state_size(trial.run(name, deep_lookback_days=days).state) / _KIB
                for name in bench.taps
            }
        case = f"state of a feed, {trial.events:,} events in {span[:-1]} days"
        outcome.verdicts.append(
            _at_most(case, goal, f"KiB with {days} days of late-arrival scan", sizes)
        )
    return outcome


def nothing_new(bench: Bench) -> Outcome:
    """A run that continues where the last one ended, and finds nothing."""
    with bench.trial(bench.size(_SMALL), latency_ms=LATENCY_MS) as trial:
        states = {name: trial.run(name).state for name in bench.taps}
        runs: dict[str, list[Run]] = {name: [] for name in bench.taps}
        for _ in range(5):
            for name, last in states.items():
                runs[name].append(trial.run_again(name, last))
    case = "nothing new, 100 ms a page"
    requests = {
        name: float(max(run.requests for run in several))
        for name, several in runs.items()
    }
    return Outcome(
        [
            _at_most(case, 2, "requests", requests),
            _at_most(case, 0.45, "s", {n: least(r).wall for n, r in runs.items()}),
        ]
    )


def parallel(bench: Bench) -> Outcome:
    """Pages that take 100 ms each: how much faster than one after the other."""
    with bench.trial(bench.size(_SMALL), latency_ms=LATENCY_MS) as trial:
        runs = bench.rounds(trial, [BARE, *bench.taps], 2)
    serial = bench.serial_seconds(trial.pages, runs.pop(BARE))
    return _parallel(f"{trial.events:,} events, 100 ms a page", 5.2, serial, runs)


def parallel_large(bench: Bench) -> Outcome:
    """The same with five times the events. The serial time is taken from its pages."""
    events = bench.size(_MIDDLE)
    with bench.trial(events, latency_ms=LATENCY_MS) as trial:
        runs = bench.rounds(trial, bench.taps, 2)
    serial = bench.serial_seconds(trial.pages)
    return _parallel(f"{events:,} events, 100 ms a page", 6.8, serial, runs)


def skew(bench: Bench) -> Outcome:
    """Nine tenths of the events within one hour, next to the even spread."""
    even: dict[str, list[Run]] = {name: [] for name in bench.taps}
    dense: dict[str, list[Run]] = {name: [] for name in bench.taps}
    events = bench.size(_SMALL)
    with (
        bench.trial(events, latency_ms=LATENCY_MS) as uniform,
        bench.trial(events, latency_ms=LATENCY_MS, shape="burst") as bursting,
    ):
        for _ in range(3):
            for name in bench.taps:
                even[name] += bench.rounds(uniform, [name], 1)[name]
                dense[name] += bench.rounds(bursting, [name], 1)[name]
    ratios = {n: least(dense[n]).wall / least(even[n]).wall for n in bench.taps}
    case = f"{events:,} events, 90 % of them in one hour"
    return Outcome([_at_most(case, 1.1, "x the time of the even spread", ratios)])


def start_up(bench: Bench) -> Outcome:
    """The cost of a program that is started and does nothing."""
    folder = WORK / "runs" / "start-up"
    folder.mkdir(parents=True, exist_ok=True)
    usages: dict[str, list[Usage]] = {name: [] for name in bench.programs}
    for _ in range(7):
        for name, installed in bench.programs.items():
            usages[name].append(
                measured(installed.start(), folder, folder / "output", timeout=60)
            )
    rows = []
    for name, several in usages.items():
        usage = Usage.best(several)
        title = bench.programs[name].program.title
        rows.append((title, f"{usage.wall:.2f}", f"{usage.cpu:.2f}"))
        bench.log(f"  {title}: {usage.wall:.2f} s")
    return Outcome(tables=[Table("Start-up alone", ("", "wall s", "CPU s"), rows)])


SCENARIOS: dict[str, Callable[[Bench], Outcome]] = {
    "cpu": cpu,
    "state": state,
    "nothing-new": nothing_new,
    "parallel": parallel,
    "parallel-large": parallel_large,
    "skew": skew,
    "start-up": start_up,
    "memory": memory,
}
"""All scenarios, in the order in which they run."""


def _at_most(case: str, goal: float, unit: str, found: Mapping[str, float]) -> Verdict:
    return Verdict.at_most(case, goal, found[TAP], unit, found.get(BEFORE))


def _parallel(
    case: str, goal: float, serial: float, runs: Mapping[str, list[Run]]
) -> Outcome:
    speeds = {name: serial / least(several).wall for name, several in runs.items()}
    unit = "x the speed of the bare loop"
    return Outcome(
        [Verdict.at_least(case, goal, speeds[TAP], unit, speeds.get(BEFORE))]
    )


def _state_size(value: bytes) -> int:
    """Return the bytes of the largest feed in a state, as compact JSON."""
    bookmarks = json.loads(value)["bookmarks"].values()
    feeds = [feed for mark in bookmarks for feed in mark.get("partitions", [mark])]
    return max(len(json.dumps(feed, separators=(",", ":"))) for feed in feeds)
