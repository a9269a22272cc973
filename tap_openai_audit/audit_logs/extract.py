"""A range that is read: windows in, batches out, a checkpoint now and then.

A checkpoint is due after so many events or seconds of progress, stretches without
events included. It is only made where a second ends, or a cell that is compared, when
the position says exactly what was emitted: a run that starts from it loses nothing and
repeats nothing.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.range_read import NOTHING
from tap_openai_audit.singer.checkpoint import CHECKPOINT_EVENTS, CHECKPOINT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.audit_logs.range_read import RangeRead, Written
    from tap_openai_audit.audit_logs.reader import Reader

_BATCHES_PER_CHECKPOINT = 8
"""A batch is written as a whole, and the clock is looked at between batches: a target
that takes a dozen records a second still confirms every ten seconds. It goes on to the
end of a second, unless that made it more than twice as large."""


def extract(  # noqa: PLR0913 - what comes in, and what is done with it
    reader: Reader,
    reading: RangeRead,
    *,
    write: Callable[[Sequence[Event]], Written],
    checkpoint: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
    size: int = CHECKPOINT_EVENTS,
) -> None:
    """Emit what is new, oldest first.

    However it ends, it ends with a checkpoint, unless within a second or a cell.

    Args:
        reader: Reads the windows.
        reading: Knows what was emitted before, and keeps the position.
        write: Emits events, all of them or, if it raises, none.
        checkpoint: Saves the position.
        clock: Seconds that pass evenly.
        size: The most events between two checkpoints.
    """
    saved_at, since_checkpoint = clock(), 0
    batch_size = max(size // _BATCHES_PER_CHECKPOINT, 1)
    try:
        # Closed as soon as this loop is left, so that no worker asks any more.
        with closing(reader.__iter__()) as windows:
            for read in windows:
                reading.learn(now=reader.served_at, newest=reader.newest)
                for batch in reading.batches(read, batch_size):
                    reading.advance(batch, write(batch.new) if batch.new else NOTHING)
                    since_checkpoint += len(batch.new)
                    if reading.at_end and (
                        since_checkpoint > size - 2 * batch_size
                        or clock() - saved_at >= CHECKPOINT_SECONDS
                    ):
                        checkpoint()
                        saved_at, since_checkpoint = clock(), 0
        reading.complete()
    finally:
        if reading.at_end:
            checkpoint()
