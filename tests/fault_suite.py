"""Every fault at any request of any worker: a complete sync, or a clear error.

A case is made from its number alone: which fault, at which requests, how often. The
real command runs against a sandbox that has this fault, then again without it from the
state that the first run left. Between them every event must be emitted exactly once.

`python tests/fault_suite.py --cases 400 --write` runs many cases and writes what came
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

from tap_command import TapCommand, repeated  # noqa: E402 - found above

from sandbox.process import SandboxProcess  # noqa: E402

if TYPE_CHECKING:
    from tap_command import Outcome

EVENTS, TENANT_EVENTS = 1_500, 60
KEY = "sk-admin-" + "".join(random.Random(1).choices(string.ascii_letters, k=40))  # noqa: S311
SANDBOX: dict[str, Any] = {
    "events": EVENTS,
    "tenant_events": TENANT_EVENTS,
    "start": "60d",
    "end": "now",
    "admin_key": KEY,
}
PATIENCE, PATIENCE_WITH_LASTING_FAULTS = 10, 4
_LAST_REQUEST = 40
_LONGEST_RUN = 60  # seconds, much longer than all retries together

#: Faults that pass when the request is made again.
PASSING: dict[str, dict[str, Any]] = {
    "429, Retry-After in seconds": {
        "kind": "status",
        "status": 429,
        "headers": {"Retry-After": "1"},
    },
    "429, Retry-After as a date": {"kind": "retry_after_date", "seconds": 1},
    "429, retry-after-ms": {
        "kind": "status",
        "status": 429,
        "headers": {"retry-after-ms": "200"},
    },
    "429 without Retry-After": {"kind": "status", "status": 429},
    "500, x-should-retry true": {
        "kind": "status",
        "status": 500,
        "headers": {"x-should-retry": "true"},
    },
    "400, x-should-retry true": {
        "kind": "status",
        "status": 400,
        "headers": {"x-should-retry": "true"},
    },
    "408": {"kind": "status", "status": 408},
    "409": {"kind": "status", "status": 409},
    "500": {"kind": "status", "status": 500},
    "502, HTML": {"kind": "status", "status": 502, "body": "html"},
    "503, empty": {"kind": "status", "status": 503, "body": "empty"},
    "520, text": {"kind": "status", "status": 520, "body": "string_error"},
    "connection reset": {"kind": "reset"},
    "connection closed": {"kind": "close"},
    "closed in the body": {"kind": "close_mid_body"},
    "200, truncated JSON": {"kind": "truncated"},
    "200, HTML": {"kind": "html"},
    "200, no JSON": {"kind": "text"},
    "200, empty": {"kind": "empty"},
    "no answer": {"kind": "hang", "seconds": 3},
    "body drips": {"kind": "drip", "bytes_per_second": 2_000},
    "headers drip": {"kind": "drip_headers", "bytes_per_second": 20},
}

#: Faults after which asking again cannot help.
FINAL: dict[str, dict[str, Any]] = {
    "429, Retry-After of a day": {
        "kind": "status",
        "status": 429,
        "headers": {"Retry-After": "86400"},
    },
    "503, x-should-retry false": {
        "kind": "status",
        "status": 503,
        "headers": {"x-should-retry": "false"},
    },
    "302 to another host": {
        "kind": "status",
        "status": 302,
        "headers": {"Location": "https://evil.example/"},
    },
    "400": {"kind": "status", "status": 400},
    "401": {"kind": "status", "status": 401},
    "403": {"kind": "status", "status": 403},
    "404": {"kind": "status", "status": 404},
}

#: Faults that are none: the answer is only unusual.
HARMLESS: dict[str, dict[str, Any]] = {
    "several documents": {"kind": "multi_document", "parts": 3},
}

FAULTS = {**PASSING, **FINAL, **HARMLESS}


@dataclass(frozen=True)
class Case:
    """One fault and the requests that it hits."""

    number: int
    name: str
    mode: str
    faults: list[dict[str, Any]]

    @classmethod
    def of(cls, number: int) -> Case:
        """The case of a number: every fault comes round in turn, the rest by chance."""
        chance = random.Random(number)  # noqa: S311 - a reproducible choice
        name = list(FAULTS)[number % len(FAULTS)]
        mode = chance.choice(["once", "several", "often", "lasting"])
        hit: dict[str, Any]
        match mode:
            case "once":
                hit = {"at": [chance.randrange(_LAST_REQUEST)]}
            case "several":
                hit = {"at": chance.sample(range(_LAST_REQUEST), 5)}
            case "often":
                hit = {"probability": 0.1, "seed": number}
            case _:
                begin = chance.randrange(_LAST_REQUEST)
                hit = {"at": list(range(begin, begin + 5_000))}
        return cls(number, name, mode, [{**FAULTS[name], **hit}])


@dataclass(frozen=True)
class Result:
    """What became of a case."""

    case: Case
    complete: bool
    """Whether the first run was complete despite the fault."""
    lost: int
    repeated: int
    unclear: tuple[str, ...]
    """What an operator could not have understood, or an orchestrator misread."""


def play(case: Case, tap: TapCommand) -> Result:
    """Run a case: once with its fault, once more without."""
    control = tap.sandbox.control
    truth = tap.truth
    lasting = case.mode == "lasting"
    settings = {
        "request_timeout_seconds": 1,
        # Five slow faults may all meet the same request.
        "max_retry_seconds": PATIENCE_WITH_LASTING_FAULTS if lasting else PATIENCE,
    }
    control.faults(*case.faults)
    began = time.monotonic()
    # Half of the runs say all they can: the key must not be in that either.
    level = "DEBUG" if case.number % 2 else "INFO"
    first = tap.run(env={"TAP_OPENAI_AUDIT_LOGLEVEL": level}, **settings)
    seconds = time.monotonic() - began
    control.faults()
    second = tap.run(state=first.state)
    ids = first.ids + second.ids
    return Result(
        case,
        complete=first.code == 0 and set(first.ids) == truth,
        lost=len(truth - set(ids)),
        repeated=len(repeated(ids)),
        unclear=(
            *_unclear(case, first, truth, seconds),
            *(() if second.code == 0 else (f"second run: {second.last_line}",)),
        ),
    )


def _unclear(case: Case, run: Outcome, truth: set[str], seconds: float) -> list[str]:
    """What is wrong with the way in which a run ended."""
    symptoms = {
        "a traceback in the log": "Traceback" in run.log,
        "a part of the key in the output": leaked(run),
        "records that no state follows": bool(run.unconfirmed),
        f"took {seconds:.0f} s": seconds > _LONGEST_RUN,
        f"exit code {run.code}": run.code not in {0, 1},
    }
    complete = all(report["complete"] for report in run.records("sync_reports"))
    if run.code == 0:
        missing = bool(truth - set(run.ids))
        symptoms |= {
            "events missing from a complete run": missing and complete,
            "events missing without a word": missing
            and "Tenant events were not read" not in run.log,
        }
    else:
        # A worker may still say at DEBUG what its last request brought.
        lines = [line for line in run.log.splitlines() if "| DEBUG" not in line]
        words = re.search(r"\| ERROR .*audit_logs \(\w+\): .+: .+", lines[-1])
        one_request = case.mode in {"once", "several"}
        symptoms |= {
            f"the last line says too little: {lines[-1]}": not words,
            "a failed run whose ledger says complete": complete,
            "a failure without a fault": case.name in HARMLESS,
            "a passing fault ended the run": case.name in PASSING and one_request,
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
    parser.add_argument("--cases", type=int, default=400)
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
        return [play(Case.of(number), tap) for number in numbers]


def _table(results: list[Result], seconds: float) -> str:
    rows = [
        "| fault | cases | complete | clear error | lost | repeated |",
        "|---|---|---|---|---|---|",
    ]
    for name in [*FAULTS, None]:
        own = [result for result in results if name in (None, result.case.name)]
        complete = sum(result.complete for result in own)
        clear = sum(not result.complete and not result.unclear for result in own)
        rows.append(
            f"| {name or '**all**'} | {len(own)} | {complete} | {clear} |"
            f" {sum(r.lost for r in own)} | {sum(r.repeated for r in own)} |"
        )
    modes = Counter(result.case.mode for result in results)
    summary = (
        f"{len(results)} cases in {seconds:.0f} s, {EVENTS + TENANT_EVENTS:,} events"
        f" each, Python {platform.python_version()}. The fault hit one request"
        f" ({modes['once']} cases), five ({modes['several']}), every tenth by chance"
        f" ({modes['often']}), or all from one on ({modes['lasting']})."
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
