"""What an operator sets for the organization's tap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_openai_audit.audit_logs.event_types import event_types
from tap_openai_audit.configuration import CONFIGURATION, OWN
from tap_openai_audit.http.causes import KEYS_PAGE, Api
from tap_openai_audit.http.endpoint import Endpoint
from tap_openai_audit.singer.settings import SettingsCheck, start_and_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_openai_audit.singer.settings import Show

FILTERS = ("event_types", "project_ids", "actor_ids", "actor_emails", "resource_ids")
"""The settings that the API takes as repeated parameters of the same name."""


_SEVERAL = re.compile(r"""[\s,;"`]|^['\[{(]|['\]})]$""")
"""What stands between values, or around them, and in none."""


@dataclass(frozen=True)
class Settings:
    """The settings of a run. Times are Unix seconds, durations seconds."""

    organization_id: str
    admin_key: str
    start: int | None
    end: int | None
    lookback_seconds: int
    deep_lookback_days: int
    deep_lookback_every_hours: int
    tenant_events: bool
    filters: Mapping[str, tuple[str, ...]]
    reference_every_hours: int
    concurrency: int
    request_timeout_seconds: int
    max_retry_seconds: int
    api_url: str
    user_agent: str

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"Settings(organization_id={self.organization_id!r}, ...)"

    @property
    def endpoint(self) -> Endpoint:
        """Where requests go, and with which key."""
        return Endpoint(
            Api.ORGANIZATION,
            self.api_url,
            self.admin_key,
            self.user_agent,
            self.request_timeout_seconds,
            self.max_retry_seconds,
            {"OpenAI-Organization": self.organization_id},
        )

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration in which `CHECK` found no problem."""
        config = CHECK.completed(config)
        start, end = start_and_end(config)
        return cls(
            organization_id=config["organization_id"],
            admin_key=config["admin_key"],
            start=start,
            end=end,
            # JSON makes no difference between 8 and 8.0, Python does.
            lookback_seconds=int(config["lookback_seconds"]),
            deep_lookback_days=int(config["deep_lookback_days"]),
            deep_lookback_every_hours=int(config["deep_lookback_every_hours"]),
            tenant_events=config["tenant_events"],
            filters={name: tuple(config[name]) for name in FILTERS if config.get(name)},
            reference_every_hours=int(config["reference_every_hours"]),
            concurrency=int(config["concurrency"]),
            request_timeout_seconds=int(config["request_timeout_seconds"]),
            max_retry_seconds=int(config["max_retry_seconds"]),
            api_url=config["api_url"].rstrip("/"),
            user_agent=config["user_agent"],
        )


def _contradictions(config: Mapping[str, Any], show: Show) -> Iterator[str]:
    """Find what is wrong with the key and the filters."""
    if re.match(r"sk-(proj|svcacct|None)-", config.get("admin_key", "")):
        yield (
            "admin_key is a project key, which cannot read audit logs: an organization"
            f" owner makes an admin key (sk-admin-...) at {KEYS_PAGE}"
        )
    for name in FILTERS:
        for item in config.get(name, ()):
            if not item.isprintable() or _SEVERAL.search(item):
                yield (
                    f"{name} must be a list of one value each, and {show(item)} matches"
                    " nothing: a value has no blank, comma, semicolon or quotes around"
                    ' it. Write it as in ["one", "two"]'
                )
            elif name == "actor_emails" and "@" not in item:
                yield f"actor_emails must be a list of addresses, not {show(item)}"


def _doubts(config: Mapping[str, Any], show: Show) -> Iterator[str]:
    """Find types of events that are not known: they may be new, or misspelt."""
    known = event_types()
    for item in config.get("event_types", ()):
        if item not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - rarely needed

            similar = next(iter(get_close_matches(item, known, 1)), None)
            hint = f"; did you mean {similar}?" if similar else ""
            yield (
                f"event_types names {show(item)}, which this version of the tap does"
                f" not know: if OpenAI has no such type, it matches nothing{hint}"
            )


CHECK = SettingsCheck(
    schema=CONFIGURATION,
    own=OWN,
    id_name="organization_id",
    key_name="admin_key",
    key_words="admin key",
    not_set={
        "organization_id": (
            "organization_id is not set: copy the id that begins with org- from the"
            " organization's general settings"
        ),
        "admin_key": (
            f"admin_key is not set: an organization owner makes an admin key at"
            f" {KEYS_PAGE}"
        ),
    },
    unfit={
        "organization_id": (
            "organization_id must look like org-..., not {value}: copy it from the"
            " organization's general settings"
        ),
        "admin_key": (
            "admin_key must be a text without spaces, line breaks or characters outside"
            f" ASCII: copy it again, or make a new one at {KEYS_PAGE}"
        ),
    },
    is_id=lambda text: text.startswith("org-"),
    key_holds_id="the id of an organization",
    contradictions=_contradictions,
    doubts=_doubts,
    other_api=(
        "api.chatgpt.com",
        "a ChatGPT workspace is read by tap-chatgpt-workspace",
    ),
)
"""The check of these settings."""
