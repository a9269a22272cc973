"""The state that a run is given, checked as a whole before anything is read.

What is not understood is refused. What is ignored would be read again from the
beginning, without a word: so each level may hold the keys that are known, and no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_openai_audit.errors import BadState
from tap_openai_audit.event_types import ORGANIZATION, TENANT
from tap_openai_audit.redaction import redacted
from tap_openai_audit.streams.audit_log_digests import DIGESTS, read_bookmark
from tap_openai_audit.streams.state import ScopeState

if TYPE_CHECKING:
    from collections.abc import Collection

_STREAM = "audit_logs"
_STATE = frozenset({"bookmarks", "currently_syncing"})
_WRAPPINGS = {
    "value": frozenset({"type", "value", "time_extracted"}),
    "singer_state": frozenset({"singer_state"}),
}
"""Where a whole STATE message, and what `meltano state get` prints, hold the state, and
what stands beside it."""


def unwrapped(given: object, streams: Collection[str]) -> dict[str, Any]:
    """Return the Singer state in what was given, if all of it is understood.

    Args:
        given: The content of a state file.
        streams: The names of this tap's streams.

    Raises:
        BadState: If it is not.
    """
    bookmarks = _bookmarks(given)
    for name, bookmark in bookmarks.items():
        if name not in streams:
            named = redacted(name, longest=40)
            raise _refused(f"it is of a stream {named} that this tap lacks")
        if name == DIGESTS:
            read_bookmark(_object(bookmark, name))
        elif name != _STREAM and bookmark not in ({}, {"partitions": []}):
            raise _refused(f"it has a bookmark of {name}, which needs none")
    partitions_of(given)
    return {"bookmarks": bookmarks} if bookmarks else {}


def partitions_of(given: object) -> dict[str, dict[str, Any]]:
    """Return the partitions of `audit_logs` by their scope.

    Raises:
        BadState: If something in them is not understood.
    """
    bookmark = _object(_bookmarks(given).get(_STREAM, {}), _STREAM)
    _allow({"partitions"}, bookmark, _STREAM)
    partitions = bookmark.get("partitions", [])
    if not isinstance(partitions, list):
        raise _refused(f"partitions is {_article(partitions)}, not a list")
    found: dict[str, dict[str, Any]] = {}
    for partition in partitions:
        context = _object(partition, "a partition").get("context")
        if context not in ({"scope": ORGANIZATION}, {"scope": TENANT}):
            raise _refused(f"it has a partition of {redacted(context, longest=60)}")
        scope = context["scope"]
        if scope in found:
            raise _refused(f"it has two partitions of {scope}")
        ScopeState.read(partition)
        found[scope] = partition
    return found


def _bookmarks(given: object) -> dict[str, Any]:
    state = _object(given, "it")
    for wrapping, keys in _WRAPPINGS.items():
        if wrapping in state:
            _allow(keys, state, "it")
            state = _object(state[wrapping], wrapping)
    _allow(_STATE, state, "it")
    return _object(state.get("bookmarks", {}), "bookmarks")


def _allow(keys: Collection[str], value: dict[str, Any], what: str) -> None:
    for key in value.keys() - set(keys):
        named = redacted(key, longest=40)
        raise _refused(f"{what} has {named}, which is not known")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refused(f"{what} is {_article(value)}, not an object")
    return value


def _article(value: object) -> str:
    return "null" if value is None else f"a {type(value).__name__}"


def _refused(what: str) -> BadState:
    return BadState(f"The state cannot be read: {what}")
