"""Every fault at requests for a workspace's files: complete, or a clear error.

The faults are those of the fault suite, at the API and at the host of the files. The
command runs with one, and again without it from the state that it left: between them
every event is emitted exactly once.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from fault_cases import FAULTS, Expected
from tap_command import TapCommand, WorkspaceCommand, repeated
from test_workspace_sync import (
    SETTINGS,
    assert_proven,
    events_without_state,
    ids,
    truth,
)

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_MEMORY = 150_000_000  # bytes
REQUESTS = 24  # about as many as a run makes, of both hosts together
OF_ANY_REQUEST = [
    name
    for name, fault in FAULTS.items()
    if not {"tenant", "with_cursor"} & fault.how.keys()
]


@pytest.fixture(scope="module")
def tap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TapCommand]:
    with SandboxProcess(
        events=1, tenant_events=0, workspace_events=2_000, end="2026-11-01"
    ) as sandbox:
        folder = tmp_path_factory.mktemp("faults")
        yield WorkspaceCommand(sandbox, folder, SETTINGS)
        assert sandbox.control.requests()["leaks"] == 0


def hits(mode: str, chance: random.Random) -> dict[str, Any]:
    if mode == "few":
        return {"at": chance.sample(range(REQUESTS), 4)}
    begin = chance.randrange(REQUESTS)
    return {"at": [*range(begin, begin + 5_000)]}


# Each in one mode: it is the runs that take their time, and both take the same way.
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (name, ("few", "lasting")[number % 2])
        for number, name in enumerate(OF_ANY_REQUEST)
    ],
)
def test_a_fault_loses_and_repeats_nothing(
    tap: TapCommand, name: str, mode: str
) -> None:
    fault, chance = FAULTS[name], random.Random(f"{name} {mode}")  # noqa: S311
    tap.sandbox.control.faults({**fault.how, "workspace": True, **hits(mode, chance)})
    first = tap.run(
        env={"TAP_CHATGPT_WORKSPACE_LOGLEVEL": chance.choice(["DEBUG", "INFO"])},
        request_timeout_seconds=1,
        max_retry_seconds=60 if mode == "few" else 3,
    )
    tap.sandbox.control.faults()
    second = tap.run(state=first.state)
    found = ids(first, second)
    assert set(found) == truth(tap)
    assert not repeated(found)
    assert_proven(tap, first, second)
    assert second.code == 0
    assert not events_without_state(first)
    assert first.memory < MOST_MEMORY
    said = first.log + second.log
    assert "Traceback" not in said
    assert tap.sandbox.workspace_key not in said + first.out
    signatures = {
        value
        for request in tap.sandbox.control.requests()["log"]
        if request["host"] == "files"
        for value in re.findall(r"=([^&]{12,})", request["query"])
    }
    assert signatures
    assert not [value for value in signatures if value in said + first.out]
    if first.code:
        assert first.code == 1
        assert re.search(r"\| ERROR .*workspace_\w+: .+: .+", first.last_line)
        # A file that is cut twice alike may be no cut one: nobody can tell.
        cut_twice = "nobody can tell what the file holds" in first.last_line
        ends = fault.expected is Expected.ENDS or cut_twice
        assert mode == "lasting" or ends
