"""Events whose time cannot be right: without one, or with one in another unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tap_openai_audit.http.bodies import BadBody
from tap_openai_audit.http.envelopes import envelope_or_events
from tap_openai_audit.redaction import redacted
from tap_openai_audit.timestamps import unix

if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS_END = 10**11
"""From here on a number is no time in seconds: that is the year 5138. In milliseconds
it is 1973, before any event."""

_UNITS = ((10**14, "milliseconds"), (10**17, "microseconds"), (10**20, "nanoseconds"))
"""Up to which number a time is in which unit."""

_LONGEST_ID = 100
"""Characters of an id that are repeated. The API's own have fewer than 50."""


class _Head(msgspec.Struct):
    id: Any = None
    effective_at: Any = None


_decode = msgspec.json.Decoder(_Head).decode


class WrongTimes:
    """The events of a check whose time cannot be right."""

    def __init__(self, key: str) -> None:
        """Begin without any.

        Args:
            key: The key that is sent, which no message may hold a part of.
        """
        self._key = key
        self._ids: dict[str, dict[str, None]] = {}
        """By what is wrong: the ids, in the order in which they came."""

    def observe(self, body: bytes) -> None:
        """Look at the events of a response. One that cannot be read is left out."""
        try:
            events: Iterable[msgspec.Raw] = envelope_or_events(body).data
        except BadBody:
            return
        for raw in events:
            try:
                head = _decode(raw)
            except (msgspec.DecodeError, RecursionError):
                continue
            wrong = what_is_wrong(head.effective_at)
            if wrong is not None:
                id_ = redacted(head.id, self._key, longest=_LONGEST_ID)
                self._ids.setdefault(wrong, {})[id_] = None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._ids)

    @property
    def text(self) -> str:
        """What is wrong, and with which events."""
        return " and ".join(
            f"effective_at {wrong} ({_named([*ids])})"
            for wrong, ids in self._ids.items()
        )

    @property
    def count(self) -> int:
        """How many events there are."""
        return len({id_ for ids in self._ids.values() for id_ in ids})


def what_is_wrong(at: Any) -> str | None:  # noqa: ANN401 - JSON may be anything
    """Return what is wrong with the `effective_at` of an event, None for nothing."""
    if at is None:
        return "is missing"
    if isinstance(at, str):
        try:
            at = float(at) if re.fullmatch(r"-?[0-9]+(\.[0-9]*)?", at) else unix(at)
        except (ValueError, OverflowError):
            return "is no time"
    if isinstance(at, bool) or not isinstance(at, int | float):
        return "is no time"
    if at < SECONDS_END:
        return None
    unit = next((name for end, name in _UNITS if at < end), None)
    return "is no time" if unit is None else f"is in {unit}"


def _named(ids: list[str]) -> str:
    more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
    return f"event {ids[0]}{more}"
