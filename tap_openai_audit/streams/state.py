"""How a bookmark is kept in the Singer state, one partition a scope.

{"context": {"scope": "organization"},
 "replication_key": "effective_at",
 "replication_key_value": "2026-11-23T08:15:00+00:00",
 "lookback": {"since": "2026-11-23T07:15:00+00:00", "ids": "..."}}
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from tap_openai_audit.extraction.lookback import Lookback
from tap_openai_audit.extraction.passes import Bookmark
from tap_openai_audit.streams.record import iso

BUDGET = 240 * 1024
"""The most bytes of ids that all partitions together may have in the state."""


class BadState(Exception):  # noqa: N818 - it is named for what it is
    """A state that this tap did not write."""


def load(partition: dict[str, Any]) -> Bookmark:
    """Read a partition of the state.

    Raises:
        BadState: If it cannot be read. It is never guessed at: a wrong bookmark would
            lose events silently.
    """
    lookback = partition.get("lookback") or {}
    try:
        value = partition.get("replication_key_value")
        since = lookback.get("since")
        return Bookmark(
            None if value is None else _second(value),
            None if since is None else _second(since),
            Lookback.decode(lookback.get("ids", "")),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise BadState(
            f"The state of audit_logs cannot be read ({error}): restore the state of an"
            " earlier run, or begin anew with a full refresh, which repeats all events"
        ) from None


def save(bookmark: Bookmark, partition: dict[str, Any]) -> None:
    """Write a bookmark into a partition of the state."""
    if bookmark.at is None:
        return
    partition["replication_key"] = "effective_at"
    partition["replication_key_value"] = iso(bookmark.at)
    partition["lookback"] = {
        "since": None if bookmark.since is None else iso(bookmark.since),
        "ids": bookmark.ids.encode(),
    }


def size(partition: dict[str, Any]) -> int:
    """How many bytes of the budget a partition takes."""
    return len((partition.get("lookback") or {}).get("ids", ""))


def _second(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return int(moment.timestamp())
