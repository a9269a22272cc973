"""The workspace's tap: its name, its settings and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_openai_audit.http.client import Client
from tap_openai_audit.http.pace import Pace
from tap_openai_audit.singer.base_tap import BaseTap
from tap_openai_audit.singer.sync_reports import SyncReports
from tap_openai_audit.workspace.api import DOWNLOADS_PER_MINUTE
from tap_openai_audit.workspace.configuration import CONFIGURATION
from tap_openai_audit.workspace.file_stream import WorkspaceLogFiles
from tap_openai_audit.workspace.session import WorkspaceSession
from tap_openai_audit.workspace.settings import CHECK, WorkspaceSettings
from tap_openai_audit.workspace.streams import WorkspaceAuditLogs, WorkspaceAuthLogs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk import Stream

    from tap_openai_audit.check.run import Check


class TapChatGPTWorkspace(BaseTap):
    """Extracts the audit logs and sign-ins of a ChatGPT workspace, each event once."""

    name = "tap-chatgpt-workspace"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIGURATION
    settings_check = CHECK
    order: ClassVar[Mapping[str, int]] = {
        WorkspaceAuditLogs.name: 0,
        WorkspaceAuthLogs.name: 1,
        WorkspaceLogFiles.name: 2,
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
        self._session: WorkspaceSession | None = None
        super().__init__(**options)

    def session(self) -> WorkspaceSession:
        """Return settings, clients and signals, created when they are first needed."""
        if self._session is None:
            settings = WorkspaceSettings.of(self.own_config)
            endpoint, stop = settings.endpoint, self.signals.stop
            pace = Pace(most_per_minute=DOWNLOADS_PER_MINUTE)
            self._session = WorkspaceSession(
                self.run_id,
                settings,
                self.signals,
                listings=Client(endpoint, self.logger, stop),
                downloads=Client(endpoint, self.logger, stop, pace=pace),
                pace=pace,
            )
        return self._session

    @override
    def discover_streams(self) -> list[Stream]:
        """All streams, in no order: see `order`."""
        session, failed = self.session, self.failures.append
        files = WorkspaceLogFiles(self, session=session, failed=failed)
        return [
            *(
                stream(
                    self,
                    session=session,
                    writer=self.message_writer,
                    ledger=self.ledger,
                    files=files,
                    failed=failed,
                )
                for stream in (WorkspaceAuditLogs, WorkspaceAuthLogs)
            ),
            files,
            SyncReports(self, self.ledger, failed=failed),
        ]

    @classmethod
    @override
    def check_names(cls) -> Sequence[str]:
        from tap_openai_audit.check import workspace  # noqa: PLC0415 - no need in a sync

        return workspace.NAMES

    @override
    def check(self, state: Mapping[str, Any] | None) -> Check:
        from tap_openai_audit.check import workspace  # noqa: PLC0415 - no need in a sync

        return workspace.WorkspaceCheck(
            self.session().settings, state, self.streams, self.signals, self.logger
        )
