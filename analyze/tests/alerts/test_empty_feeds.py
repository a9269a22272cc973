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
from tests.alerts.receiver import HttpReceiver

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database

NOW = datetime.fromisoformat(recent())
DAYS = [NOW - timedelta(days=ago) for ago in (6, 5, 4)]
"""As long ago that a day that was not read in full is a finding."""
BEFORE = timedelta(hours=3)
"""Of two runs of a day, how long before the second the first is."""
LOG_GAPS = "select entity from {answers}.openai_audit__findings where rule = 'log_gap'"
COVERAGE = "select distinct source, verdict from {answers}.openai_audit__coverage"
EMPTY = {"tenant", "workspace_auth"}
ASKED = "+openai_audit__findings_now +openai_audit__coverage"
"""What is looked at: all models would take twice as long."""


@dataclass(frozen=True)
class Pipeline:
    """Taps, loaders, dbt and alerts, of which each goes on from where it was."""

    sandbox: SandboxProcess
    warehouses: list[Warehouse]
    receiver: HttpReceiver
    directory: Path

    def load(self, at: datetime) -> None:
        """Run the taps at a time, and load what they write into each warehouse."""
        self.sandbox.control.set_clock(at.timestamp())
        messages = extracted(self.sandbox, self.directory)
        for warehouse in self.warehouses:
            warehouse.load([_at(at, message) for message in messages])

    def send(self, warehouse: Warehouse) -> list[str]:
        """Build the models, send the alerts, and return the findings that are sent."""
        warehouse.run(ASKED)
        receivers = {"channel": {"url": self.receiver.url, "minimum_severity": "low"}}
        environment = {"ALERTS_RECEIVERS": json.dumps(receivers)}
        self.receiver.received.clear()
        assert send({**warehouse.environment, **environment})
        return self.receiver.ids


def _at(at: datetime, message: Message) -> Message:
    """Return a message with the times that the tap has from its machine's clock."""
    if message["type"] != "RECORD" or message["stream"] != "sync_reports":
        return message
    times = dict.fromkeys(("started_at", "finished_at"), at.isoformat())
    return {**message, "record": {**message["record"], **times}}


@pytest.fixture
def warehouses(postgres: Database, tmp_path: Path) -> list[Warehouse]:
    """An empty warehouse of each kind."""
    made = []
    for kind, server in (("postgres", postgres), ("duckdb", None)):
        directory = tmp_path / kind
        directory.mkdir()
        file = directory / "audit.duckdb"
        made.append(Warehouse(kind, directory, server, "empty", file))
        made[-1].clear()
    return made


@pytest.mark.xdist_group("postgres")
def test_three_days_of_empty_feeds_send_nothing(
    warehouses: list[Warehouse], tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "events": 20,
        "tenant_events": 0,
        "start": "30d",
        "end": "now",
    }
    begin = (DAYS[0] - BEFORE).isoformat()
    with SandboxProcess(clock=begin, **options) as sandbox, HttpReceiver() as receiver:
        pipeline = Pipeline(sandbox, warehouses, receiver, tmp_path)
        for day in DAYS:
            sandbox.control.set_clock((day - BEFORE).timestamp())
            sandbox.control.add_workspace_file([], end_time=day.isoformat())
            pipeline.load(day - BEFORE)
            pipeline.load(day)
            for warehouse in warehouses:
                sent = pipeline.send(warehouse)
                # The first time, it is that alerts are sent from now on.
                assert len(sent) == (day == DAYS[0])
                assert warehouse.rows(LOG_GAPS) == []
        for warehouse in warehouses:
            found = {(feed, verdict) for feed, verdict in warehouse.rows(COVERAGE)}
            assert {v for feed, v in found if feed in EMPTY} == {"empty"}
            assert {feed for feed, _ in found} > EMPTY
            assert None not in {verdict for _, verdict in found}
        # A state that is lost is found and sent, so what is quiet could have been loud.
        lost = DAYS[-1] + BEFORE
        (tmp_path / "tap-openai-audit.state.json").unlink()
        pipeline.load(lost)
        feeds = ("organization", "tenant")
        for warehouse in warehouses:
            sent = pipeline.send(warehouse)
            gaps = {entity for (entity,) in warehouse.rows(LOG_GAPS)}
            assert gaps == {f"chain {feed} {lost.date()}" for feed in feeds}
            assert len(sent) == len(gaps)
