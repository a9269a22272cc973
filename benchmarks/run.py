"""Measures the tap beside other tools, on this machine, in one run.

Usage: python benchmarks/run.py [--quick] [--only NAME ...] [--fresh]
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
from benchmarks.contestants import BARE, CONTESTANTS, TAP  # noqa: E402
from benchmarks.measure import FailedRunError  # noqa: E402
from benchmarks.outcomes import Outcome  # noqa: E402
from benchmarks.scenarios import NOT_QUICK, SCENARIOS  # noqa: E402


def main() -> int:
    """Measure, print, and after a full run write the README. Returns the exit code."""
    options = _options()
    # Before the installing, which is work of its own.
    load = machine.load()
    programs, versions = _prepare(fresh=options.fresh)
    if not {TAP, BARE} <= programs.keys():
        _log("without the tap and the bare loop there is nothing to compare")
        return 1
    _log(f"load before the start: {load:.2f} a core. {machine.warning(load)}")
    bench, whole = Bench(programs, quick=options.quick, log=_log), Outcome()
    failed = False
    for name in options.only or SCENARIOS:
        if options.quick and not options.only and name in NOT_QUICK:
            continue
        _log(f"scenario {name}")
        try:
            outcome = SCENARIOS[name](bench)
        except FailedRunError as error:
            _log(f"scenario {name} FAILED: {error}")
            failed = True
            continue
        whole.add(outcome)
        print(report.of_targets(outcome.verdicts), flush=True)
    results = report.of_everything(whole, versions, load)
    print(f"\n{results}")
    if not (failed or options.quick or options.only):
        report.into_readme(results)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="less, in two minutes; writes no README"
    )
    parser.add_argument(
        "--only", action="append", choices=SCENARIOS, help="a scenario; repeatable"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="install the newest versions first"
    )
    return parser.parse_args()


def _prepare(*, fresh: bool) -> tuple[dict[str, Path], dict[str, str]]:
    """Install everybody; who cannot be installed is left out."""
    programs, versions = {}, {}
    for name, contestant in CONTESTANTS.items():
        _log(f"installing {contestant.title}")
        try:
            folder = environments.prepared(name, contestant.requirements, fresh=fresh)
            versions[contestant.title] = ", ".join(
                f"{package} {environments.version_of(folder, package)}"
                for package in contestant.packages
            )
            programs[name] = folder
        except environments.NoEnvironmentError as error:
            _log(f"  cannot be installed, left out: {error}")
            versions[contestant.title] = "could not be installed"
    return programs, versions


_BEGAN = time.monotonic()


def _log(line: str) -> None:
    print(f"[{time.monotonic() - _BEGAN:5.0f} s] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
