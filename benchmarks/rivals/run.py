"""Measure the tap beside other tools: optional, before a release.

    .venv/dev/bin/python benchmarks/rivals/run.py

It installs the newest versions of the tools (`--fresh`: again), takes about fifteen
minutes, and writes the section of the README.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

# Run as a script: the packages above this folder are found by this.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from benchmarks import environments, machine, report  # noqa: E402 - after the path
from benchmarks.bench import LATENCY_MS, Bench, least  # noqa: E402
from benchmarks.outcomes import Outcome, Table, Verdict  # noqa: E402
from benchmarks.program import (  # noqa: E402
    BARE,
    TAP,
    Event,
    Installed,
    Program,
    bare_loop,
    decode_event,
    ids_of_lines,
    lines,
    script,
    tap,
)
from benchmarks.run import log, versions  # noqa: E402
from benchmarks.scenarios import start_up  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.trials import Run

_SCRIPTS = Path(__file__).parent
_AIRBYTE = "airbyte"
_SMALL, _MIDDLE = 20_000, 100_000


class _AirbyteRecord(msgspec.Struct):
    data: Event


class _AirbyteMessage(msgspec.Struct):
    type: str
    record: _AirbyteRecord | None = None


_decode_airbyte = msgspec.json.Decoder(_AirbyteMessage).decode
_decode_events = msgspec.json.Decoder(list[Event]).decode


def _ids_of_airbyte(output: Path, _folder: Path) -> Iterator[str]:
    for line in lines([output]):
        if (record := _decode_airbyte(line).record) is not None:
            yield record.data.id


def _ids_of_dlt(_output: Path, folder: Path) -> Iterator[str]:
    files = folder.glob("*/normalize/extracted/*/new_jobs/audit_logs.*.typed-jsonl")
    for line in lines(files):
        # A line holds one event, or an array with those of a page.
        events = _decode_events(line) if line[:1] == b"[" else [decode_event(line)]
        yield from (event.id for event in events)


RIVALS = {
    "openai": Program(
        "official client's pager",
        ("openai",),
        *script("openai_pager.py"),
        ids_of_lines,
        scripts=_SCRIPTS,
    ),
    "dlt": Program(
        "dlt REST source, extract only",
        ("dlt",),
        *script("dlt_rest.py", "{folder}"),
        _ids_of_dlt,
        scripts=_SCRIPTS,
        environment={
            "DATA_WRITER__DISABLE_COMPRESSION": "true",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        },
    ),
    _AIRBYTE: Program(
        "Airbyte low-code source, 8 at once",
        ("airbyte-cdk",),
        (
            "{bin}/source-declarative-manifest",
            "read",
            "--config={settings}",
            "--catalog={scripts}/airbyte_catalog.json",
            "--manifest-path={scripts}/airbyte_manifest.yaml",
        ),
        ("{bin}/source-declarative-manifest", "spec"),
        _ids_of_airbyte,
        scripts=_SCRIPTS,
        needs_start_date=True,
    ),
}


def main() -> None:
    """Measure, print, and write the section of the README."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--fresh", action="store_true", help="install the newest versions first"
    )
    options = parser.parse_args()
    load = machine.load()
    programs, left_out = _installed(fresh=options.fresh)
    bench, whole = Bench(programs, events=None, log=log), Outcome()
    for scenario in (latency, long_latency, cpu, start_up):
        log(f"scenario {scenario.__name__}")
        whole.add(scenario(bench))
    installed = {**versions(programs), **left_out}
    results = report.of_everything(whole, installed, load)
    print(f"\n{results}")
    report.into_readme(results, "rivals")


def _installed(*, fresh: bool) -> tuple[dict[str, Installed], dict[str, str]]:
    """Install everything; a rival that cannot be installed is left out."""
    own = environments.of_checkout()
    programs = {
        TAP: Installed(tap("this tap"), own),
        BARE: Installed(bare_loop(), own),
    }
    left_out = {}
    for name, rival in RIVALS.items():
        log(f"installing {rival.title}")
        try:
            folder = environments.of_packages(name, rival.packages, fresh=fresh)
            programs[name] = Installed(rival, folder)
        except environments.NoEnvironmentError as error:
            log(f"  cannot be installed, left out: {error}")
            left_out[rival.title] = "could not be installed"
    return programs, left_out


def latency(bench: Bench) -> Outcome:
    """Pages that take 100 ms each: all programs, whole processes."""
    with bench.trial(_SMALL, latency_ms=LATENCY_MS) as trial:
        runs = bench.rounds(trial, list(bench.programs), 2)
    return _beside(bench, "20,000 events, 100 ms a page", runs)


def long_latency(bench: Bench) -> Outcome:
    """The same with five times the events: those that are not slower than the loop."""
    with bench.trial(_MIDDLE, latency_ms=LATENCY_MS) as trial:
        runs = bench.rounds(trial, [TAP, BARE, _AIRBYTE], 1)
    return _beside(bench, "100,000 events, 100 ms a page", runs)


def cpu(bench: Bench) -> Outcome:
    """Processor time without latency, start-up included."""
    with bench.trial(_MIDDLE) as trial:
        runs = bench.rounds(trial, list(bench.programs), 2)
    bare = least(runs[BARE]).cpu
    rows = [
        (
            bench.programs[name].program.title,
            f"{least(several).cpu / trial.events * 1e6:.1f}",
            f"{least(several).cpu / bare:.2f}",
            f"{least(several).wall:.1f}",
            f"{least(several).peak:.0f}",
        )
        for name, several in runs.items()
    ]
    header = ("", "CPU µs an event", "x bare", "wall s", "peak MB")
    return Outcome(tables=[Table("100,000 events, no latency", header, rows)])


def _beside(bench: Bench, case: str, runs: dict[str, list[Run]]) -> Outcome:
    """Compare wall times, and judge whether the tap is faster than Airbyte's source."""
    serial = least(runs[BARE]).wall
    rows = [
        (
            bench.programs[name].program.title,
            f"{least(several).wall:.2f}",
            f"{serial / least(several).wall:.2f}",
            f"{several[0].requests:,}",
        )
        for name, several in runs.items()
    ]
    header = ("", "wall s", "times as fast as bare", "requests")
    target = "less time than the Airbyte source"
    verdict = Verdict(case, target, "", reached=None)
    if _AIRBYTE in runs:
        ratio = least(runs[TAP]).wall / least(runs[_AIRBYTE]).wall
        verdict = Verdict(case, target, f"{ratio:.2f} x its time", ratio < 1)
    return Outcome([verdict], [Table(case, header, rows)])


if __name__ == "__main__":
    main()
