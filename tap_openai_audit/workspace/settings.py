"""What an operator sets for the workspace's tap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_openai_audit.http.causes import Api
from tap_openai_audit.http.endpoint import Endpoint
from tap_openai_audit.singer.settings import SettingsCheck, start_and_end
from tap_openai_audit.workspace.configuration import CONFIGURATION, OWN

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTAL = "in the workspace's Admin portal"
_ID = re.compile(CONFIGURATION["properties"]["workspace_id"]["pattern"])


@dataclass(frozen=True)
class WorkspaceSettings:
    """The settings of a run. Times are Unix seconds, durations seconds."""

    workspace_id: str
    """In lower case: it is compared with what the API and a state say."""
    key: str
    start: int | None
    end: int | None
    deep_lookback_days: int
    deep_lookback_every_hours: int
    request_timeout_seconds: int
    max_retry_seconds: int
    api_url: str
    user_agent: str

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"WorkspaceSettings(workspace_id={self.workspace_id!r}, ...)"

    @property
    def endpoint(self) -> Endpoint:
        """Where requests go, and with which key."""
        return Endpoint(
            Api.WORKSPACE,
            self.api_url,
            self.key,
            self.user_agent,
            self.request_timeout_seconds,
            self.max_retry_seconds,
        )

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> WorkspaceSettings:
        """Read a configuration in which `CHECK` found no problem."""
        config = CHECK.completed(config)
        start, end = start_and_end(config)
        return cls(
            workspace_id=config["workspace_id"].lower(),
            key=config["key"],
            start=start,
            end=end,
            # JSON makes no difference between 7 and 7.0, Python does.
            deep_lookback_days=int(config["deep_lookback_days"]),
            deep_lookback_every_hours=int(config["deep_lookback_every_hours"]),
            request_timeout_seconds=int(config["request_timeout_seconds"]),
            max_retry_seconds=int(config["max_retry_seconds"]),
            api_url=config["api_url"].rstrip("/"),
            user_agent=config["user_agent"],
        )


CHECK = SettingsCheck(
    schema=CONFIGURATION,
    own=OWN,
    id_name="workspace_id",
    key_name="key",
    key_words="key",
    not_set={
        "workspace_id": (
            "workspace_id is not set: copy the UUID of the workspace from its settings"
        ),
        "key": f"key is not set: create an admin key of the workspace {_PORTAL}",
    },
    unfit={
        "workspace_id": (
            "workspace_id must be a UUID such as 01234567-89ab-cdef-0123-456789abcdef,"
            " not {value}: copy it from the workspace's settings"
        ),
        "key": (
            "key must be a text without spaces, line breaks or characters outside"
            f" ASCII: copy it again, or create a new one {_PORTAL}"
        ),
    },
    is_id=lambda text: _ID.search(text) is not None,
    key_holds_id="the id of a workspace",
    contradictions=lambda _config, _show: iter(()),
    other_api=(
        "api.openai.com",
        "an organization of the API platform is read by tap-openai-audit",
    ),
)
"""The check of these settings."""
