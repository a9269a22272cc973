"""Files downloaded at the same time and handed on in their order, in bounded memory.

One thread lists, some download. The caller never waits on the network itself, so it can
look up several times a second, and a run that is asked to end does so at once.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tap_openai_audit.workspace.log_files import LogFile
    from tap_openai_audit.workspace.verified import Download

WORKERS = 3
"""Downloads at a time: the documented rate of 50 a minute needs no more."""

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of all files in memory, as they are declared: of documented files, which have
15 MB at the most, each worker has one. A single larger one is downloaded alone."""

_HEARTBEAT_SECONDS = 0.2
"""How long a wait lasts before the caller looks up: a person hardly notices."""


class _Place:
    """A file in the row, and what came of it."""

    def __init__(self, file: LogFile | None) -> None:
        self.file = file
        """None at the end of the row."""
        self.download: Download | None = None
        self.error: BaseException | None = None

    @property
    def size(self) -> int:
        return (self.file and self.file.size) or 0

    @property
    def is_ready(self) -> bool:
        return self.file is None or self.download is not None or self.error is not None


class InOrder:
    """Downloads files. Iterate over it to get them in their order."""

    def __init__(
        self,
        files: Iterator[LogFile],
        download: Callable[[LogFile], Download],
        *,
        heartbeat: Callable[[], None],
        workers: int = WORKERS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Prepare to read.

        Args:
            files: The files to download. Another thread asks for them.
            download: Downloads a file. Several threads call it.
            heartbeat: Called several times a second while the caller waits. What it
                raises ends the reading.
            workers: How many files are downloaded at the same time.
            most_bytes: How many bytes are in memory, as declared.
        """
        self._files = files
        self._download = download
        self._heartbeat = heartbeat
        self._workers = workers
        self._most_bytes = most_bytes
        self._changed = threading.Condition()
        self._row: deque[_Place] = deque()
        """What is not handed on, and first what the caller has at the moment."""
        self._wanted: deque[_Place] = deque()
        """Of these, what no worker has taken."""
        self._over = False

    def __iter__(self) -> Generator[Download, None, None]:
        """Download all files.

        Raises:
            RequestFailed: If one is not to be had, or not to be listed. What comes
                before it is handed on first.
            Interrupted: If the run is ending.
        """
        for run in (self._list, *[self._work] * self._workers):
            threading.Thread(target=run, name="files", daemon=True).start()
        try:
            while True:
                place = self._next()
                if place.error is not None:
                    # The run may be ending, which the heartbeat says better.
                    self._heartbeat()
                    raise place.error
                if place.download is None:
                    return
                yield place.download
                # A name that is left over would keep the content in memory.
                del place
                with self._changed:
                    self._row.popleft()
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _next(self) -> _Place:
        """Wait for the first file in the row."""
        while True:
            self._heartbeat()
            with self._changed:
                if self._row and self._row[0].is_ready:
                    return self._row[0]
                self._changed.wait(_HEARTBEAT_SECONDS)

    def _list(self) -> None:
        """Put files into the row, as long as there is room."""
        end = _Place(None)
        try:
            for file in self._files:
                if not self._put(_Place(file)):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            end.error = error
        with self._changed:
            self._row.append(end)
            self._changed.notify_all()

    def _put(self, place: _Place) -> bool:
        """Wait for room, and tell whether there was any before the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._fits(place))
            if not self._over:
                self._row.append(place)
                self._wanted.append(place)
                self._changed.notify_all()
            return not self._over

    def _fits(self, place: _Place) -> bool:
        waiting = sum(other.size for other in self._row)
        # One more than workers: what the caller has is downloaded.
        return not self._row or (
            len(self._row) <= self._workers and waiting + place.size <= self._most_bytes
        )

    def _work(self) -> None:
        while self._fill_next():
            with self._changed:
                self._changed.notify_all()

    def _fill_next(self) -> bool:
        """Download the next file, and tell whether there was one before the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._wanted)
            if self._over:
                return False
            place = self._wanted.popleft()
        self._fill(place)
        return True

    def _fill(self, place: _Place) -> None:
        try:
            if place.file is not None:
                place.download = self._download(place.file)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            place.error = error
