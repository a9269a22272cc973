"""What a run has read of a reference stream so far, and whether that is all of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tap_openai_audit.singer.sync_reports import Row

_CUT_SHORT = "the run ended before it was read in full"


@dataclass
class Reading:
    """One reading of the lists of a stream."""

    started_at: int = field(default_factory=lambda: int(time.time()))
    read: int = 0
    """Objects that the API listed."""
    emitted: int = 0
    """Objects that a record was written of."""
    filtered: int = 0
    """Objects of which a stream map made no record."""
    is_over: bool = False
    """Whether it came to its end, well or with a failure."""
    failure: str | None = None
    """What kept it from being whole."""
    refused: tuple[str, ...] = ()
    """The ids of parents whose lists were refused, where all others were read."""
    is_needless: bool = False
    """Whether it is no row of the ledger: all of the stream is read after it."""
    unread: str | None = None
    """Which lists the settings leave out: no failure, but not the whole either."""

    @property
    def suffices(self) -> bool:
        """Whether all was read that the settings ask for."""
        return self.is_over and self.failure is None

    def row(self, stream: str, *, requests: int, retries: int) -> Row:
        """Make the row for the ledger."""
        return Row(
            scope=stream,
            started_at=self.started_at,
            finished_at=int(time.time()),
            requests=requests,
            retries=retries,
            events_read=self.read,
            events_emitted=self.emitted,
            events_filtered=self.filtered,
            complete=self.suffices and self.unread is None,
            reason=self.failure or (self.unread if self.is_over else _CUT_SHORT),
        )
