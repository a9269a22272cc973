"""The command line: `openai-audit-alerts send`, in Meltano `alerts:send`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

from openai_audit_analyze.alerts.delivery import call, deliver, silence
from openai_audit_analyze.alerts.outbox import Outbox
from openai_audit_analyze.alerts.run import Outcome, Run
from openai_audit_analyze.alerts.settings import settings
from openai_audit_analyze.settings import BadSettings
from openai_audit_analyze.warehouse import WarehouseFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOG = logging.getLogger("openai_audit_analyze.alerts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code, 1 if anything was not done."""
    parser = argparse.ArgumentParser(
        prog="openai-audit-alerts", description="Send alerts of findings."
    )
    parser.add_argument("command", choices=["send"], help="send what is not sent yet")
    parser.parse_args(arguments)
    silence()
    _LOG.addHandler(logging.StreamHandler())
    _LOG.propagate = False
    _LOG.setLevel(logging.INFO)
    try:
        return 0 if send(os.environ) else 1
    except (BadSettings, WarehouseFailed) as error:
        _LOG.error("%s", error)
    return 1


def send(environment: Mapping[str, str]) -> bool:
    """Send what is not sent, call the heartbeat, and return whether all succeeded.

    Raises:
        BadSettings: A setting is missing or invalid.
        WarehouseFailed: The database cannot be reached, refuses, or has no findings.
    """
    given = settings(environment)
    deadline = time.monotonic() + given.timeout_seconds
    outcomes: dict[str, Outcome] = {}
    if given.receivers:
        outbox = Outbox(
            given.warehouse, given.schema, given.outbox_schema, given.digest_above
        )
        outbox.prepare()
        outcomes = Run(outbox, deliver, deadline).send(given.receivers)
    else:
        _LOG.info(
            "No receiver is set, so no alert is sent: docs/alerts.md says how to set"
            " ALERTS_RECEIVERS"
        )
    for name, outcome in outcomes.items():
        level = logging.ERROR if outcome.error else logging.INFO
        _LOG.log(level, _line(name, outcome))
    if any(outcome.error for outcome in outcomes.values()):
        return False
    if given.heartbeat_url is None:
        return True
    held = [name for name, outcome in outcomes.items() if outcome.unsent]
    if held:
        _LOG.info(
            "The heartbeat was not called: another run still sends to %s. It calls it,"
            " or, if it was cut off, a run in 15 minutes does",
            ", ".join(held),
        )
        return True
    error = call(given.heartbeat_url, deadline - time.monotonic())
    if error:
        _LOG.error("The heartbeat was not called: %s", error)
    return error is None


def _line(name: str, outcome: Outcome) -> str:
    if outcome.error is None:
        return f"{name}: findings sent: {outcome.sent}"
    return (
        f"{name}: findings sent: {outcome.sent}, left for the next run:"
        f" {outcome.unsent}. The last failure: {outcome.error}"
    )


if __name__ == "__main__":
    sys.exit(main())
