"""What the streams of a run have in common once the settings are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_openai_audit.http.client import Client
    from tap_openai_audit.http.pace import Pace
    from tap_openai_audit.settings import Settings
    from tap_openai_audit.singer.signals import Signals


@dataclass(frozen=True)
class WorkspaceClients:
    """What asks the API of a workspace."""

    listings: Client
    downloads: Client
    pace: Pace
    """That of the downloads."""


@dataclass(frozen=True)
class Session:
    """One run, made when the first stream is synced: discovery needs no settings."""

    run_id: str
    settings: Settings
    client: Client
    signals: Signals
    workspace: WorkspaceClients
