"""What SECURITY.md says of keys and personal data is so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from documents import page
from tap_command import TapCommand

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b2001:db8:")


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[TapCommand]:
    with SandboxProcess(events=200, tenant_events=20, end="now") as sandbox:
        yield TapCommand(sandbox, tmp_path)


def test_a_state_holds_no_address_of_an_event(tap: TapCommand) -> None:
    outcome = tap.run()
    # What is looked for is in the events.
    events = json.dumps(outcome.records("audit_logs"))
    assert EMAIL.search(events)
    assert IP.search(events)
    state = unquote(json.dumps(outcome.state))
    assert EMAIL.findall(state) == IP.findall(state) == []


def test_a_state_holds_the_addresses_of_the_setting_actor_emails(
    tap: TapCommand,
) -> None:
    actors = [event["actor"] for event in tap.run().records("audit_logs")]
    address = EMAIL.findall(json.dumps(actors))[0]
    outcome = tap.run(actor_emails=[address])
    assert outcome.ids
    state = unquote(json.dumps(outcome.state))
    assert set(EMAIL.findall(state)) == {address}
    (paragraph,) = re.findall(
        r"^The state contains .*?\n\n", page("SECURITY.md"), re.MULTILINE | re.DOTALL
    )
    assert "`actor_emails` is set" in " ".join(paragraph.split())
