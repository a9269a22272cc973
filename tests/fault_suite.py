"""Every fault at any request of any worker: a complete sync, or a clear error.

A case is made from its number alone: which fault, at which requests, how often. The
real command runs against a sandbox that has this fault, then again without it from the
state that the first run left. Between them every event must be emitted exactly once,
and the digests of all days must be what a table then holds. Scenarios, for which it
takes more than a fault, expect the same of all their runs.

`python tests/fault_suite.py --write` runs many cases and writes what came
out into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import platform
import random
import re
import string
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fault_cases import FAULTS, Case  # noqa: E402 - found above
from fault_scenarios import SCENARIOS, tell  # noqa: E402
from model_targets import SdkTarget, differences  # noqa: E402
from tap_command import TapCommand, repeated  # noqa: E402

from sandbox.process import SandboxProcess  # noqa: E402

if TYPE_CHECKING:
    from tap_command import Outcome

EVENTS, TENANT_EVENTS = 1_500, 600
KEY = "sk-admin-" + "".join(random.Random(1).choices(string.ascii_letters, k=40))  # noqa: S311
SANDBOX: dict[str, Any] = {
    "events": EVENTS,
    "tenant_events": TENANT_EVENTS,
    "start": "60d",
    "end": "now",
    "admin_key": KEY,
}
KINDS = (*FAULTS, *SCENARIOS)
CASES = 400
#: How long requests are retried, in seconds. Five slow faults may all meet the same
#: request, on a busy machine too; faults that last are not waited for.
PATIENCE, PATIENCE_WITH_LASTING_FAULTS = 60, 4
_MOST_MEMORY = 150_000_000  # bytes, whatever the API sends


@dataclass(frozen=True)
class Result:
    """What became of a case.

    Attributes:
        name: The fault or the scenario.
        number: What makes the case again.
        mode: How often the fault hit; a scenario has no other mode.
        complete: Whether no run failed.
        lost: How many events no run emitted that should have been.
        repeated: How many events came twice, over all runs.
        unclear: What an operator could not have understood, or an orchestrator misread.
    """

    name: str
    number: int
    mode: str
    complete: bool
    lost: int
    repeated: int
    unclear: tuple[str, ...]


def play(number: int, tap: TapCommand) -> Result:
    """Run the case of a number; the tap's sandbox is for cases that need no other."""
    name = KINDS[number % len(KINDS)]
    if name in SCENARIOS:
        return _tell(name, number, tap.folder)
    return _hit(name, number, tap)


def _tell(name: str, number: int, folder: Path) -> Result:
    """Let a scenario happen in a sandbox of its own."""
    with SandboxProcess(**{**SANDBOX, **SCENARIOS[name][1]}) as sandbox:
        tap = TapCommand(sandbox, folder)
        runs = tell(name, number, tap)
        truth = tap.truth
    ids = [id_ for run in runs for id_ in run.ids]
    symptoms = {symptom for run in runs for symptom in _symptoms(run)}
    symptoms.update(_unproven(runs))
    if runs[-1].code != 0:
        symptoms.add(f"the last run failed: {runs[-1].last_line}")
    return Result(
        name,
        number,
        "scenario",
        complete=all(run.code == 0 for run in runs),
        lost=len(truth - set(ids)),
        repeated=len(repeated(ids)),
        unclear=tuple(sorted(symptoms)),
    )


def _hit(name: str, number: int, tap: TapCommand) -> Result:
    """Run once with a fault, and once more without."""
    case = Case.of(name, number)
    control, truth = tap.sandbox.control, tap.truth
    patience = PATIENCE_WITH_LASTING_FAULTS if case.lasting else PATIENCE
    control.faults(case.fault)
    control.forget_requests()
    # Half of the runs say all they can: the key must not be in that either.
    level = "DEBUG" if number % 2 else "INFO"
    first = tap.run(
        env={"TAP_OPENAI_AUDIT_LOGLEVEL": level},
        request_timeout_seconds=1,
        max_retry_seconds=patience,
    )
    control.faults()
    no_access = _no_access(control.requests()["log"])
    second = tap.run(state=first.state)
    ids = first.ids + second.ids
    return Result(
        case.name,
        number,
        case.mode,
        complete=first.code == 0 and set(first.ids) == truth,
        lost=len(truth - set(ids)),
        repeated=len(repeated(ids)),
        unclear=(
            *_symptoms(first),
            *_unclear(case, first, truth, no_access=no_access),
            *_unproven([first, second]),
            *(() if second.code == 0 else (f"second run: {second.last_line}",)),
        ),
    )


def _symptoms(run: Outcome) -> list[str]:
    """What no run may show, whatever happened to it."""
    symptoms = {
        "a traceback in the log": "Traceback" in run.log,
        "a part of the key in the output": leaked(run),
        "records that no state follows": bool(run.unconfirmed),
        f"exit code {run.code}": run.code not in {0, 1},
        f"took {run.memory / 1e6:.0f} MB": run.memory > _MOST_MEMORY,
    }
    return [symptom for symptom, found in symptoms.items() if found]


def _unproven(runs: list[Outcome]) -> list[str]:
    """Which days the table and the digests tell differently in the end."""
    target = SdkTarget()
    for run in runs:
        target.load(run.messages)
    return differences(target.tables)


def _no_access(requests: list[dict[str, Any]]) -> bool:
    """Whether the key seemed to have no access to tenant events, from the first on."""
    tenant = [request for request in requests if "tenant_only" in request["query"]]
    return bool(tenant) and tenant[0]["status"] in {400, 403, 404}


def _unclear(
    case: Case, run: Outcome, truth: set[str], *, no_access: bool
) -> list[str]:
    """What is wrong with the way in which a run ended that a fault has hit."""
    complete = all(
        report["complete"] and report["deep_complete"] is not False
        for report in run.records("sync_reports")
    )
    if run.code == 0:
        missing = bool(truth - set(run.ids))
        # Who has no access to tenant events is warned. Who had some has lost the rest.
        warned = "Tenant events were not read" in run.log and no_access
        symptoms = {
            "events missing from a complete run": missing and complete,
            "events missing without a word": missing and not warned,
        }
    else:
        # A worker may still say at DEBUG what its last request brought.
        lines = [line for line in run.log.splitlines() if "| DEBUG" not in line]
        words = re.search(r"\| ERROR .*audit_logs \(\w+\): .+: .+", lines[-1])
        symptoms = {
            f"the last line says too little: {lines[-1]}": not words,
            "a failed run whose ledger says complete": complete,
            "a fault ended the run that had to pass": not case.may_end_the_run,
        }
    return [symptom for symptom, found in symptoms.items() if found]


def leaked(run: Outcome) -> bool:
    """Whether six characters of the key in a row are anywhere in the output."""
    output = run.out + run.log
    return any(
        KEY[at : at + 6] in output for at in range(len("sk-admin-"), len(KEY) - 5)
    )


def main() -> int:
    """Run many cases, and write down what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    with ThreadPoolExecutor(options.jobs) as pool:
        parts = pool.map(
            _play_all,
            [range(n, options.cases, options.jobs) for n in range(options.jobs)],
        )
        results = [result for part in parts for result in part]
    text = _table(results, time.monotonic() - began)
    sys.stdout.write(text)
    if options.write:
        _write(text)
    bad = [r for r in results if r.lost or r.repeated or r.unclear]
    for result in bad:
        sys.stdout.write(f"{result}\n")
    return 1 if bad else 0


def _play_all(numbers: range) -> list[Result]:
    with (
        SandboxProcess(**SANDBOX) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        tap = TapCommand(sandbox, Path(folder))
        return [play(number, tap) for number in numbers]


def _table(results: list[Result], seconds: float) -> str:
    rows = [
        "| fault or scenario | cases | complete | clear error | lost | repeated |",
        "|---|---|---|---|---|---|",
    ]
    for name in (*KINDS, None):
        own = [result for result in results if name in (None, result.name)]
        complete = sum(result.complete for result in own)
        clear = sum(not result.complete and not result.unclear for result in own)
        rows.append(
            f"| {name or '**all**'} | {len(own)} | {complete} | {clear} |"
            f" {sum(r.lost for r in own)} | {sum(r.repeated for r in own)} |"
        )
    modes = Counter(result.mode for result in results)
    summary = (
        f"{len(results)} cases in {seconds:.0f} s, {EVENTS + TENANT_EVENTS:,} events"
        f" each, Python {platform.python_version()}. The fault hit one request"
        f" ({modes['once']} cases), five ({modes['several']}), every tenth by chance"
        f" ({modes['often']}), or all from one on ({modes['lasting']});"
        f" {modes['scenario']} cases are scenarios."
    )
    return "\n".join([summary, "", *rows, ""])


def _write(text: str) -> None:
    path = ROOT / "docs" / "reliability.md"
    begin, end = "<!-- results -->\n", "<!-- end of results -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
