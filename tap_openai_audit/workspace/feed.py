"""One run of a feed: files in, batches out, a checkpoint now and then.

Files are emitted in the order of their end, one that was begun by an earlier run first.
A checkpoint is made between batches, also within a file, when the position says exactly
what was emitted: whoever starts from it loses nothing and repeats nothing.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from tap_openai_audit.singer.checkpoint import CHECKPOINT_EVENTS, CHECKPOINT_SECONDS
from tap_openai_audit.timestamps import iso, unix
from tap_openai_audit.windows import END
from tap_openai_audit.workspace.hashes import KnownEvents
from tap_openai_audit.workspace.in_order import InOrder
from tap_openai_audit.workspace.listing import listed
from tap_openai_audit.workspace.log_files import LogEvent, Unreadable
from tap_openai_audit.workspace.position import DAY, Position
from tap_openai_audit.workspace.reports import Begun, FileReport, id_hash
from tap_openai_audit.workspace.verified import verified

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from tap_openai_audit.workspace.feed_report import FeedReport
    from tap_openai_audit.workspace.log_files import (
        Content,
        FileSource,
        LogFile,
    )
    from tap_openai_audit.workspace.position import Asked
    from tap_openai_audit.workspace.verified import Download

_BATCH_EVENTS = 125
"""An eighth of what lies between two checkpoints. The clock is looked at between
batches: a target that takes a dozen records a second still confirms every ten
seconds."""

_BATCH_BYTES = 1 << 20
"""What a batch holds at the most besides its last event: its records are made before
any of them is written."""

EXPIRED = "it is gone: the API does not have it any more"


def new_events(source: FileSource, asked: Asked) -> Iterator[tuple[LogFile, LogEvent]]:
    """Read all there is, for use as a library. It keeps no state.

    Raises:
        TapError: If not all of it can be read.
    """
    known = KnownEvents()
    after = Position().lists_after(asked, deep=False)
    before = None if asked.end is None else iso(asked.end)
    for file in listed(source, after, before, lambda _: False):
        content = verified(source, file).content
        for item in source.events(content.body) if content else ():
            if isinstance(item, LogEvent) and item.id not in known:
                known.add(item.id, file.second)
                yield file, item


class Sink(Protocol):
    """Where a feed goes."""

    def write(self, file: LogFile, events: Sequence[LogEvent]) -> Sequence[LogEvent]:
        """Write records of events, all of them or, if it raises, none.

        Returns:
            The events that made a record.
        """

    def enter(self, report: FileReport) -> None:
        """Enter a file that is done in the ledger."""

    def checkpoint(self) -> None:
        """Save the position, which confirms all that was written."""


class Feed:
    """Reads a feed from a position to its end."""

    def __init__(  # noqa: PLR0913 - what comes in, and what is done with it
        self,
        source: FileSource,
        position: Position,
        asked: Asked,
        report: FeedReport,
        sink: Sink,
        *,
        lost: Collection[int] = (),
        clock: Callable[[], float] = time.monotonic,
        size: int = CHECKPOINT_EVENTS,
    ) -> None:
        """Prepare a run.

        Args:
            source: Where files come from.
            position: Where the feed stands. It moves on.
            asked: What the settings ask for.
            report: Counts the run.
            sink: Where the feed goes.
            lost: Days whose rows in the ledger are lost, by the second at which each
                begins: their files are downloaded once more and entered again, and
                nothing of them is emitted.
            clock: Seconds that pass evenly.
            size: The most events between two checkpoints.
        """
        self._source = source
        self._position = position
        self._asked = asked
        self._report = report
        self._sink = sink
        self._lost = frozenset(lost)
        self._clock = clock
        self._size = size
        self._batch_events = max(min(_BATCH_EVENTS, size // 8), 1)
        # Another thread lists, and the position moves on meanwhile.
        self._done = position.files.copy()
        self._bookmark = position.bookmark
        self._replayed = KnownEvents()
        self._now: Callable[[], int] = lambda: END - 1
        self._saved_at = 0.0
        self._unsaved = 0
        self.files = 0
        """Files that were read."""
        self.flawed: list[FileReport] = []
        """Files that could not be read in full."""
        self.mislabelled: list[FileReport] = []
        """Files that are not as declared, and can be read nevertheless."""

    def read(
        self,
        heartbeat: Callable[[], None],
        *,
        now: Callable[[], int],
        deep: bool = False,
    ) -> None:
        """Emit what is new. However it ends, it ends with a checkpoint.

        Args:
            heartbeat: Called several times a second. What it raises ends the run.
            now: The API's clock, in Unix seconds.
            deep: Whether to list from days before the bookmark.

        Raises:
            TapError: If not all of it can be read.
        """
        position, asked, report = self._position, self._asked, self._report
        self._now = now
        after = position.lists_after(asked, deep=deep, days=self._lost)
        before = None if asked.end is None else iso(asked.end)
        report.asked = True
        report.window_end = asked.end
        is_whole = position.bookmark is None and asked.start is None
        report.window_start = None if is_whole else int(unix(after))
        self._saved_at = self._clock()
        begun = [position.begun.file] if position.begun else []
        files = chain(begun, self._new(after, before, begun))
        downloads = InOrder(files, partial(verified, self._source), heartbeat=heartbeat)
        try:
            # Closed as soon as this loop is left, so that no worker asks any more.
            with closing(iter(downloads)) as found:
                for download in found:
                    self._read(download)
                    del download  # its content is memory
                    self._checkpoint_if_due()
            report.complete = not self.flawed
            if deep or self._bookmark is None:
                position.deep_look_at = now()
        finally:
            self._sink.checkpoint()

    def _new(
        self, after: str, before: str | None, begun: Collection[LogFile]
    ) -> Iterator[LogFile]:
        ids = {file.id for file in begun}

        def is_known(file: LogFile) -> bool:
            return file.id in ids or (file in self._done and not self._is_lost(file))

        return listed(self._source, after, before, is_known)

    def _is_lost(self, file: LogFile) -> bool:
        return file.second - file.second % DAY in self._lost

    def _read(self, download: Download) -> None:
        """Emit one file, and enter it in the ledger."""
        self.files += 1
        file, content = download.file, download.content
        found = FileReport(file)
        if content is None:
            found.reason = EXPIRED
            self._resume(found)
        else:
            if file.sha256 is not None:
                found.checksum_matches = content.sha256 == file.sha256
            if file in self._done:
                self._count(content, found)
            else:
                self._emit(content, found)
        if found.reason is not None and file not in self._done:
            self.flawed.append(found)
        if not download.as_declared and file not in self._done:
            self.mislabelled.append(found)
        self._sink.enter(found)
        if file not in self._done:
            self._position.finish(file, self._asked, self._now())
        self._unsaved += 1

    def _count(self, content: Content, found: FileReport) -> None:
        """Count what was emitted of a file by a run before."""
        known = self._replayed
        for item in self._source.events(content.body):
            found.count(item)
            if isinstance(item, Unreadable):
                found.refuse(item)
                continue
            found.count_event(item)
            if item.id not in known:
                known.add(item.id, found.file.second)
                found.emitted += 1
                found.ids_checksum += id_hash(item.id)

    def _emit(self, content: Content, found: FileReport) -> None:
        """Emit what is new in a file, behind what an earlier run has emitted of it."""
        begun = self._resume(found)
        if begun is None or begun.sha256 != content.sha256:
            begun = Begun(found.file, content.sha256)
        found.emit(begun)
        batch = _Batch(begun)
        for number, item in enumerate(self._source.events(content.body), start=1):
            found.count(item)
            if isinstance(item, Unreadable):
                found.refuse(item)
            else:
                found.count_event(item)
            if number <= begun.items:
                continue
            self._take(item, batch, found)
            if len(batch.events) >= self._batch_events or batch.bytes > _BATCH_BYTES:
                batch = self._write(batch, found)
        self._write(batch, found)
        self._note_times(found)

    def _note_times(self, found: FileReport) -> None:
        """Count the times of a file's events into those of the run."""
        for text in (found.first, found.last):
            if text is not None:
                at = int(unix(text) // 1)
                oldest, newest = self._report.oldest, self._report.newest
                self._report.oldest = at if oldest is None else min(oldest, at)
                self._report.newest = at if newest is None else max(newest, at)

    def _resume(self, found: FileReport) -> Begun | None:
        """Go on with what an earlier run has emitted of a file."""
        begun = self._position.begun
        if begun is None or begun.file.id != found.file.id:
            return None
        found.emit(begun)
        return begun

    def _take(
        self, item: LogEvent | Unreadable, batch: _Batch, found: FileReport
    ) -> None:
        batch.items += 1
        if isinstance(item, Unreadable):
            return
        self._report.read += 1
        known = self._position.events
        if item.id in known or item.id in batch.ids:
            self._report.known += 1
            if item.id in known:
                known.add(item.id, found.file.second)
            return
        batch.ids.add(item.id)
        batch.events.append(item)
        batch.bytes += len(item.body)
        if self._bookmark is not None:
            late_by = int(unix(self._bookmark) - found.file.at)
            self._report.late += late_by > 0
            self._report.latest_by = max(self._report.latest_by, late_by)

    def _write(self, batch: _Batch, found: FileReport) -> _Batch:
        """Write a batch, and move on behind it.

        Returns:
            The next batch, which is empty.
        """
        written = self._sink.write(found.file, batch.events) if batch.events else ()
        left_out = len(batch.events) - len(written)
        checksum = sum(id_hash(event.id) for event in written)
        begun = replace(
            batch.begun,
            items=batch.items,
            emitted=batch.begun.emitted + len(written),
            filtered=batch.begun.filtered + left_out,
            ids_checksum=batch.begun.ids_checksum + checksum,
        )
        for event in batch.events:
            self._position.events.add(event.id, found.file.second)
        self._position.begun = begun
        found.emit(begun)
        self._report.emitted += len(written)
        self._report.filtered += left_out
        self._unsaved += len(batch.events)
        self._checkpoint_if_due()
        return _Batch(begun)

    def _checkpoint_if_due(self) -> None:
        if (
            self._unsaved > self._size - self._batch_events
            or self._clock() - self._saved_at >= CHECKPOINT_SECONDS
        ):
            self._sink.checkpoint()
            self._saved_at, self._unsaved = self._clock(), 0


class _Batch:
    """Events that are written together."""

    def __init__(self, begun: Begun) -> None:
        self.begun = begun
        """Up to where the file is written."""
        self.items = begun.items
        """Up to where this batch takes it."""
        self.events: list[LogEvent] = []
        self.ids: set[str] = set()
        self.bytes = 0
