"""Each fault once: a complete sync or a clear error, nothing lost, nothing repeated.

`tests/fault_suite.py` runs several hundred cases more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fault_suite import FAULTS, SANDBOX, Case, play
from tap_command import TapCommand

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def tap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TapCommand]:
    with SandboxProcess(**SANDBOX) as sandbox:
        yield TapCommand(sandbox, tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize(
    "case", [Case.of(number) for number in range(len(FAULTS))], ids=lambda c: c.name
)
def test_a_fault_loses_and_repeats_nothing(case: Case, tap: TapCommand) -> None:
    result = play(case, tap)
    assert (result.lost, result.repeated, result.unclear) == (0, 0, ())
