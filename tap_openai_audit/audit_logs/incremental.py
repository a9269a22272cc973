"""An incremental read: what is emitted, and from where the next run reads.

The **bookmark** is the second up to which everything that was there is emitted. It
follows the events; over a stretch without events it moves to the end of the windows
read, but never beyond the newest event seen: only that shows how far the API is. It
never moves backwards. An event that is dated after the API's clock is emitted at once,
and moves nothing.

The bookmark alone does not say from where the next run has to read. An event may
appear up to `lookback` seconds after its own time, so it can be missing from a window
that was read before it appeared; and windows are read ahead of what the target takes,
possibly hours ahead. What counts is when a window was read. The next run begins at

    max(start of the window, min(read at, newest event seen) - lookback)

of the window for which this is least. Windows that end before their own term are
settled and do not count. With it the promise is: an event that appears within
`lookback` seconds of its own time is emitted, however long the target stalls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_openai_audit.audit_logs.position import range_to_read
from tap_openai_audit.audit_logs.range_read import RangeRead
from tap_openai_audit.windows import BEGINNING, END, Window, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_openai_audit.audit_logs.emitted_ids import KnownIds
    from tap_openai_audit.audit_logs.paging import WindowRead
    from tap_openai_audit.audit_logs.position import Asked, Position
    from tap_openai_audit.audit_logs.range_read import Batch, Written
    from tap_openai_audit.audit_logs.report import Report


@dataclass(frozen=True)
class _Unsettled:
    """A window in which events may still appear."""

    window: Window
    read_at: int


class Incremental(RangeRead):
    """The read of each run, which moves the position on."""

    def __init__(  # noqa: PLR0913 - what a run is given
        self,
        asked: Asked,
        position: Position,
        report: Report,
        elsewhere: Sequence[KnownIds] = (),
        *,
        may_be_cut_off: bool = True,
        remembers: bool = True,
    ) -> None:
        """Begin where the last run ended.

        Args:
            asked: What the settings ask for.
            position: How far earlier runs came.
            report: Where to count.
            elsewhere: What the other feed has emitted.
            may_be_cut_off: See `RangeRead`.
            remembers: See `RangeRead`.
        """
        window = range_to_read(asked, position)
        super().__init__(
            window,
            position,
            elsewhere,
            may_be_cut_off=may_be_cut_off,
            remembers=remembers,
        )
        self.reading = self._report = report
        self._lookback = asked.lookback
        self._deep_lookback = asked.deep_lookback
        self._bookmark = position.bookmark
        self._newest = position.bookmark
        self._read_at: int | None = None
        """When the window was read that is compared, by the API's clock."""
        self._unsettled: list[_Unsettled] = []
        start, end = window.start, window.end
        report.window_start = None if start == BEGINNING else start
        report.window_end = None if end == END else end
        report.asked = True
        report.is_empty = start == end

    @override
    def learn(self, *, now: int | None, newest: int | None) -> None:
        super().learn(now=now, newest=newest)
        if newest is not None:
            self._newest = newest if self._newest is None else max(newest, self._newest)

    @override
    def batches(self, read: WindowRead, size: int) -> Iterator[Batch]:
        self._unsettled.append(_Unsettled(read.window, read.read_at))
        self._read_at = read.read_at
        return super().batches(read, size)

    @override
    def advance(self, batch: Batch, written: Written) -> None:
        super().advance(batch, written)
        report = self._report
        report.emitted += written.records
        report.filtered += len(batch.new) - written.records
        report.known += len(batch.seen) - len(batch.new)
        if batch.resolved:
            report.note_late(batch.new, self._before.bookmark)
        else:
            report.note_repeated(len(batch.new), short=batch.is_short)
        for event in reversed(batch.seen):
            # One that is dated after the API's clock moves nothing.
            if self._now is None or event.effective_at <= self._now:
                self._move_to(event.effective_at)
                break
        if batch.ends and self._newest is not None:
            self._move_to(min(batch.until, self._newest))

    def _move_to(self, second: int) -> None:
        if self._bookmark is None or second > self._bookmark:
            self._bookmark = second

    @override
    def _look_from(self) -> int:
        """Return from where the next run begins, as far as is known now.

        It never becomes less: windows follow each other, and the newest event only
        becomes newer.
        """
        newest = self._newest
        if newest is None:
            return self.window.start
        terms = [
            (each, min(each.read_at, newest) - self._lookback)
            for each in self._unsettled
        ]
        self._unsettled = [each for each, term in terms if each.window.end > term]
        least = min(
            [
                self._until,
                *(
                    max(each.window.start, term)
                    for each, term in terms
                    if each.window.end > term
                ),
            ]
        )
        return named(least)

    @override
    def _read_to(self) -> int | None:
        before = self._before.read_to
        if self._read_at is None:
            return before
        read_to = min(self._until, self._read_at)
        if read_to == BEGINNING:
            return before
        return read_to if before is None else max(before, read_to)

    @override
    def _keep_from(self) -> int:
        look_from, newest = self._look_from(), self._newest
        if newest is None or not self._deep_lookback:
            return look_from
        happened = newest if self._now is None else min(newest, self._now)
        return min(look_from, happened - self._deep_lookback)

    @override
    def _position(self) -> Position:
        return replace(super()._position(), bookmark=self._bookmark)
