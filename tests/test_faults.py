"""Each fault and each scenario once: complete or a clear error, nothing lost or twice.

`tests/fault_suite.py` runs several hundred cases more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fault_suite import KINDS, SANDBOX, play
from tap_command import TapCommand

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def tap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TapCommand]:
    with SandboxProcess(**SANDBOX) as sandbox:
        yield TapCommand(sandbox, tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("number", range(len(KINDS)), ids=KINDS)
def test_a_fault_loses_and_repeats_nothing(number: int, tap: TapCommand) -> None:
    result = play(number, tap)
    assert (result.lost, result.repeated, result.unclear) == (0, 0, ())
