"""What was written of each day, as a stream that a warehouse checks its table by.

What is counted is part of the state of `audit_logs`, so that position and counts are
confirmed together or not at all. Here it is compared with what was written before, and
the days that differ are written. What was written is kept as the bookmark of this
stream, so that a target that confirms each stream by itself confirms it with its rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_openai_audit.audit_logs.digests import (
    checksums_of,
    decode,
    digests_of,
    encode,
)
from tap_openai_audit.audit_logs.event_types import ORGANIZATION, TENANT
from tap_openai_audit.audit_logs.state import ScopeState
from tap_openai_audit.errors import BadState
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.columns import count, flag, moment, schema_of, text
from tap_openai_audit.singer.mapped_stream import MappedStream
from tap_openai_audit.timestamps import iso, unix
from tap_openai_audit.windows import END

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_openai_audit.errors import TapError
    from tap_openai_audit.singer.session import Session

DIGESTS = "audit_log_digests"
"""The name of the stream."""

_UPDATED_AT = "updated_at"
"""The key of its bookmark under which the time of the last digests is kept."""


class AuditLogDigests(MappedStream):
    """How many events of each day were written, and a checksum of their ids.

    After the last run has ended and its state is confirmed, the newest digest of a day
    is what the table holds of it.
    """

    name = DIGESTS
    primary_keys: ClassVar[Sequence[str]] = (
        "organization_id",
        "scope",
        "chain_id",
        "day",
    )
    schema: ClassVar[dict[str, Any]] = schema_of(
        text("organization_id", "The organization.", required=True),
        text("scope", "Whose events: `organization` or `tenant`.", required=True),
        text(
            "chain_id",
            "The chain: all runs that began from each other's state.",
            required=True,
        ),
        text("day", "The UTC day of the events, such as `2026-01-31`.", required=True),
        count("events", "How many events the chain has written, each id once."),
        count(
            "ids_checksum",
            "The sum of the first 8 hexadecimal digits of the MD5 of their ids.",
        ),
        moment(
            "oldest_event_at",
            "The oldest of them, or of those that were left out among them.",
        ),
        moment("newest_event_at", "The newest of them, or of those left out."),
        moment(
            "counted_from",
            "From when on the chain answers for the day: later than midnight where it"
            " began within it. Older events are not counted.",
        ),
        moment("counted_to", "Up to when: the next midnight once the day is over."),
        flag(
            "exact",
            "Whether it is exact; false: many late events came at once, and events that"
            " could not be told from them were written again.",
        ),
        text("reason", "Why it does not prove the whole day; null: it does."),
        text("run_id", "The run that wrote it."),
        moment("updated_at", "When, by the API's clock."),
    )

    def __init__(
        self,
        tap: Tap,
        *,
        session: Callable[[], Session],
        ids_changed: Callable[[], bool],
        failed: Callable[[TapError], None],
    ) -> None:
        """Take part in a run of a tap.

        Args:
            tap: What the SDK needs of it.
            session: Returns settings, client and signals, once they are needed.
            ids_changed: Tells whether a stream map has changed what is counted.
            failed: Told what was not read in full. The run goes on and ends with it.
        """
        super().__init__(tap, failed=failed)
        self._session = session
        self._ids_changed = ids_changed
        self._told_before: dict[str, dict[int, bytes]] | None = None
        """What the state told that the run began from, by scope."""

    def check_bookmark(self, bookmark: Mapping[str, Any]) -> None:
        """Refuse a bookmark that does not hold what was written of which days.

        Raises:
            BadState: If it cannot be read.
        """
        read_bookmark(bookmark)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Emit the days that differ from what was written, and note that they were."""
        if self._ids_changed():
            self.logger.info(
                "No digests are written: stream_maps change id, effective_at, scope or"
                " organization_id of audit_logs, by which a warehouse would check them"
            )
            return
        bookmark = self.get_context_state(None)
        if self._told_before is None:
            self._told_before = read_bookmark(bookmark)
        told = read_bookmark(bookmark)
        session = self._session()
        # One wrong `Date` of the future would be the time of all digests that follow.
        now, told_at = session.client.api_clock.earliest(), None
        if _UPDATED_AT in bookmark:
            # The newest of a day is newest, though the API's clock was set back.
            now = max(now, min(int(unix(bookmark[_UPDATED_AT])) + 1, END - 1))
        updated_at = iso(now)
        stamps = {"run_id": session.run_id, "updated_at": updated_at}
        partitions = {
            partition["context"]["scope"]: partition
            for partition in self._audit_logs.get("partitions", [])
        }
        for scope, partition in partitions.items():
            state = ScopeState.read(partition)
            if state.organization_id != session.settings.organization_id:
                continue
            digests, written = digests_of(state, scope), told.get(scope, {})
            for digest in digests:
                if written.get(digest.day) != digest.checksum:
                    yield digest.record(**stamps)
                    told_at = updated_at
            current, before = checksums_of(digests), self._told_before.get(scope, {})
            # A day leaves once what was written of it has come back as confirmed.
            done = {
                day
                for day in state.position.closed_days
                if day in current and before.get(day) == current[day]
            }
            replace(state, position=state.position.without_days(done)).write(partition)
            left = {day: own for day, own in current.items() if day not in done}
            bookmark[scope] = encode(left)
        if told_at is not None:
            bookmark[_UPDATED_AT] = told_at

    @property
    def _audit_logs(self) -> Mapping[str, Any]:
        bookmarks: Mapping[str, Any] = self.tap_state.get("bookmarks", {})
        found: Mapping[str, Any] = bookmarks.get("audit_logs", {})
        return found


def read_bookmark(bookmark: Mapping[str, Any]) -> dict[str, dict[int, bytes]]:
    """Read what was written of which days, by scope.

    Raises:
        BadState: If it cannot be read.
    """
    told = {}
    for scope, checksums in bookmark.items():
        if scope not in {ORGANIZATION, TENANT, _UPDATED_AT}:
            named = redacted(scope, longest=40)
            raise BadState(f"The state cannot be read: {DIGESTS} has {named}")
        try:
            if scope == _UPDATED_AT:
                iso(int(unix(checksums)))
            else:
                told[scope] = decode(checksums)
        except (AttributeError, OverflowError, TypeError, ValueError) as error:
            raise BadState(
                f"The state of {DIGESTS} cannot be read ({redacted(error)})"
            ) from None
    return told
