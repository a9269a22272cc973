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
from openai_audit_analyze.alerts.run import Run, Told
from openai_audit_analyze.alerts.settings import BadSettings, settings
from openai_audit_analyze.alerts.warehouse import WarehouseFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOG = logging.getLogger("openai_audit_analyze.alerts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code, 1 if anything was not done."""
    parser = argparse.ArgumentParser(
        prog="openai-audit-alerts", description="Tell people of findings."
    )
    parser.add_argument("command", choices=["send"], help="send what was not sent")
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
    """Send what was not sent, call the heartbeat, and return whether all succeeded.

    Raises:
        BadSettings: A setting is missing or makes no sense.
        WarehouseFailed: The database cannot be reached, or refuses.
    """
    given = settings(environment)
    deadline = time.monotonic() + given.timeout_seconds
    outcome: dict[str, Told] = {}
    if given.receivers:
        outbox = Outbox(
            given.warehouse, given.schema, given.outbox_schema, given.digest_above
        )
        outbox.prepare()
        outcome = Run(outbox, deliver, deadline).tell(given.receivers)
    else:
        _LOG.info(
            "No receiver is set, so nobody is told of findings: docs/alerts.md says how"
            " to set ALERTS_RECEIVERS"
        )
    for name, told in outcome.items():
        _LOG.log(logging.ERROR if told.error else logging.INFO, _line(name, told))
    if any(told.error for told in outcome.values()):
        return False
    if given.heartbeat_url is None:
        return True
    held = [name for name, told in outcome.items() if told.unsent]
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


def _line(name: str, told: Told) -> str:
    if told.error is None:
        return f"{name}: findings sent: {told.sent}"
    return (
        f"{name}: findings sent: {told.sent}, left for the next run: {told.unsent}."
        f" The last failure: {told.error}"
    )


if __name__ == "__main__":
    sys.exit(main())
