"""What an operator sets, checked all at once and in words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEYS_PAGE = "https://platform.openai.com/settings/organization/admin-keys"
"""Where an organization owner makes an admin key."""

FILTERS = ("event_types", "project_ids", "actor_ids", "actor_emails", "resource_ids")
"""The settings that the API takes as repeated parameters of the same name."""

_BOUNDS = {
    "lookback_seconds": (0, 30 * 24 * 3600),
    "concurrency": (1, 64),
    "request_timeout_seconds": (1, 3600),
    "max_retry_seconds": (0, 24 * 3600),
}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_REQUIRED = {
    "organization_id": (
        "organization_id is not set: copy the id that begins with org- from the"
        " organization's general settings"
    ),
    "admin_key": (
        f"admin_key is not set: an organization owner makes an admin key at {KEYS_PAGE}"
    ),
}


@dataclass(frozen=True)
class Settings:
    """The settings of a run. Times are Unix seconds, durations seconds."""

    organization_id: str
    admin_key: str
    start: int | None
    end: int | None
    lookback_seconds: int
    tenant_events: bool
    filters: Mapping[str, tuple[str, ...]]
    concurrency: int
    request_timeout_seconds: int
    max_retry_seconds: int
    api_url: str
    user_agent: str

    def __repr__(self) -> str:
        """The settings without the key."""
        return f"Settings(organization_id={self.organization_id!r}, ...)"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration in which `problems` found nothing."""
        start, end = config.get("start_date"), config.get("end_date")
        return cls(
            organization_id=config["organization_id"],
            admin_key=config["admin_key"],
            start=math.floor(_timestamp(start)) if start else None,
            end=math.ceil(_timestamp(end)) if end else None,
            lookback_seconds=config["lookback_seconds"],
            tenant_events=config["tenant_events"],
            filters={name: tuple(config[name]) for name in FILTERS if config.get(name)},
            concurrency=config["concurrency"],
            request_timeout_seconds=config["request_timeout_seconds"],
            max_retry_seconds=config["max_retry_seconds"],
            api_url=config["api_url"].rstrip("/"),
            user_agent=config["user_agent"],
        )


def problems(config: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a configuration, a line each.

    No line repeats a value of `admin_key`, whatever is wrong with it.
    """
    return [
        *_problems_of_identity(config),
        *_problems_of_dates(config),
        *_problems_of_numbers(config),
        *_problems_of_filters(config),
        *_problems_of_url(config),
    ]


def _problems_of_identity(config: Mapping[str, Any]) -> Iterable[str]:
    for name, text in _REQUIRED.items():
        if config.get(name) in (None, ""):
            yield text
    organization = config.get("organization_id")
    if organization and not (
        isinstance(organization, str) and re.fullmatch(r"org-[\w-]+", organization)
    ):
        yield (
            f"organization_id must look like org-..., not {organization!r}: copy it"
            " from the organization's general settings"
        )
    key = config.get("admin_key")
    if not key:
        return
    if not isinstance(key, str) or not re.fullmatch(r"[!-~]+", key):
        yield (
            "admin_key must be a text without spaces, line breaks or characters outside"
            f" ASCII: copy it again, or make a new one at {KEYS_PAGE}"
        )
    elif re.match(r"sk-(proj|svcacct|None)-", key):
        yield (
            "admin_key is a project key, which cannot read audit logs: an organization"
            f" owner makes an admin key (sk-admin-...) at {KEYS_PAGE}"
        )


def _problems_of_dates(config: Mapping[str, Any]) -> Iterable[str]:
    times: dict[str, float] = {}
    for name in ("start_date", "end_date"):
        value = config.get(name)
        if value in (None, ""):
            continue
        try:
            times[name] = _timestamp(value)
        except (TypeError, ValueError, OverflowError):
            yield (
                f"{name} must be a date-time such as 2026-01-31T00:00:00Z, not"
                f" {value!r}"
            )
    if len(times) == 2 and times["start_date"] >= times["end_date"]:  # noqa: PLR2004
        yield (
            "end_date must lie after start_date, or nothing is left to read: move one"
            " of them, or leave end_date out"
        )


def _problems_of_numbers(config: Mapping[str, Any]) -> Iterable[str]:
    for name, (low, high) in _BOUNDS.items():
        value = config.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{name} must be a whole number from {low} to {high}, not {value!r}"
        elif not low <= value <= high:
            yield f"{name} must lie between {low} and {high}, not {value}"
    tenant_events = config.get("tenant_events")
    if not isinstance(tenant_events, bool | None):
        yield f"tenant_events must be true or false, not {tenant_events!r}"


def _problems_of_filters(config: Mapping[str, Any]) -> Iterable[str]:
    for name in FILTERS:
        value = config.get(name)
        if value is not None and not (
            isinstance(value, list | tuple)
            and all(isinstance(item, str) and item for item in value)
        ):
            yield f"{name} must be a list of texts, not {value!r}"


def _problems_of_url(config: Mapping[str, Any]) -> Iterable[str]:
    user_agent = config.get("user_agent")
    if user_agent is not None and not (
        isinstance(user_agent, str) and re.fullmatch(r"[ -~]*", user_agent)
    ):
        yield "user_agent must be a text of ASCII characters in one line"
    value = config.get("api_url")
    if value is None:
        return
    try:
        url = urlsplit(value)
        host = url.hostname
        _ = url.port
    except (AttributeError, TypeError, ValueError):
        yield f"api_url must be a URL such as https://api.openai.com/v1, not {value!r}"
        return
    if url.username or url.password or url.query or url.fragment:
        yield "api_url must be a plain URL, without a user, a query or a fragment"
    elif url.scheme not in {"http", "https"} or not host:
        yield f"api_url must be a URL such as https://api.openai.com/v1, not {value!r}"
    elif url.scheme == "http" and host not in _LOOPBACK:
        yield (
            f"api_url must begin with https:// unless its host is this machine: over"
            f" http the admin key would cross the network to {host} unencrypted"
        )


def _timestamp(value: str) -> float:
    """Unix seconds of an ISO 8601 text. Without a time zone it is UTC.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(value, str):
        raise TypeError(value)
    moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value.strip()))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()
