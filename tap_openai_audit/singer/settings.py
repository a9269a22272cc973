"""Settings, checked all at once and in words.

A tap's schema says which values are possible. Here its errors become messages for
people, and what a schema cannot say is checked: that an end lies after its start, that
a key is where it belongs, that it does not cross a network unencrypted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_openai_audit.http.endpoint import LOOPBACK
from tap_openai_audit.redaction import holds_key, redacted
from tap_openai_audit.timestamps import iso, unix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    Show: TypeAlias = Callable[[object], str]
    """Writes a value into a message: masked, in one line, and not too long."""

_LONGEST = 100
"""Characters of a value that are repeated: enough to find it where it was set."""

_USER_AGENT = (
    "user_agent must be a text of ASCII characters in one line, without a blank in"
    " front or behind, not {value}"
)
_DATE_TIME = "a date-time such as 2026-01-31T00:00:00Z"
_KINDS = {
    "integer": "a whole number",
    "boolean": "true or false",
    "string": "a text",
    "array": 'a list of texts, in a variable as JSON such as ["one", "two"]',
    "object": "an object as in https://sdk.meltano.com/en/latest/stream_maps.html",
}


def similar_setting(name: str, schema: Mapping[str, Any]) -> str | None:
    """Find the setting that an unknown name is almost the same as.

    Args:
        name: The unknown name.
        schema: The schema of all settings.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - rarely needed

    return next(iter(get_close_matches(name, schema["properties"], 1, 0.8)), None)


def start_and_end(config: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return `start_date` and `end_date` in Unix seconds; None if one is not set."""
    start, end = config.get("start_date"), config.get("end_date")
    return (
        math.floor(unix(start)) if start else None,
        math.ceil(unix(end)) if end else None,
    )


def _none(_config: Mapping[str, Any], _show: Show) -> Iterator[str]:
    """Find nothing."""
    return iter(())


@dataclass(frozen=True)
class SettingsCheck:
    """The check of a tap's settings, made of what only that tap can say of them."""

    schema: Mapping[str, Any]
    """The JSON schema of all settings."""
    own: tuple[str, ...]
    """The names of those that are not the SDK's."""
    id_name: str
    """The setting that says what is read."""
    key_name: str
    """The setting with the key for it."""
    key_words: str
    """What people call that key."""
    not_set: Mapping[str, str]
    """What to do where one of these two is not set."""
    unfit: Mapping[str, str]
    """What to do where one of them does not fit its schema; `{value}` is its value."""
    is_id: Callable[[str], bool]
    """Tells whether a text is an id of the kind that `id_name` takes."""
    key_holds_id: str
    """What the key holds if it holds such an id."""
    contradictions: Callable[[Mapping[str, Any], Show], Iterator[str]]
    """Finds what is wrong with settings that fit their schemas."""
    other_api: tuple[str, str]
    """The host of another tap's API, and a sentence that says which tap that is."""
    doubts: Callable[[Mapping[str, Any], Show], Iterator[str]] = _none
    """Finds what may be meant, and probably is not, in settings without a problem."""

    @cached_property
    def _schemas(self) -> Mapping[str, Mapping[str, Any]]:
        schemas: Mapping[str, Mapping[str, Any]] = self.schema["properties"]
        return schemas

    def completed(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Keep what is set, and add defaults.

        Null and an empty text say that a setting is not set. A name that is none of a
        setting is left out: the SDK takes some that a tap does not offer.
        """
        schemas = self._schemas
        given = {n: config[n] for n in schemas if config.get(n) not in (None, "")}
        defaults = {n: s["default"] for n, s in schemas.items() if "default" in s}
        return {**defaults, **given}

    def problems(self, config: Mapping[str, Any]) -> list[str]:
        """Say everything that is wrong with a configuration, a line for each setting.

        No line holds a part of a key, wherever in the configuration it is.
        """
        config = self.completed(config)
        show = self._show(config)
        found: dict[str, str] = {}
        for look in (
            self._endless,
            self._misplaced_keys,
            self._unfit,
            self._contradictions,
        ):
            sound = {name: value for name, value in config.items() if name not in found}
            for line in look(sound, show):
                found.setdefault(line.split()[0], line)
        return [found[name] for name in self._schemas if name in found]

    def warnings(self, config: Mapping[str, Any]) -> list[str]:
        """Say what has no effect, or probably not the one that is meant, a line each.

        No line holds a part of a key.
        """
        lines = self.without_effect(config)
        if not self.problems(config):
            lines += self.doubts(self.completed(config), self._show(config))
        return lines

    def _show(self, config: Mapping[str, Any]) -> Show:
        secrets = self._secrets(config)
        return lambda value: redacted(repr(value), *secrets, longest=_LONGEST)

    def without_effect(self, config: Mapping[str, Any]) -> list[str]:
        """Say which names are no settings of this tap, a line each."""
        lines = []
        for name in config:
            if name not in self._schemas:
                similar = similar_setting(str(name)[:_LONGEST], self.schema)
                shown = redacted(name, *self._secrets(config), longest=_LONGEST)
                hint = f": did you mean {similar}?" if similar else ""
                lines.append(
                    f"{shown} is no setting of this tap and has no effect{hint}"
                )
        return lines

    def unmappable(self, config: Mapping[str, Any], error: Exception) -> str:
        """Say which stream map is none, in a line without a part of a key."""
        why = redacted(error, *self._secrets(config))
        return f"stream_maps must be {_KINDS['object']}: {why}"

    @property
    def _swapped(self) -> str:
        return f"are {self.id_name} and {self.key_name} swapped?"

    def _holds_id(self, key: object) -> bool:
        return isinstance(key, str) and self.is_id(key)

    def _secrets(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        names = [self.key_name]
        if self._holds_id(config.get(self.key_name)):
            names.append(self.id_name)
        values = (config.get(name) for name in names)
        return tuple(value for value in values if isinstance(value, str))

    def _endless(self, config: Mapping[str, Any], _show: Show) -> Iterator[str]:
        """Find what Python does not write: any depth, numbers of too many digits."""
        for name in config:
            try:
                repr(config[name])
            except (RecursionError, ValueError):  # noqa: PERF203 - a few settings
                yield f"{name} is nested too deeply or too long a number: correct it"

    def _misplaced_keys(self, config: Mapping[str, Any], _show: Show) -> Iterator[str]:
        """Find a key where it would be sent, stored or shown."""
        key = config.get(self.key_name)
        secrets = [key] if isinstance(key, str) else []
        for name in self.own:
            value = repr(config.get(name))
            if name == self.key_name or not any(
                holds_key(value, secret) for secret in ["", *secrets]
            ):
                continue
            if name == self.id_name:
                yield f"{name} holds a key: {self._swapped}"
            else:
                yield (
                    f"{name} holds a key, which belongs in {self.key_name} alone:"
                    " remove it, and create a new one if others may have seen it"
                )

    def _unfit(self, config: Mapping[str, Any], show: Show) -> Iterator[str]:
        """Put the errors of the schema into words, and say which setting is missing."""
        yield from (self.not_set[n] for n in self.not_set if n not in config)
        unfit = {**self.unfit, "user_agent": _USER_AGENT}
        for error in DEFAULT_JSONSCHEMA_VALIDATOR(self.schema).iter_errors(config):
            path = [str(step) for step in error.path]
            name, value = path[0], show(config[path[0]])
            schema = self._schemas[name]
            if name in unfit:
                yield unfit[name].format(value=value)
            elif error.validator in {"minimum", "maximum"}:
                low, high = schema["minimum"], schema["maximum"]
                yield f"{name} must lie between {low} and {high}, not {value}"
            elif "object" in schema["type"]:
                where = show(".".join(path))
                yield f"{name} must be {_expected(schema)}: correct {where}"
            else:
                yield f"{name} must be {_expected(schema)}, not {value}"

    def _contradictions(self, config: Mapping[str, Any], show: Show) -> Iterator[str]:
        """Check what a schema cannot say, of settings that fit theirs."""
        if self._holds_id(config.get(self.key_name)):
            yield f"{self.key_name} holds {self.key_holds_id}: {self._swapped}"
        yield from self.contradictions(config, show)
        yield from self._of_dates(config, show)
        if "api_url" in config:
            yield from self._of_url(config["api_url"], show)

    def _of_dates(self, config: Mapping[str, Any], show: Show) -> Iterator[str]:
        times = {}
        for name in ("start_date", "end_date"):
            if name not in config:
                continue
            try:
                times[name] = unix(config[name])
                iso(math.ceil(times[name]))
            except (ValueError, OverflowError):
                expected = _expected(self._schemas[name])
                yield f"{name} must be {expected}, not {show(config[name])}"
        if len(times) == 2 and times["start_date"] >= times["end_date"]:  # noqa: PLR2004
            yield (
                "end_date must lie after start_date, or nothing is left to read: move"
                " one of them, or leave end_date out"
            )

    def _of_url(self, value: str, show: Show) -> Iterator[str]:
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
        secret = url.username or url.password or url.query or url.fragment
        other_host, which = self.other_api
        if secret or (unfit and private):
            yield "api_url must be a plain URL, without a user, a query or a fragment"
        elif unfit:
            expected = _expected(self._schemas["api_url"])
            yield f"api_url must be {expected}, not {show(value)}"
        elif url.scheme == "http" and host not in LOOPBACK:
            yield (
                "api_url must begin with https:// unless its host is this machine: over"
                f" http the {self.key_words} would cross the network to {show(host)}"
                " unencrypted"
            )
        elif host == other_host:
            yield f"api_url is that of another API: {which}"


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
