"""The organization's tap: its name, its settings and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_openai_audit.audit_logs.digest_stream import AuditLogDigests
from tap_openai_audit.audit_logs.stream import AuditLogs
from tap_openai_audit.configuration import CONFIGURATION
from tap_openai_audit.http.client import Client
from tap_openai_audit.inventory.schedule import Schedule
from tap_openai_audit.inventory.stream import Reference
from tap_openai_audit.inventory.streams import REFERENCE_STREAMS
from tap_openai_audit.settings import CHECK, Settings
from tap_openai_audit.singer.base_tap import BaseTap
from tap_openai_audit.singer.session import Session
from tap_openai_audit.singer.sync_reports import SyncReports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk import Stream

    from tap_openai_audit.check.run import Check


class TapOpenAIAudit(BaseTap):
    """Extracts the audit logs of an OpenAI organization, each event once."""

    name = "tap-openai-audit"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIGURATION
    settings_check = CHECK
    order: ClassVar[Mapping[str, int]] = {
        AuditLogs.name: 0,
        AuditLogDigests.name: 1,
        SyncReports.name: 3,
    }

    def __init__(self, **options: Any) -> None:
        """Prepare a run.

        Args:
            options: Those of the SDK's taps.

        Raises:
            ConfigValidationError: If the settings cannot be used.
            BadState: If the state is not understood.
        """
        self._session: Session | None = None
        self._schedule = Schedule(
            self.session,
            lambda: [s for s in self.streams.values() if isinstance(s, Reference)],
            self.logger,
        )
        super().__init__(**options)

    def session(self) -> Session:
        """Return settings, client and signals, created when they are first needed."""
        if self._session is None:
            settings = Settings.of(self.own_config)
            client = Client(settings.endpoint, self.logger, self.signals.stop)
            self._session = Session(self.run_id, settings, client, self.signals)
        return self._session

    @override
    def discover_streams(self) -> list[Stream]:
        """All streams, in no order: see `order`."""
        session, failed = self.session, self.failures.append
        digests = AuditLogDigests(self, session=session, failed=failed)
        return [
            AuditLogs(
                self,
                session=session,
                writer=self.message_writer,
                ledger=self.ledger,
                digests=digests,
                failed=failed,
            ),
            digests,
            *(
                stream(
                    self,
                    session=session,
                    schedule=self._schedule,
                    ledger=self.ledger,
                    failed=failed,
                )
                for stream in REFERENCE_STREAMS
            ),
            SyncReports(self, self.ledger, failed=failed),
        ]

    @override
    def begin_chains(self) -> None:
        audit_logs = self.streams[AuditLogs.name]
        if isinstance(audit_logs, AuditLogs) and audit_logs.selected:
            audit_logs.begin_chains()

    @override
    def keep_state(self) -> None:
        """Write a STATE of which lists were read, now that the reports are written."""
        if self._schedule.keep():
            self.state_writer.write_state(self.state)

    @classmethod
    @override
    def check_names(cls) -> Sequence[str]:
        from tap_openai_audit.check import checks  # noqa: PLC0415 - no need in a sync

        return checks.NAMES

    @override
    def check(self, state: Mapping[str, Any] | None) -> Check:
        from tap_openai_audit.check import checks  # noqa: PLC0415 - no need in a sync

        return checks.OrganizationCheck(
            self.session().settings, state, self.streams, self.signals, self.logger
        )
