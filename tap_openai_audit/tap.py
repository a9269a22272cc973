"""The tap: its name, its settings and its streams."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_openai_audit.audit_logs.digest_stream import AuditLogDigests
from tap_openai_audit.audit_logs.stream import AuditLogs
from tap_openai_audit.configuration import CONFIGURATION, PAIRS
from tap_openai_audit.errors import SyncFailed, TapError
from tap_openai_audit.http.causes import Api
from tap_openai_audit.http.client import Client
from tap_openai_audit.http.pace import Pace
from tap_openai_audit.inventory.schedule import Schedule
from tap_openai_audit.inventory.stream import Reference
from tap_openai_audit.inventory.streams import REFERENCE_STREAMS
from tap_openai_audit.settings import (
    Settings,
    completed,
    problems,
    unmappable,
    without_effect,
)
from tap_openai_audit.singer.cli import CommandLine
from tap_openai_audit.singer.session import Session, WorkspaceClients
from tap_openai_audit.singer.signals import Signals
from tap_openai_audit.singer.state_input import unwrapped
from tap_openai_audit.singer.sync_reports import Ledger, SyncReports
from tap_openai_audit.singer.writer import LineWriter
from tap_openai_audit.workspace.api import DOWNLOADS_PER_MINUTE
from tap_openai_audit.workspace.file_stream import WorkspaceLogFiles
from tap_openai_audit.workspace.state import FEEDS
from tap_openai_audit.workspace.streams import (
    WorkspaceAuditLogs,
    WorkspaceAuthLogs,
)

if TYPE_CHECKING:
    from singer_sdk import Stream

    from tap_openai_audit.http.endpoint import Endpoint

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
        self._schedule = Schedule(
            self.session,
            lambda: [s for s in self.streams.values() if isinstance(s, Reference)],
            self.logger,
        )
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
            self._session = Session(
                str(uuid.uuid4()),
                settings,
                self._client(settings.endpoint(Api.ORGANIZATION)),
                self.signals,
                self._workspace_clients(settings.endpoint(Api.WORKSPACE)),
            )
        return self._session

    def _client(self, endpoint: Endpoint, pace: Pace | None = None) -> Client:
        return Client(endpoint, self.logger, self.signals.stop, pace=pace)

    def _workspace_clients(self, endpoint: Endpoint) -> WorkspaceClients:
        pace = Pace(most_per_minute=DOWNLOADS_PER_MINUTE)
        return WorkspaceClients(
            self._client(endpoint), self._client(endpoint, pace), pace
        )

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
        files = WorkspaceLogFiles(self, session=session, failed=failed)
        return [
            audit_logs,
            *(
                stream(
                    self,
                    session=session,
                    writer=self.message_writer,
                    ledger=self._ledger,
                    files=files,
                    failed=failed,
                )
                for stream in (WorkspaceAuditLogs, WorkspaceAuthLogs)
            ),
            files,
            AuditLogDigests(
                self,
                session=session,
                ids_changed=lambda: audit_logs.changes_ids,
                failed=failed,
            ),
            *(
                stream(
                    self,
                    session=session,
                    schedule=self._schedule,
                    ledger=self._ledger,
                    failed=failed,
                )
                for stream in REFERENCE_STREAMS
            ),
            SyncReports(self, self._ledger, failed=failed),
        ]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of their sync: audit logs first, reports last.

        A workspace may have weeks of files to be downloaded: nothing waits for it.
        """
        order = {
            AuditLogs.name: 0,
            AuditLogDigests.name: 1,
            **dict.fromkeys(FEEDS, 3),
            WorkspaceLogFiles.name: 4,
            SyncReports.name: 5,
        }
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
        self.leave_out_what_is_not_set()
        if not self.state:
            # Some targets take the first STATE of a run for confirmed: see docs/sdk.md.
            self.state_writer.write_state({"bookmarks": {}})
        super().sync_all()
        self._keep_readings()
        self.raise_failures()

    @override
    def leave_out_what_is_not_set(self) -> None:
        settings = self.session().settings
        of_workspace = {*FEEDS, WorkspaceLogFiles.name}
        of_organization = {*self.streams} - of_workspace - {SyncReports.name}
        names_of = (of_organization, of_workspace)
        for api, names, pair in zip(Api, names_of, PAIRS, strict=True):
            selected = [self.streams[name] for name in names if not settings.reads(api)]
            selected = [stream for stream in selected if stream.selected]
            for stream in selected:
                stream.selected = False
            if selected:
                self.logger.info(
                    "Nothing of the %s is read: %s are not set",
                    api.value,
                    " and ".join(pair),
                )

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
        self._keep_readings()

    def _keep_readings(self) -> None:
        """Write a STATE of what was read, now that the reports on it are written."""
        if self._schedule.keep():
            self.state_writer.write_state(self.state)

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
