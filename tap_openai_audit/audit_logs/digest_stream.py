"""What was written of each day, as a stream that a warehouse checks its table by.

`audit_logs` counts, and has the digests written that a STATE changes, right before it.
The bookmark of this stream says which STATE they went with. A target that confirms each
stream by itself may keep the one without the other: then the two differ, and the next
run writes the digests of all days that are still counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_openai_audit.audit_logs.event_types import ORGANIZATION, TENANT
from tap_openai_audit.errors import BadState, MapFailed
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.columns import count, flag, moment, schema_of, text
from tap_openai_audit.singer.mapped_stream import MappedStream
from tap_openai_audit.timestamps import iso, unix
from tap_openai_audit.windows import END

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_openai_audit.audit_logs.digests import Digest
    from tap_openai_audit.errors import TapError
    from tap_openai_audit.singer.session import Session

DIGESTS = "audit_log_digests"
"""The name of the stream."""

_UPDATED_AT = "updated_at"
"""The key of its bookmark under which the time of the last digests is kept."""

_MICROSECONDS = 10**6
"""In a second: the digests of each STATE are newer by one at least."""

_ZONE = len("+00:00")


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
            "Whether it is exact; false: events were written again that could not be"
            " told from late ones.",
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
        failed: Callable[[TapError], None],
    ) -> None:
        """Take part in a run of a tap.

        Args:
            tap: What the SDK needs of it.
            session: Returns settings, client and signals, once they are needed.
            failed: Told what was not read in full. The run goes on and ends with it.
        """
        super().__init__(tap, failed=failed)
        self._session = session
        self._schema_is_written = self._map_failed_before = False

    def check_bookmark(self, bookmark: Mapping[str, Any]) -> None:
        """Refuse a bookmark that does not say which STATE the digests went with.

        Raises:
            BadState: If it cannot be read.
        """
        for name, value in bookmark.items():
            if name not in {ORGANIZATION, TENANT, _UPDATED_AT}:
                named = redacted(name, longest=40)
                raise BadState(f"The state cannot be read: {DIGESTS} has {named}")
            try:
                if not isinstance(value, str):
                    raise TypeError(f"{name} is no text")  # noqa: TRY301
                if name == _UPDATED_AT:
                    unix(value)
                    if value[-_ZONE:] != "+00:00":
                        raise ValueError(f"{name} is not in UTC")  # noqa: TRY301
            except (OverflowError, TypeError, ValueError) as error:
                raise BadState(
                    f"The state of {DIGESTS} cannot be read ({redacted(error)})"
                ) from None

    def went_with(self, scope: str, mark: str) -> bool:
        """Tell whether the last digests of a feed went with this STATE."""
        return bool(self.get_context_state(None).get(scope) == mark)

    def note(self, scope: str, mark: str) -> None:
        """Note that the digests of a feed go with this STATE."""
        self.get_context_state(None)[scope] = mark

    def write(self, digests: Sequence[Digest]) -> bool:
        """Write digests, where the stream is selected.

        Returns:
            Whether they are written: a stream map may fail on one.
        """
        if not self.selected or self._map_failed_before:
            return False
        if not digests:
            return True
        stamps = {"run_id": self._session().run_id, "updated_at": self._next_time()}
        self._write_schema_message()
        try:
            for digest in digests:
                self._write_record_message(digest.record(**stamps))
        except MapFailed as error:
            self._map_failed_before = True
            self._failed(error)
            return False
        return True

    def _next_time(self) -> str:
        """Return the time of the digests that follow, later than of all before."""
        bookmark = self.get_context_state(None)
        # One wrong `Date` of the future would be the time of all digests that follow.
        now = self._session().client.api_clock.earliest() * _MICROSECONDS
        if _UPDATED_AT in bookmark:
            whole, _, parts = bookmark[_UPDATED_AT][:-_ZONE].partition(".")
            before = int(unix(whole)) * _MICROSECONDS + int(f"{parts:0<6.6}")
            # The newest of a day is newest, though the API's clock was set back.
            now = max(now, before + 1)
        second, fraction = divmod(min(now, END * _MICROSECONDS - 1), _MICROSECONDS)
        zoned = iso(second)
        updated_at = f"{zoned[:-_ZONE]}.{fraction:06}{zoned[-_ZONE:]}"
        bookmark[_UPDATED_AT] = updated_at
        return updated_at

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """None: they were written before the states that they belong to."""
        return ()

    # `audit_logs` writes records of this stream before the SDK syncs it.
    @override
    def _write_schema_message(self) -> None:
        if not self._schema_is_written:
            self._schema_is_written = True
            super()._write_schema_message()
