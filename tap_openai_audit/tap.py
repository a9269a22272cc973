"""The tap: its name, its settings and its streams."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_openai_audit.api.client import Client
from tap_openai_audit.cli import CommandLine
from tap_openai_audit.configuration import CONFIGURATION
from tap_openai_audit.errors import SyncFailed, TapError
from tap_openai_audit.session import Session
from tap_openai_audit.settings import (
    Settings,
    completed,
    problems,
    unmappable,
    without_effect,
)
from tap_openai_audit.signals import Signals
from tap_openai_audit.streams.audit_log_digests import AuditLogDigests
from tap_openai_audit.streams.audit_logs import AuditLogs
from tap_openai_audit.streams.reference_streams import REFERENCE_STREAMS
from tap_openai_audit.streams.state_input import unwrapped
from tap_openai_audit.streams.sync_reports import Ledger, SyncReports
from tap_openai_audit.writer import LineWriter

if TYPE_CHECKING:
    from singer_sdk import Stream

# What the SDK lets through when it parses an expression that is none.
_RAISED_BY_BROKEN_MAPS = (IndexError, NotImplementedError, RecursionError, ValueError)


class TapOpenAIAudit(CommandLine):
    """Extracts the audit logs of an OpenAI organization, each event once."""

    name = "tap-openai-audit"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIGURATION
    message_writer_class = LineWriter
    message_writer: LineWriter

    capabilities: ClassVar[list[Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **options: Any) -> None:
        """Prepare a run.

        Args:
            options: Those of the SDK's taps.

        Raises:
            ConfigValidationError: If the settings cannot be used.
            BadState: If the state is not understood.
        """
        self.signals = Signals()
        self.failures: list[TapError] = []
        self._ledger = Ledger(self.plugin_version)
        self._session: Session | None = None
        super().__init__(**options)

    # The SDK's handlers would end the process with exit code 0.
    @override
    def _setup_signal_handlers(self) -> None:
        self.signals.listen()

    @override
    def session(self) -> Session:
        if self._session is None:
            user_agent = f"{self.name}/{self.plugin_version}"
            settings = Settings.of({"user_agent": user_agent, **self.config})
            client = Client(settings, self.logger, self.signals.stop)
            run_id = str(uuid.uuid4())
            self._session = Session(run_id, settings, client, self.signals)
        return self._session

    @override
    def discover_streams(self) -> list[Stream]:
        """All streams, in no order: see `streams`."""
        session, failed = self.session, self.failures.append
        audit_logs = AuditLogs(
            self,
            session=session,
            writer=self.message_writer,
            ledger=self._ledger,
            digests_selected=lambda: self.streams[AuditLogDigests.name].selected,
            failed=failed,
        )
        return [
            audit_logs,
            AuditLogDigests(
                self,
                session=session,
                ids_changed=lambda: audit_logs.changes_ids,
                failed=failed,
            ),
            *(
                stream(self, session=session, failed=failed)
                for stream in REFERENCE_STREAMS
            ),
            SyncReports(self, self._ledger, failed=failed),
        ]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of their sync: audit logs first, reports last."""
        order = {AuditLogs.name: 0, AuditLogDigests.name: 1, SyncReports.name: 3}
        streams = super().streams
        return {
            name: streams[name]
            for name in sorted(streams, key=lambda name: (order.get(name, 2), name))
        }

    # Final in the SDK, which ends with the first stream that raises, and has no place
    # for what one reports that goes on.
    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        """Sync what is selected.

        Raises:
            SyncFailed: If a stream was not read in full, after all else is written.
            TargetStopped: If messages cannot be written any more.
            Terminated: If a signal ends the run.
        """
        if not any(stream.selected for stream in self.streams.values()):
            self.logger.warning(
                "No stream is selected, so nothing is read: select %s in the catalog,"
                " or run without one",
                AuditLogs.name,
            )
        if not self.state:
            # Some targets take the first STATE of a run for confirmed: see docs/sdk.md.
            self.state_writer.write_state({"bookmarks": {}})
        super().sync_all()
        self.raise_failures()

    @override
    def raise_failures(self) -> None:
        if self.failures:
            names = "One stream" if len(self.failures) == 1 else "Some streams"
            raise SyncFailed(f"{names} could not be read in full", (*self.failures,))

    @override
    def write_reports(self) -> None:
        for name in (AuditLogDigests.name, SyncReports.name):
            if self.streams[name].selected:
                self.streams[name].sync()

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take a state, as it is kept or as a whole message.

        Raises:
            BadState: If something in it is not understood.
        """
        super().load_state(unwrapped(state, self.streams))

    # There is no public way to choose the words. The SDK's own repeat the value that
    # does not fit the schema, the admin key included.
    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Tell everything that is wrong with the settings, a line each."""
        for line in without_effect(self._config):
            self.logger.warning("%s", line)
        self._config = completed(self._config)
        errors = problems(self._config)
        if errors and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=errors)
        return errors

    @override
    def setup_mapper(self) -> None:
        """Report a stream map that cannot work like any other setting."""
        try:
            super().setup_mapper()
        except (MappingError, *_RAISED_BY_BROKEN_MAPS) as error:
            raise ConfigValidationError(
                "Config validation failed", errors=[unmappable(self._config, error)]
            ) from None
