"""The ledger of a workspace's files, as a stream: the file is the unit of proof.

Its rows are written while the streams of events are synced, each when its file is done.
Its bookmark says of which files there are rows: where a target confirms each stream by
itself, and rows are lost, they are written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_openai_audit.errors import MapFailed
from tap_openai_audit.singer.mapped_stream import MappedStream
from tap_openai_audit.timestamps import utc
from tap_openai_audit.workspace.schemas import FILES_SCHEMA
from tap_openai_audit.workspace.state import LOG_FILES, EnteredDays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record

    from tap_openai_audit.errors import TapError
    from tap_openai_audit.workspace.hashes import KnownFiles
    from tap_openai_audit.workspace.reports import FileReport
    from tap_openai_audit.workspace.session import WorkspaceSession


class WorkspaceLogFiles(MappedStream):
    """What each log file of a workspace holds, and what was emitted of it."""

    name = LOG_FILES
    primary_keys: ClassVar[Sequence[str]] = ("workspace_id", "file_id")
    schema: ClassVar[dict[str, Any]] = FILES_SCHEMA

    def __init__(
        self,
        tap: Tap,
        *,
        session: Callable[[], WorkspaceSession],
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
        self._is_announced = False
        self._is_broken = False

    def check_bookmark(self, bookmark: Mapping[str, Any]) -> None:
        """Refuse a bookmark that does not hold of which files there are rows.

        Raises:
            BadState: If it cannot be read.
        """
        EnteredDays.read(bookmark)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """None: they are written with the events."""
        return ()

    def lost(self, feed: str, files: KnownFiles) -> set[int]:
        """Return the days whose rows are lost, by the second at which each begins.

        Args:
            feed: `audit` or `auth`.
            files: Those that are done.
        """
        if not self.selected:
            return set()
        entered = EnteredDays.read(self.get_context_state(None))
        if entered.workspace_id != self._session().settings.workspace_id:
            entered = EnteredDays()
        return entered.lost(feed, files)

    def enter(self, event_type: str, found: FileReport) -> None:
        """Write the row of a file that is done. A stream map may end this here."""
        if not self.selected or self._is_broken:
            return
        if not self._is_announced:
            self._is_announced = True
            self._write_schema_message()
        session, file = self._session(), found.file
        record = {
            "workspace_id": session.settings.workspace_id,
            "file_id": file.id,
            "event_type": event_type,
            "file_end_time": utc(file.end_time),
            "file_size": file.size,
            "file_sha256": file.sha256,
            "checksum_matches": found.checksum_matches,
            "lines": found.lines,
            "events": found.events,
            "events_emitted": found.emitted,
            "events_filtered": found.filtered,
            "events_known": found.known,
            "ids_checksum": found.ids_checksum,
            "first_event_at": found.first,
            "last_event_at": found.last,
            "reason": found.reason,
            "run_id": session.run_id,
        }
        try:
            self._write_record_message(record)
        except MapFailed as error:
            self._is_broken = True
            self._failed(error)

    def note(self, feed: str, files: KnownFiles) -> None:
        """Note in the state that the files of a feed that are done have rows."""
        if self.selected and not self._is_broken:
            bookmark = self.get_context_state(None)
            EnteredDays.read(bookmark).write(
                bookmark, self._session().settings.workspace_id, feed, files
            )
