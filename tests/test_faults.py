"""A part of the fault suite: complete or a clear error, nothing lost or twice.

Each fault and each scenario has a case at least; which cases there are, each commit
draws anew. `make reliability` runs all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fault_draw import DRAWN, commit, drawn
from fault_suite import KINDS, SANDBOX, play
from tap_command import TapCommand

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def tap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TapCommand]:
    with SandboxProcess(**SANDBOX) as sandbox:
        yield TapCommand(sandbox, tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, id=f"{number}: {KINDS[number % len(KINDS)]}")
        for number in drawn(commit())
    ],
)
def test_a_fault_loses_and_repeats_nothing(number: int, tap: TapCommand) -> None:
    result = play(number, tap)
    assert (result.lost, result.repeated, result.unclear) == (0, 0, ())


def test_each_commit_draws_every_fault_and_cases_of_its_own() -> None:
    one, other = drawn("one"), drawn("other")
    assert one == drawn("one")
    assert one != other
    for numbers in (one, other):
        assert len({*numbers}) == DRAWN
        assert {KINDS[number % len(KINDS)] for number in numbers} == {*KINDS}
