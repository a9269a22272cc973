"""A second look, at whole days: what appeared too late for all regular looks.

It follows the regular look of the same run, once that is written and confirmed, and
moves neither the bookmark nor where the next run looks again: all that it changes is
what is known. If it ends early the regular look stands, and it begins anew another
time; what it had found by then is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_openai_audit.audit_logs.look import Look
from tap_openai_audit.audit_logs.report import Reading
from tap_openai_audit.windows import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.audit_logs.emitted_ids import KnownIds
    from tap_openai_audit.audit_logs.position import Position
    from tap_openai_audit.audit_logs.report import Report
    from tap_openai_audit.audit_logs.sifting import Batch, Written
    from tap_openai_audit.windows import Window


class DeepLook(Look):
    """A look at the time between the deep lookback and the regular look."""

    def __init__(
        self,
        window: Window,
        position: Position,
        report: Report,
        *,
        began_at: int | None,
        elsewhere: Sequence[KnownIds] = (),
    ) -> None:
        """Begin after the regular look.

        Args:
            window: The range that is read.
            position: How far the scope is.
            report: Where to count.
            began_at: The bookmark that the run began with: what lies before is late.
            elsewhere: What the other scope has emitted.
        """
        super().__init__(window, position, elsewhere)
        start = None if window.start == BEGINNING else window.start
        self.reading = report.deep = Reading(start, window.end)
        self._report = report
        self._began_at = began_at

    @override
    def advance(self, batch: Batch, written: Written) -> None:
        super().advance(batch, written)
        if batch.resolved:
            self.reading.emitted += written.records
            self._report.note_late(batch.new, self._began_at)
        else:
            self.reading.repeated += written.records

    @override
    def _keep_from(self) -> int:
        return self._before.known_from

    @override
    def _position(self) -> Position:
        return self._before
