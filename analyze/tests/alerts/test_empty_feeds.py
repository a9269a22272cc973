"""An organization without tenant events and a workspace without sign-ins are quiet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openai_audit_analyze.alerts.__main__ import send
from sandbox.process import SandboxProcess
from testing.clock import recent
from testing.messages import Message, extracted
from testing.warehouse import Warehouse
from tests.alerts.conftest import KINDS
from tests.alerts.receiver import HttpReceiver

if TYPE_CHECKING:
    from pathlib import Path


NOW = datetime.fromisoformat(recent())
DAYS = [NOW - timedelta(days=ago) for ago in (6, 5, 4)]
"""As long ago that a day that was not read in full is a finding."""
BEFORE = timedelta(hours=3)
"""Of two runs of a day, how long before the second the first is."""
LOG_GAPS = "select entity from {answers}.openai_audit__findings where rule = 'log_gap'"
COVERAGE = "select distinct source, verdict from {answers}.openai_audit__coverage"
EMPTY = {"tenant", "workspace_auth"}


@dataclass(frozen=True)
class Pipeline:
    """Taps, loader, dbt and alerts, of which each goes on from where it was."""

    sandbox: SandboxProcess
    warehouse: Warehouse
    receiver: HttpReceiver

    def load(self, at: datetime) -> None:
        """Run the taps at a time, and load what they write."""
        self.sandbox.control.set_clock(at.timestamp())
        messages = extracted(self.sandbox, self.warehouse.directory)
        self.warehouse.load([_at(at, message) for message in messages])

    def send(self) -> list[str]:
        """Build the models, send the alerts, and return the findings that are sent."""
        self.warehouse.run()
        receivers = {"channel": {"url": self.receiver.url, "minimum_severity": "low"}}
        environment = {"ALERTS_RECEIVERS": json.dumps(receivers)}
        self.receiver.received.clear()
        assert send({**self.warehouse.environment, **environment})
        return self.receiver.ids


def _at(at: datetime, message: Message) -> Message:
    """Return a message with the times that the tap has from its machine's clock."""
    if message["type"] != "RECORD" or message["stream"] != "sync_reports":
        return message
    times = dict.fromkeys(("started_at", "finished_at"), at.isoformat())
    return {**message, "record": {**message["record"], **times}}


@pytest.mark.parametrize("kind", KINDS)
def test_three_days_of_empty_feeds_send_nothing(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = request.getfixturevalue("postgres") if kind == "postgres" else None
    warehouse = Warehouse(kind, tmp_path, server, "empty", tmp_path / "audit.duckdb")
    warehouse.clear()
    options: dict[str, Any] = {
        "events": 20,
        "tenant_events": 0,
        "start": "30d",
        "end": "now",
    }
    begin = (DAYS[0] - BEFORE).isoformat()
    with SandboxProcess(clock=begin, **options) as sandbox, HttpReceiver() as receiver:
        pipeline = Pipeline(sandbox, warehouse, receiver)
        for day in DAYS:
            sandbox.control.set_clock((day - BEFORE).timestamp())
            sandbox.control.add_workspace_file([], end_time=day.isoformat())
            pipeline.load(day - BEFORE)
            pipeline.load(day)
            sent = pipeline.send()
            # The first time, it is that alerts are sent from now on.
            assert len(sent) == (day == DAYS[0])
            assert warehouse.rows(LOG_GAPS) == []
        verdicts = {(source, verdict) for source, verdict in warehouse.rows(COVERAGE)}
        assert {v for source, v in verdicts if source in EMPTY} == {"empty"}
        assert {source for source, _ in verdicts} > EMPTY
        assert None not in {verdict for _, verdict in verdicts}
        # A state that is lost is found and sent, so what is quiet could have been loud.
        lost = DAYS[-1] + BEFORE
        (tmp_path / "tap-openai-audit.state.json").unlink()
        pipeline.load(lost)
        sent = pipeline.send()
        found = {entity for (entity,) in warehouse.rows(LOG_GAPS)}
        feeds = ("organization", "tenant")
        assert found == {f"chain {feed} {lost.date()}" for feed in feeds}
        assert len(sent) == len(found)
