"""The run of one scope: windows in, batches out, a checkpoint now and then.

A checkpoint is due after so many events or seconds of progress, stretches without
events included. It is only made between batches, when the position says exactly what
was emitted: whoever starts from it loses nothing and repeats nothing.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.sifting import NOTHING
from tap_openai_audit.singer.checkpoint import CHECKPOINT_EVENTS, CHECKPOINT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.audit_logs.look import Look
    from tap_openai_audit.audit_logs.reader import Reader
    from tap_openai_audit.audit_logs.sifting import Written

_BATCHES_PER_CHECKPOINT = 8
"""A batch is written as a whole, and the clock is looked at between batches: a target
that takes a dozen records a second still confirms every ten seconds."""


def extract(  # noqa: PLR0913 - what comes in, and what is done with it
    reader: Reader,
    look: Look,
    *,
    write: Callable[[Sequence[Event]], Written],
    checkpoint: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
    size: int = CHECKPOINT_EVENTS,
) -> None:
    """Emit what is new, oldest first. However it ends, it ends with a checkpoint.

    Args:
        reader: Reads the windows.
        look: Knows what was emitted before, and keeps the position.
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
                look.learn(now=reader.served_at, newest=reader.newest)
                for batch in look.batches(read, batch_size):
                    look.advance(batch, write(batch.new) if batch.new else NOTHING)
                    since_checkpoint += len(batch.new)
                    if (
                        since_checkpoint > size - batch_size
                        or clock() - saved_at >= CHECKPOINT_SECONDS
                    ):
                        checkpoint()
                        saved_at, since_checkpoint = clock(), 0
        look.complete()
    finally:
        checkpoint()
