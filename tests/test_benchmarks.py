"""The benchmarks run, judge the tap by goals, and need no other tool for that."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report, scenarios
from benchmarks.bench import Bench
from benchmarks.outcomes import Verdict
from benchmarks.program import BARE, BEFORE, TAP, Installed, bare_loop, tap
from testing.meltano_project import ROOT

if TYPE_CHECKING:
    import pytest

BIN = Path(sys.executable).parent


def bench() -> Bench:
    """Measure the tap of this environment, twice: it is its own predecessor."""
    programs = {
        TAP: Installed(tap("this tap"), BIN),
        BEFORE: Installed(tap("the tap of before"), BIN),
        BARE: Installed(bare_loop(), BIN),
    }
    return Bench(programs, events=200, log=print)


def test_processor_time_and_requests_are_those_of_the_tap_beside_the_bare_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Bench, "taps", [TAP])
    outcome = scenarios.cpu(bench())
    cpu, requests = outcome.verdicts
    assert cpu.case == "CPU, 200 events, no latency"
    assert float(cpu.measured.split()[0]) > 1
    # Two full pages, one request of the tenant feed, and a few of the lookback.
    assert 1 <= float(requests.measured.split()[0]) < 10
    (table,) = outcome.tables
    assert [row[0] for row in table.rows] == [
        "this tap",
        "bare loop (requests + msgspec)",
    ]
    assert table.rows[1][2:4] == ("1.00", "1.00")


def test_a_commit_that_is_compared_stands_beside_this_one() -> None:
    week, month = scenarios.state(bench()).verdicts
    assert week.measured.endswith("KiB with 7 days of late-arrival scan")
    assert 0 < float(week.before) < 26
    assert 0 < float(month.before) < 36
    head = report.of_targets([week, month]).splitlines()[0]
    assert head == "| case | goal | before | now |  |"


def test_a_figure_is_judged_by_its_goal_and_not_by_what_was_before() -> None:
    good = Verdict.at_most("memory", 90, 89.4, "MB", before=10)
    bad = Verdict.at_least("speed", 5.2, 5.1, "x", before=1)
    assert (good.word, bad.word) == ("reached", "NOT reached")
    assert (good.before, bad.measured) == ("10", "5.1 x")


def test_measuring_the_tap_needs_no_other_tool() -> None:
    for path in (ROOT / "benchmarks").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        imported = [
            name
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in [getattr(node, "module", None) or "", *names(node)]
        ]
        rivals = [n for n in imported if n.startswith(("benchmarks.rivals", "rivals"))]
        assert not rivals, path.name


def names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names]
