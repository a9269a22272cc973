"""Files downloaded at the same time and handed on in their order, in bounded memory."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tap_openai_audit.ordered_pool import OrderedPool

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tap_openai_audit.workspace.log_files import LogFile
    from tap_openai_audit.workspace.verified import Download

WORKERS = 3
"""Downloads at a time: the documented rate of 50 a minute needs no more."""

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of all files in memory, as they are declared: of documented files, which have
15 MB at the most, each worker has one. A single larger one is downloaded alone."""


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

        def one(file: LogFile) -> Iterator[Download]:
            yield download(file)

        self._pool = OrderedPool(
            files,
            one,
            heartbeat=heartbeat,
            workers=workers,
            # What the caller has is downloaded, so each worker has a file besides.
            ahead=workers,
            size=lambda file: file.size or 0,
            most_size=most_bytes,
        )

    def __iter__(self) -> Generator[Download, None, None]:
        """Download all files.

        Raises:
            RequestFailed: If one is not to be had, or not to be listed. What comes
                before it is handed on first.
            Interrupted: If the run is ending.
        """
        with closing(iter(self._pool)) as results:
            for result in results:
                yield result[1]
                # A name that is left over would keep the content in memory.
                del result
