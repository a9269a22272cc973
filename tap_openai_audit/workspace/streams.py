"""The streams of a workspace's events: each reads files of one type, and stands alone.

What the log of an organization lacks comes as files, through another API with another
key. The way of a feed:

    Tap.sync_all -> Stream.sync             the SDK
      _sync_records -> _sync_feed           with the bookmark of the stream
        FeedRun.extract                     what the state and the settings ask for
          Feed                              files in, batches out
            _write                          RECORD messages
            WorkspaceLogFiles.enter         the row of each file
            FeedState.write -> STATE        now and then, and at the end
        Ledger.enter                        the record for `sync_reports`
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_openai_audit.errors import (
    FilesFlawed,
    MapFailed,
    StreamFailed,
    TapError,
    TargetStopped,
    Terminated,
)
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.checkpoint import CHECKPOINT_EVENTS
from tap_openai_audit.singer.event_stream import EventStream
from tap_openai_audit.workspace.api import AUDIT_LOG, AUTH_LOG
from tap_openai_audit.workspace.feed import new_events
from tap_openai_audit.workspace.record import Recorder
from tap_openai_audit.workspace.run import FeedRun, asked_of, source_of
from tap_openai_audit.workspace.schemas import AUDIT_SCHEMA, AUTH_SCHEMA
from tap_openai_audit.workspace.state import (
    FEEDS,
    REPLICATION_KEY,
    FeedState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.metrics import Counter

    from tap_openai_audit.singer.sync_reports import Ledger
    from tap_openai_audit.singer.writer import LineWriter
    from tap_openai_audit.workspace.file_stream import WorkspaceLogFiles
    from tap_openai_audit.workspace.log_files import LogEvent, LogFile
    from tap_openai_audit.workspace.reports import FileReport
    from tap_openai_audit.workspace.session import WorkspaceSession

_NAMED = 3
"""Files that a message names. The ledger has them all."""


class WorkspaceEvents(EventStream):
    """Events of one type of a ChatGPT workspace."""

    event_type: ClassVar[str]
    """The API's name for the type."""
    primary_keys: ClassVar[Sequence[str]] = ("event_id",)
    replication_key = REPLICATION_KEY

    def __init__(  # noqa: PLR0913 - all that a run hands to it
        self,
        tap: Tap,
        *,
        session: Callable[[], WorkspaceSession],
        writer: LineWriter,
        ledger: Ledger,
        files: WorkspaceLogFiles,
        failed: Callable[[TapError], None],
    ) -> None:
        """Take part in a run of a tap.

        Args:
            tap: What the SDK needs of it.
            session: Returns settings, clients and signals, once they are needed.
            writer: Writes messages.
            ledger: Where the run is entered.
            files: Where each file is entered.
            failed: Told what was not read in full. The run goes on and ends with it.
        """
        super().__init__(tap, writer=writer)
        self._session = session
        self._ledger = ledger
        self._files = files
        self._failed = failed
        self._feed = FEEDS[self.name]

    def check_bookmark(self, bookmark: Mapping[str, Any]) -> None:
        """Refuse a bookmark that does not hold the state of a feed.

        Raises:
            BadState: If it cannot be read.
        """
        FeedState.read(bookmark, self.name)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The records, for use as a library. It keeps no state.

        Raises:
            TapError: If they cannot be read in full.
        """
        recorder = self._recorder()
        session = self._session()
        for file, event in new_events(
            source_of(self.event_type, session), asked_of(session.settings)
        ):
            yield recorder.record(file, event)

    # As in `AuditLogs`: `test_sdk_contract.py` watches this seam.
    @override
    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Sync the feed."""
        with self.get_record_counter() as counter, self.get_sync_timer():
            self._sync_feed(counter)
        yield from ()  # a generator, as the SDK expects

    def _sync_feed(self, counter: Counter) -> None:
        """Sync the feed. Whatever becomes of it is entered in the ledger."""
        session, recorder = self._session(), self._recorder()
        # The dictionary within the state of the tap: `save` changes it in place.
        bookmark = self.get_context_state(None)

        def write(file: LogFile, events: Sequence[LogEvent]) -> Sequence[LogEvent]:
            session.signals.check()
            written = self._write(recorder, file, events)
            counter.increment(len(written))
            if self.ABORT_AT_RECORD_COUNT is not None and written:
                raise _EnoughError
            return written

        def save(after: FeedState) -> None:
            after.write(bookmark)
            self._files.note(self._feed, after.position.files)
            self._state_writer.write_state(self.tap_state)

        run = FeedRun(
            f"workspace_{self._feed}",
            self.event_type,
            FeedState.read(bookmark, self.name),
            session,
            self.logger,
            write=write,
            enter=lambda found: self._files.enter(self.event_type, found),
            save=save,
        )
        lost = self._files.lost(self._feed, run.before.position.files)
        size = min(CHECKPOINT_EVENTS, self.ABORT_AT_RECORD_COUNT or sys.maxsize)
        try:
            run.extract(lost, size)
        except _EnoughError:
            run.report.reason = "a test reads no more"
        except TargetStopped as error:
            run.report.reason = str(error)
            raise
        except TapError as error:
            run.report.reason = str(error)
            self._failed(StreamFailed(self.name, error))
        except Terminated as signal:
            run.report.reason = f"ended by {signal.signal.name}"
            raise
        finally:
            if run.flawed:
                flawed = _flawed(run.flawed)
                run.report.reason = run.report.reason or flawed.what
                self._failed(StreamFailed(self.name, flawed))
            run.report.finished_at = int(time.time())
            row = run.report.row(run.before, run.after, run.look_from)
            self._ledger.enter(session, row)
            self.logger.info("%s", run.report.summary())

    def _recorder(self) -> Recorder:
        return Recorder(self.event_type, self._session().settings.workspace_id)

    def _write(
        self, recorder: Recorder, file: LogFile, events: Sequence[LogEvent]
    ) -> Sequence[LogEvent]:
        """Write the records of a batch, after all of them are made.

        Returns:
            The events of which there is a record.

        Raises:
            MapFailed: If a stream map fails on one. None of the batch is written then.
        """
        if self._plain:
            self._write_plain(recorder.json(file, event) for event in events)
            return events
        made = [(event, self._messages(recorder, file, event)) for event in events]
        self._writer.write_lines(line for _, lines in made for line in lines)
        return [event for event, lines in made if lines]

    def _messages(
        self, recorder: Recorder, file: LogFile, event: LogEvent
    ) -> list[bytes]:
        """Make the messages of an event with the SDK's features."""
        record = recorder.record(file, event)
        try:
            return [line for line, _ in self._mapped(record)]
        except Exception as error:  # noqa: BLE001 - a map may raise anything
            raise MapFailed.on(self.name, event.id, file.end_time, error) from None


class WorkspaceAuditLogs(WorkspaceEvents):
    """What was done in a ChatGPT workspace: settings, domains, apps, tokens."""

    name = "workspace_audit_logs"
    event_type = AUDIT_LOG
    schema: ClassVar[dict[str, Any]] = AUDIT_SCHEMA


class WorkspaceAuthLogs(WorkspaceEvents):
    """Who signed in to a ChatGPT workspace, failed to, or signed out."""

    name = "workspace_auth_logs"
    event_type = AUTH_LOG
    schema: ClassVar[dict[str, Any]] = AUTH_SCHEMA


def _flawed(flawed: Sequence[FileReport]) -> FilesFlawed:
    told = [
        f"{redacted(found.file.id, longest=60)}: {found.reason}"
        for found in flawed[:_NAMED]
    ]
    told += ["..."] if len(flawed) > _NAMED else []
    number = "One file" if len(flawed) == 1 else f"{len(flawed)} files"
    return FilesFlawed(f"{number} could not be read in full ({'; '.join(told)})")


class _EnoughError(Exception):
    """A test run has written as much as it wants."""
