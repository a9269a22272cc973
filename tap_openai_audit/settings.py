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

from tap_openai_audit.configuration import CONFIGURATION, OWN, PAIRS
from tap_openai_audit.http.causes import KEYS_PAGE, Api
from tap_openai_audit.http.endpoint import LOOPBACK, Endpoint
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

_PORTAL = "in the workspace's Admin portal"
_NOTHING_SET = (
    "organization_id and admin_key, or workspace_id and workspace_key, must be set: an"
    f" organization owner makes an admin key at {KEYS_PAGE}, that of a ChatGPT"
    f" workspace is made {_PORTAL}"
)
_NOT_SET = {
    "organization_id": (
        "organization_id is not set: copy the id that begins with org- from the"
        " organization's general settings"
    ),
    "admin_key": (
        f"admin_key is not set: an organization owner makes an admin key at {KEYS_PAGE}"
    ),
    "workspace_id": (
        "workspace_id is not set: copy the UUID of the workspace from its settings"
    ),
    "workspace_key": (
        f"workspace_key is not set: an admin key of the workspace is made {_PORTAL}"
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
    "workspace_id": (
        "workspace_id must be a UUID such as 01234567-89ab-cdef-0123-456789abcdef, not"
        " {value}: copy it from the workspace's settings"
    ),
    "workspace_key": (
        "workspace_key must be a text without spaces, line breaks or characters outside"
        f" ASCII: copy it again, or make a new one {_PORTAL}"
    ),
    "user_agent": (
        "user_agent must be a text of ASCII characters in one line, without a blank in"
        " front or behind, not {value}"
    ),
}
_DATE_TIME = "a date-time such as 2026-01-31T00:00:00Z"
_KINDS = {
    "integer": "a whole number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a list of texts",
    "object": "an object as in https://sdk.meltano.com/en/latest/stream_maps.html",
}
_KEYS = {"admin_key": "admin key", "workspace_key": "workspace key"}
_KEY_OF_URL = {"api_url": "admin_key", "workspace_api_url": "workspace_key"}
_SWAPPED = {
    "organization_id": "are organization_id and admin_key swapped?",
    "workspace_id": "are workspace_id and workspace_key swapped?",
}


@dataclass(frozen=True)
class Settings:
    """The settings of a run. Times are Unix seconds, durations seconds."""

    organization_id: str
    """Empty if the organization's events are not read."""
    admin_key: str
    workspace_id: str
    """Empty if no workspace's logs are read."""
    workspace_key: str
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
    workspace_api_url: str
    user_agent: str

    def __repr__(self) -> str:
        """Leave the keys out."""
        return (
            f"Settings(organization_id={self.organization_id!r},"
            f" workspace_id={self.workspace_id!r}, ...)"
        )

    def reads(self, api: Api) -> bool:
        """Whether anything of an API is to be read."""
        of = {Api.ORGANIZATION: self.admin_key, Api.WORKSPACE: self.workspace_key}
        return bool(of[api])

    def endpoint(self, api: Api) -> Endpoint:
        """Return where the requests for an API go."""
        common = (
            self.user_agent,
            self.request_timeout_seconds,
            self.max_retry_seconds,
        )
        if api is Api.WORKSPACE:
            return Endpoint(api, self.workspace_api_url, self.workspace_key, *common)
        headers = {"OpenAI-Organization": self.organization_id}
        return Endpoint(api, self.api_url, self.admin_key, *common, headers)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration in which `problems` found nothing."""
        config = completed(config)
        start, end = config.get("start_date"), config.get("end_date")
        return cls(
            organization_id=config.get("organization_id", ""),
            admin_key=config.get("admin_key", ""),
            # It is compared with what the API and a state say.
            workspace_id=config.get("workspace_id", "").lower(),
            workspace_key=config.get("workspace_key", ""),
            start=math.floor(unix(start)) if start else None,
            end=math.ceil(unix(end)) if end else None,
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
            workspace_api_url=config["workspace_api_url"].rstrip("/"),
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
    names = [*_KEYS]
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
    keys = [config.get(name) for name in _KEYS]
    secrets = [key for key in keys if isinstance(key, str)]
    if keys[0] and str(keys[0]) in str(keys[1]):
        yield (
            "workspace_key holds a key of the organization, admin_key, which does not"
            f" open a workspace's logs: make an admin key of the workspace {_PORTAL}"
        )
    for name in OWN:
        value = repr(config.get(name))
        if name in _KEYS or not any(holds_key(value, key) for key in ["", *secrets]):
            continue
        if name in _SWAPPED:
            yield f"{name} holds a key: {_SWAPPED[name]}"
        else:
            yield (
                f"{name} holds a key, which belongs in admin_key or workspace_key"
                " alone: remove it, and make a new one if others may have seen it"
            )


def _unfit(config: Mapping[str, Any], show: _Show) -> Iterator[str]:
    """Put the errors of the schema into words, and say which setting is missing."""
    begun = [pair for pair in PAIRS if any(name in config for name in pair)]
    if not begun:
        yield _NOTHING_SET
    yield from (_NOT_SET[n] for pair in begun for n in pair if n not in config)
    for error in DEFAULT_JSONSCHEMA_VALIDATOR(CONFIGURATION).iter_errors(config):
        path = [str(step) for step in error.path]
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
    if schema.get("format") == "date-time":
        return _DATE_TIME
    if schema.get("format") == "uri":
        return f"a URL such as {schema['default']}"
    (kind,) = (_KINDS[kind] for kind in schema["type"] if kind != "null")
    if "minimum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return kind


def _contradictions(config: Mapping[str, Any], show: _Show) -> Iterator[str]:
    """Check what a schema cannot say, of settings that fit theirs."""
    key = config.get("admin_key", "")
    if _is_organization(key):
        swapped = _SWAPPED["organization_id"]
        yield f"admin_key holds the id of an organization: {swapped}"
    elif re.match(r"sk-(proj|svcacct|None)-", key):
        yield (
            "admin_key is a project key, which cannot read audit logs: an organization"
            f" owner makes an admin key (sk-admin-...) at {KEYS_PAGE}"
        )
    yield from _of_workspace_key(config)
    yield from _of_dates(config, show)
    for name in FILTERS:
        if not all(item.isprintable() for item in config.get(name, ())):
            yield (
                f"{name} must be a list of texts without line breaks or other control"
                f" characters, not {show(config[name])}"
            )
    for name in _KEY_OF_URL:
        if name in config:
            yield from _of_url(name, config[name], show)


def _of_workspace_key(config: Mapping[str, Any]) -> Iterator[str]:
    if re.fullmatch(
        _SCHEMAS["workspace_id"]["pattern"], config.get("workspace_key", "")
    ):
        yield f"workspace_key holds the id of a workspace: {_SWAPPED['workspace_id']}"


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


def _of_url(name: str, value: str, show: _Show) -> Iterator[str]:
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
        yield f"{name} must be a plain URL, without a user, a query or a fragment"
    elif unfit:
        yield f"{name} must be {_expected(_SCHEMAS[name])}, not {show(value)}"
    elif url.scheme == "http" and host not in LOOPBACK:
        key = _KEYS[_KEY_OF_URL[name]]
        yield (
            f"{name} must begin with https:// unless its host is this machine: over"
            f" http the {key} would cross the network to {show(host)} unencrypted"
        )
    elif any(
        host == urlsplit(_SCHEMAS[other]["default"]).hostname
        for other in _KEY_OF_URL
        if other != name
    ):
        yield (
            f"{name} is that of the other API: are api_url and workspace_api_url"
            " swapped?"
        )
