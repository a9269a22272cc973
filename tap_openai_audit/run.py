"""What the streams of one run share."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_openai_audit.api.client import Client
from tap_openai_audit.settings import Settings
from tap_openai_audit.signals import Signals
from tap_openai_audit.streams.sync_reports import as_record

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from tap_openai_audit.extraction.report import Report


@dataclass
class Run:
    """One run of the tap."""

    logger: logging.Logger
    version: str
    config: Mapping[str, Any] = field(default_factory=dict)
    signals: Signals = field(default_factory=Signals)
    failures: list[str] = field(default_factory=list)
    """What went wrong, in words. The run ends with exit code 1 if there is anything."""
    reports: list[dict[str, Any]] = field(default_factory=list)
    """The records of `sync_reports`."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @cached_property
    def settings(self) -> Settings:
        """The settings. Discovery works without any, so they are read when needed."""
        return Settings.of(
            {"user_agent": f"tap-openai-audit/{self.version}", **self.config}
        )

    @cached_property
    def client(self) -> Client:
        """Asks the API. Made when the first stream needs it."""
        return Client(self.settings, self.logger, self.signals.stop)

    def report(self, report: Report, partition: dict[str, Any]) -> None:
        """Enter a pass in the ledger."""
        self.reports.append(
            {
                "run_id": self.id,
                "organization_id": self.settings.organization_id,
                "tap_version": self.version,
                "bookmark": partition.get("replication_key_value"),
                "lookback_seconds": self.settings.lookback_seconds,
                "filters": {
                    name: list(values) for name, values in self.settings.filters.items()
                },
                **as_record(report),
            }
        )
