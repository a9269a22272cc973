"""A late-arrival scan: what appeared too late for all incremental reads.

It follows the incremental read of the same run, once that is written and confirmed, and
moves neither the bookmark nor where the next run begins: all that it changes is what is
known and what was counted. If it ends early the incremental read stands, and it begins
anew another time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_openai_audit.audit_logs.range_read import RangeRead
from tap_openai_audit.audit_logs.report import Reading
from tap_openai_audit.windows import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.audit_logs.emitted_ids import KnownIds
    from tap_openai_audit.audit_logs.position import Position
    from tap_openai_audit.audit_logs.range_read import Batch, Written
    from tap_openai_audit.audit_logs.report import Report
    from tap_openai_audit.windows import Window


class LateArrivalScan(RangeRead):
    """A read of the days before the incremental read."""

    def __init__(  # noqa: PLR0913 - what a run is given
        self,
        window: Window,
        position: Position,
        report: Report,
        *,
        began_at: int | None,
        elsewhere: Sequence[KnownIds] = (),
        remembers: bool = True,
    ) -> None:
        """Begin after the incremental read.

        Args:
            window: The range that is read.
            position: How far the feed is.
            report: Where to count.
            began_at: The bookmark that the run began with: what lies before is late.
            elsewhere: What the other feed has emitted.
            remembers: See `RangeRead`.
        """
        super().__init__(window, position, elsewhere, remembers=remembers)
        start = None if window.start == BEGINNING else window.start
        self.reading = report.scan = Reading(start, window.end)
        self._report = report
        self._began_at = began_at

    @override
    def advance(self, batch: Batch, written: Written) -> None:
        super().advance(batch, written)
        if batch.resolved:
            self.reading.emitted += written.records
            self._report.note_late(batch.new, self._began_at)
        else:
            self.reading.note_repeated(written.records, short=batch.is_short)

    @override
    def _keep_from(self) -> int:
        return self._before.known.known_from

    @override
    def _look_from(self) -> int:
        return self._before.look_from

    @override
    def _read_to(self) -> int | None:
        return self._before.read_to
