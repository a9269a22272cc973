"""The ledger: what one pass asked, read and emitted. An auditor's proof of a period."""

from __future__ import annotations

from dataclasses import dataclass, field

from tap_openai_audit.extraction.observation import Order


@dataclass
class Report:
    """Counts and bounds of one pass over one scope. Times are Unix seconds."""

    scope: str
    started_at: int
    window_start: int | None = None
    """The earliest second asked for, None for everything available."""
    window_end: int | None = None
    """The second before which was asked, None for everything up to now."""
    finished_at: int | None = None
    oldest: int | None = None
    """The oldest event read."""
    newest: int | None = None
    """The newest event read."""
    requests: int = 0
    retries: int = 0
    read: int = 0
    """Events read, each counted once."""
    emitted: int = 0
    known: int = 0
    """Events read that an earlier run or the other pass had emitted."""
    late: int = 0
    """Events emitted although they lie before the bookmark that the run began with."""
    latest_by: int = 0
    """How many seconds before that bookmark the oldest late event lies."""
    orders: set[Order] = field(default_factory=set)
    forgotten: int = 0
    """Ids that did not fit the state: the next run may emit their events again."""
    complete: bool = False
    reason: str | None = None
    """Why the pass is not complete, or was not made."""

    @property
    def order(self) -> Order:
        """The order of the API's pages, over all windows."""
        orders = self.orders - {Order.UNKNOWN}
        if not orders:
            return Order.UNKNOWN
        return next(iter(orders)) if len(orders) == 1 else Order.MIXED
