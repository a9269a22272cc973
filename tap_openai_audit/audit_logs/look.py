"""One look at a time range: what of it is new, and what is known once that is written.

A run has a regular look (`incremental`), which moves the bookmark, and now and then a
deep one (`deep_look`), which finds what appeared too late for all regular ones.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.emitted_ids import EmittedIds
from tap_openai_audit.audit_logs.known_so_far import KnownSoFar
from tap_openai_audit.audit_logs.sifting import Sifter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_openai_audit.audit_logs.emitted_ids import KnownIds
    from tap_openai_audit.audit_logs.paging import WindowRead
    from tap_openai_audit.audit_logs.position import Position
    from tap_openai_audit.audit_logs.report import Reading
    from tap_openai_audit.audit_logs.sifting import Batch, Written
    from tap_openai_audit.windows import Window


class Look(abc.ABC):
    """Sifts the windows of a time range, and keeps what is known in step."""

    reading: Reading
    """What was read so far."""

    def __init__(
        self, window: Window, before: Position, elsewhere: Sequence[KnownIds]
    ) -> None:
        """Begin.

        Args:
            window: The range that is read.
            before: How far the scope is.
            elsewhere: What the other scope has emitted.
        """
        self.window = window
        self.emitted = EmittedIds()
        self._before = before
        self._until = window.start
        """Up to where, in time, everything is emitted."""
        self._known = KnownSoFar(before, window.start)
        self._sifter = Sifter(
            before.known,
            window,
            elsewhere=elsewhere,
            known_of_0_1=before.known_of_0_1,
        )
        self._savable = before
        self._now: int | None = None
        """The API's clock, in Unix seconds."""

    def learn(self, *, now: int | None, newest: int | None) -> None:  # noqa: ARG002
        """Take note of the API's clock and of the newest event on any page so far."""
        self._now = now

    def batches(self, read: WindowRead, size: int) -> Iterator[Batch]:
        """Tell which events of a window are to be emitted, in batches.

        Each batch must have been emitted and passed to `advance` before the next.

        Args:
            read: The window that follows the last one.
            size: The most events of a batch, as far as its buckets allow.
        """
        self.reading.note_read(read)
        return self._sifter.batches(read, size)

    def advance(self, batch: Batch, written: Written) -> None:
        """Move on over a batch that was emitted."""
        self._until = batch.until
        counted = self._sifter.counted(batch, written)
        self._known.take(batch, counted, self._keep_from(), self._now)
        for event in batch.new:
            self.emitted.add(event)

    def complete(self) -> None:
        """Take note that the range was read in full."""
        self.reading.complete = True if self.window.start < self.window.end else None

    def position(self, budget: int) -> Position:
        """Return how far the scope is by now.

        In the middle of a second only its ids tell which of it are emitted. Where they
        are too many for the sketch, this is the position before that second.

        Args:
            budget: The most characters that the encoded sketch may have.
        """
        self._known.forget(self._keep_from(), self._until)
        if self._known.has_room_in(self._until, budget):
            self._savable = self._known.position(
                self._position(),
                until=self._until,
                repeated=self._sifter.repeated,
                budget=budget,
            )
        return self._savable

    @abc.abstractmethod
    def _keep_from(self) -> int:
        """Return from when on what was emitted may be looked at again."""

    @abc.abstractmethod
    def _position(self) -> Position:
        """Return how far the scope is, apart from what is known."""
