"""What an operator sets, checked all at once and in words.

The schema in `configuration.py` says which values are possible. Here its errors become
messages for people, and what a schema cannot say is checked: that an end lies after its
start, that a key is where it belongs, that it does not cross a network unencrypted.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_openai_audit.causes import KEYS_PAGE
from tap_openai_audit.configuration import CONFIGURATION, OWN
from tap_openai_audit.redaction import holds_key, redacted
from tap_openai_audit.timestamps import iso, unix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    _Show: TypeAlias = Callable[[object], str]

FILTERS = ("event_types", "project_ids", "actor_ids", "actor_emails", "resource_ids")
"""The settings that the API takes as repeated parameters of the same name."""

_SCHEMAS: Mapping[str, Mapping[str, Any]] = CONFIGURATION["properties"]
_LONGEST = 100
"""Characters of a value that are repeated: enough to find it where it was set."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_SET = {
    "organization_id": (
        "organization_id is not set: copy the id that begins with org- from the"
        " organization's general settings"
    ),
    "admin_key": (
        f"admin_key is not set: an organization owner makes an admin key at {KEYS_PAGE}"
    ),
}
_UNFIT = {
    "organization_id": (
        "organization_id must look like org-..., not {value}: copy it from the"
        " organization's general settings"
    ),
    "admin_key": (
        "admin_key must be a text without spaces, line breaks or characters outside"
        f" ASCII: copy it again, or make a new one at {KEYS_PAGE}"
    ),
    "user_agent": (
        "user_agent must be a text of ASCII characters in one line, without a blank in"
        " front or behind, not {value}"
    ),
}
_FORMATS = {
    "date-time": "a date-time such as 2026-01-31T00:00:00Z",
    "uri": "a URL such as https://api.openai.com/v1",
}
_KINDS = {
    "integer": "a whole number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a list of texts",
    "object": "an object as in https://sdk.meltano.com/en/latest/stream_maps.html",
}
_SWAPPED = "are organization_id and admin_key swapped?"


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
    concurrency: int
    request_timeout_seconds: int
    max_retry_seconds: int
    api_url: str
    user_agent: str

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"Settings(organization_id={self.organization_id!r}, ...)"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration in which `problems` found nothing."""
        config = completed(config)
        start, end = config.get("start_date"), config.get("end_date")
        return cls(
            organization_id=config["organization_id"],
            admin_key=config["admin_key"],
            start=math.floor(unix(start)) if start else None,
            end=math.ceil(unix(end)) if end else None,
            # JSON makes no difference between 8 and 8.0, Python does.
            lookback_seconds=int(config["lookback_seconds"]),
            deep_lookback_days=int(config["deep_lookback_days"]),
            deep_lookback_every_hours=int(config["deep_lookback_every_hours"]),
            tenant_events=config["tenant_events"],
            filters={name: tuple(config[name]) for name in FILTERS if config.get(name)},
            concurrency=int(config["concurrency"]),
            request_timeout_seconds=int(config["request_timeout_seconds"]),
            max_retry_seconds=int(config["max_retry_seconds"]),
            api_url=config["api_url"].rstrip("/"),
            user_agent=config["user_agent"],
        )


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is set, and add defaults.

    Null and an empty text say that a setting is not set. A name that is none of a
    setting is left out: the SDK takes some that this tap does not offer.
    """
    given = {n: config[n] for n in _SCHEMAS if config.get(n) not in (None, "")}
    defaults = {n: s["default"] for n, s in _SCHEMAS.items() if "default" in s}
    return {**defaults, **given}


def problems(config: Mapping[str, Any]) -> list[str]:
    """Tell everything that is wrong with a configuration, a line for each setting.

    No line holds a part of a key, wherever in the configuration it is.
    """
    config = completed(config)
    secrets = _secrets(config)

    def show(value: object) -> str:
        return redacted(repr(value), *secrets, longest=_LONGEST)

    found: dict[str, str] = {}
    for look in (_endless, _misplaced_keys, _unfit, _contradictions):
        sound = {name: value for name, value in config.items() if name not in found}
        for line in look(sound, show):
            found.setdefault(line.split()[0], line)
    return [found[name] for name in _SCHEMAS if name in found]


def without_effect(config: Mapping[str, Any]) -> list[str]:
    """Tell which names are no settings of this tap, a line each."""
    lines = []
    for name in config:
        if name not in _SCHEMAS:
            similar = meant(str(name)[:_LONGEST])
            shown = redacted(name, *_secrets(config), longest=_LONGEST)
            hint = f": did you mean {similar}?" if similar else ""
            lines.append(f"{shown} is no setting of this tap and has no effect{hint}")
    return lines


def unmappable(config: Mapping[str, Any], error: Exception) -> str:
    """Tell which stream map is none, in a line without a part of a key."""
    why = redacted(error, *_secrets(config))
    return f"stream_maps must be {_KINDS['object']}: {why}"


def meant(name: str) -> str | None:
    """Find the setting that an unknown name is almost the same as."""
    from difflib import get_close_matches  # noqa: PLC0415 - rarely needed

    return next(iter(get_close_matches(name, _SCHEMAS, 1, 0.8)), None)


def _secrets(config: Mapping[str, Any]) -> tuple[str, ...]:
    names = ["admin_key"]
    if _is_organization(config.get("admin_key")):
        names.append("organization_id")
    values = (config.get(name) for name in names)
    return tuple(value for value in values if isinstance(value, str))


def _is_organization(value: object) -> bool:
    return isinstance(value, str) and value.startswith("org-")


def _endless(config: Mapping[str, Any], _show: _Show) -> Iterator[str]:
    """Find what Python does not write: any depth, numbers of thousands of digits."""
    for name in config:
        try:
            repr(config[name])
        except (RecursionError, ValueError):  # noqa: PERF203 - a few settings
            yield f"{name} is nested too deeply or too long a number: correct it"


def _misplaced_keys(config: Mapping[str, Any], _show: _Show) -> Iterator[str]:
    """Find keys where they would be sent, stored or shown."""
    key = config.get("admin_key")
    secret = key if isinstance(key, str) else ""
    for name in OWN:
        if name == "admin_key" or not holds_key(repr(config.get(name)), secret):
            continue
        if name == "organization_id":
            yield f"organization_id holds a key: {_SWAPPED}"
        else:
            yield (
                f"{name} holds a key, which belongs in admin_key alone: remove it, and"
                f" make a new one at {KEYS_PAGE} if others may have seen it"
            )


def _unfit(config: Mapping[str, Any], show: _Show) -> Iterator[str]:
    """Put the errors of the schema into words."""
    yield from (_NOT_SET[n] for n in CONFIGURATION["required"] if n not in config)
    for error in DEFAULT_JSONSCHEMA_VALIDATOR(CONFIGURATION).iter_errors(config):
        path = [str(step) for step in error.path]
        if not path:  # a setting that is missing
            continue
        name, value = path[0], show(config[path[0]])
        schema = _SCHEMAS[name]
        if name in _UNFIT:
            yield _UNFIT[name].format(value=value)
        elif error.validator in {"minimum", "maximum"}:
            low, high = schema["minimum"], schema["maximum"]
            yield f"{name} must lie between {low} and {high}, not {value}"
        elif "object" in schema["type"]:
            yield f"{name} must be {_expected(schema)}: correct {show('.'.join(path))}"
        else:
            yield f"{name} must be {_expected(schema)}, not {value}"


def _expected(schema: Mapping[str, Any]) -> str:
    """Say which values a setting takes."""
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    (kind,) = (_KINDS[kind] for kind in schema["type"] if kind != "null")
    if "minimum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return kind


def _contradictions(config: Mapping[str, Any], show: _Show) -> Iterator[str]:
    """Check what a schema cannot say, of settings that fit theirs."""
    key = config.get("admin_key", "")
    if _is_organization(key):
        yield f"admin_key holds the id of an organization: {_SWAPPED}"
    elif re.match(r"sk-(proj|svcacct|None)-", key):
        yield (
            "admin_key is a project key, which cannot read audit logs: an organization"
            f" owner makes an admin key (sk-admin-...) at {KEYS_PAGE}"
        )
    yield from _of_dates(config, show)
    for name in FILTERS:
        if not all(item.isprintable() for item in config.get(name, ())):
            yield (
                f"{name} must be a list of texts without line breaks or other control"
                f" characters, not {show(config[name])}"
            )
    if "api_url" in config:
        yield from _of_url(config["api_url"], show)


def _of_dates(config: Mapping[str, Any], show: _Show) -> Iterator[str]:
    times = {}
    for name in ("start_date", "end_date"):
        if name not in config:
            continue
        try:
            times[name] = unix(config[name])
            iso(math.ceil(times[name]))
        except (ValueError, OverflowError):
            expected = _expected(_SCHEMAS[name])
            yield f"{name} must be {expected}, not {show(config[name])}"
    if len(times) == 2 and times["start_date"] >= times["end_date"]:  # noqa: PLR2004
        yield (
            "end_date must lie after start_date, or nothing is left to read: move one"
            " of them, or leave end_date out"
        )


def _of_url(value: str, show: _Show) -> Iterator[str]:
    try:
        url = urlsplit(value)
        host, _ = url.hostname, url.port
    except ValueError:
        url, host = urlsplit(""), None
    unfit = (
        url.scheme not in {"http", "https"}
        or not host
        or not value.isprintable()
        or " " in value
    )
    # A user, a password or a token may be in it: then nothing of it is repeated.
    private = any(mark in value for mark in "@?#")
    if url.username or url.password or url.query or url.fragment or (unfit and private):
        yield "api_url must be a plain URL, without a user, a query or a fragment"
    elif unfit:
        yield f"api_url must be {_FORMATS['uri']}, not {show(value)}"
    elif url.scheme == "http" and host not in _LOOPBACK:
        yield (
            "api_url must begin with https:// unless its host is this machine: over"
            f" http the admin key would cross the network to {show(host)} unencrypted"
        )
