"""The state that a run is given, checked as a whole before anything is read.

What is not understood is refused. What is ignored would be read again from the
beginning, without a word: so each level may hold the keys that are known, and no other.
Each kind of stream says itself what its bookmark may hold, see `KeepsBookmark`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tap_openai_audit.audit_logs.event_types import ORGANIZATION, TENANT
from tap_openai_audit.audit_logs.state import ScopeState
from tap_openai_audit.errors import BadState
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_STREAM = "audit_logs"
_STATE = frozenset({"bookmarks", "currently_syncing"})
_WRAPPINGS = {
    "value": frozenset({"type", "value", "time_extracted"}),
    "singer_state": frozenset({"singer_state"}),
}
"""Where a whole STATE message, and what `meltano state get` prints, hold the state, and
what stands beside it."""


@runtime_checkable
class KeepsBookmark(Protocol):
    """A stream that keeps something between runs."""

    def check_bookmark(self, bookmark: Mapping[str, Any]) -> None:
        """Refuse a bookmark that this stream does not understand.

        Raises:
            BadState: If something in it is not understood.
        """


def unwrapped(given: object, streams: Mapping[str, object]) -> dict[str, Any]:
    """Return the Singer state in what was given, if all of it is understood.

    Args:
        given: The content of a state file.
        streams: This tap's streams by their names. One that is no `KeepsBookmark` may
            have an empty bookmark only.

    Raises:
        BadState: If it is not.
    """
    bookmarks = {
        name: _without_empty_partitions(_object(bookmark, redacted(name, longest=40)))
        for name, bookmark in _bookmarks(given).items()
    }
    for name, bookmark in bookmarks.items():
        if name not in streams:
            named = redacted(name, longest=40)
            raise _refused(f"it is of a stream {named} that this tap lacks")
        stream = streams[name]
        if isinstance(stream, KeepsBookmark):
            stream.check_bookmark(bookmark)
        elif bookmark:
            raise _refused(f"it has a bookmark of {name}, which needs none")
    return {"bookmarks": bookmarks} if bookmarks else {}


def partitions_of(bookmark: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the partitions in a bookmark of `audit_logs` by their scope.

    Raises:
        BadState: If something in them is not understood.
    """
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


def _without_empty_partitions(bookmark: dict[str, Any]) -> dict[str, Any]:
    """Leave out an empty list, which the SDK writes for streams of any kind."""
    return {k: v for k, v in bookmark.items() if (k, v) != ("partitions", [])}


def _bookmarks(given: object) -> dict[str, Any]:
    state = _object(given, "it")
    for wrapping, keys in _WRAPPINGS.items():
        if wrapping in state:
            _allow(keys, state, "it")
            state = _object(state[wrapping], wrapping)
    _allow(_STATE, state, "it")
    return _object(state.get("bookmarks", {}), "bookmarks")


def _allow(keys: Collection[str], value: Mapping[str, Any], what: str) -> None:
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
