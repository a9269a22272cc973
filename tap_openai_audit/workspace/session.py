"""What the streams of a workspace have in common once the settings are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_openai_audit.http.client import Client
    from tap_openai_audit.http.pace import Pace
    from tap_openai_audit.singer.signals import Signals
    from tap_openai_audit.workspace.settings import WorkspaceSettings


@dataclass(frozen=True)
class WorkspaceSession:
    """One run, created when the first stream is synced: discovery needs no settings."""

    run_id: str
    settings: WorkspaceSettings
    signals: Signals
    listings: Client
    """Asks for lists of files."""
    downloads: Client
    """Asks for files."""
    pace: Pace
    """That of the downloads."""

    @property
    def account(self) -> Mapping[str, str]:
        """The column of `sync_reports` that says whose events were read."""
        return {"workspace_id": self.settings.workspace_id}
