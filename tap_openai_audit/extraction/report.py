"""The counts of one run of one scope: what it asked, read and emitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_openai_audit.extraction.observation import Order


@dataclass
class Report:
    """Counts and bounds of one run of one scope. Times are Unix seconds."""

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
    """Records written."""
    filtered: int = 0
    """Events of which a stream map made no record."""
    known: int = 0
    """Events read that an earlier run or the other scope had emitted."""
    repeated: int = 0
    """Events emitted again because nobody can tell which of them are late."""
    late: int = 0
    """Events emitted although they lie before the bookmark that the run began with."""
    latest_by: int = 0
    """How many seconds before that bookmark the oldest late event lies."""
    orders: set[Order] = field(default_factory=set)
    is_empty: bool = False
    """Whether the range has no time in it."""
    asked: bool = False
    """Whether the range to read was worked out."""
    complete: bool | None = False
    """Whether it was read in full. None if there was nothing to read."""
    reason: str | None = None
    """Why the range was not read in full, or not at all."""
