"""Measure the tap beside a bare loop, in one run on this machine.

    .venv/dev/bin/python benchmarks/run.py --only cpu --events 20000
    .venv/dev/bin/python benchmarks/run.py --before v0.2.0

All scenarios take five minutes, with `--before` eight. `--write` puts the results of a
full run into the README.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

# Run as a script: the packages beside this folder are found by this.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import environments, machine, report  # noqa: E402 - after the path
from benchmarks.bench import Bench  # noqa: E402
from benchmarks.measure import FailedRunError  # noqa: E402
from benchmarks.outcomes import Outcome  # noqa: E402
from benchmarks.program import (  # noqa: E402
    BARE,
    BEFORE,
    TAP,
    Installed,
    bare_loop,
    tap,
)
from benchmarks.scenarios import SCENARIOS  # noqa: E402


def main() -> int:
    """Measure and print. Returns the exit code: 1 if a scenario failed."""
    options = _options()
    # Before the installing, which is work of its own.
    load = machine.load()
    programs = _installed(options.before)
    log(f"load before the start: {load:.2f} a core. {machine.warning(load)}")
    bench, whole = Bench(programs, events=options.events, log=log), Outcome()
    failed = False
    for name in options.only or SCENARIOS:
        log(f"scenario {name}")
        try:
            outcome = SCENARIOS[name](bench)
        except FailedRunError as error:
            log(f"scenario {name} FAILED: {error}")
            failed = True
            continue
        whole.add(outcome)
        print(report.of_targets(outcome.verdicts), flush=True)
    results = report.of_everything(whole, versions(programs), load)
    print(f"\n{results}")
    if options.events:
        log("the goals are for the sizes that the scenarios have without --events")
    if options.write and not failed:
        report.into_readme(results)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only",
        action="extend",
        nargs="+",
        choices=SCENARIOS,
        metavar="SCENARIO",
        help=f"scenarios to run, of: {', '.join(SCENARIOS)}",
    )
    parser.add_argument(
        "--events",
        type=int,
        help="how many events each of them has, and memory at most",
    )
    parser.add_argument(
        "--before", metavar="COMMIT", help="a commit to measure in turns with this one"
    )
    parser.add_argument(
        "--write", action="store_true", help="write the results into the README"
    )
    options = parser.parse_args()
    if options.write and (options.only or options.events or options.before):
        parser.error("--write is for a full run of this checkout alone")
    return options


def _installed(before: str | None) -> dict[str, Installed]:
    """Install the tap, and that of another commit if one is named."""
    log("installing the tap")
    own = environments.of_checkout()
    programs = {TAP: Installed(tap("this tap"), own)}
    if before:
        log(f"installing the tap of {before}")
        program = tap(f"the tap of {before}")
        programs[BEFORE] = Installed(program, environments.of_commit(before))
    return {**programs, BARE: Installed(bare_loop(), own)}


def versions(programs: dict[str, Installed]) -> dict[str, str]:
    """Return what is installed, by the titles of the programs."""
    return {
        installed.program.title: ", ".join(
            f"{package} {environments.version_of(installed.bin, package)}"
            for package in installed.program.packages
        )
        for installed in programs.values()
    }


_BEGAN = time.monotonic()


def log(line: str) -> None:
    """Print a line of progress with the seconds since the start."""
    print(f"[{time.monotonic() - _BEGAN:5.0f} s] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
