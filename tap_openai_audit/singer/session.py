"""What the streams of a run have in common once the settings are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_openai_audit.http.client import Client
    from tap_openai_audit.settings import Settings
    from tap_openai_audit.singer.signals import Signals


@dataclass(frozen=True)
class Session:
    """One run, created when the first stream is synced: discovery needs no settings."""

    run_id: str
    settings: Settings
    client: Client
    signals: Signals

    @property
    def account(self) -> Mapping[str, str]:
        """The column of `sync_reports` that says whose events were read."""
        return {"organization_id": self.settings.organization_id}
