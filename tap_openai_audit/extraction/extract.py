"""The run of one pass: windows in, batches out, a checkpoint now and then.

A checkpoint is due after so many events or seconds of progress, stretches without
events included. It is only made between batches, when the bookmark says exactly what
was emitted: whoever starts from it loses nothing and repeats nothing.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_openai_audit.extraction.events import Event
    from tap_openai_audit.extraction.passes import Pass
    from tap_openai_audit.extraction.reader import Reader

CHECKPOINT_EVENTS = 1_000
CHECKPOINT_SECONDS = 10.0
_BATCHES_PER_CHECKPOINT = 4


def extract(
    reader: Reader,
    sifting: Pass,
    *,
    checkpoint: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
    size: int = CHECKPOINT_EVENTS,
) -> Generator[list[Event], None, None]:
    """Tell what is to be emitted, oldest first.

    A batch counts as emitted when the next one is asked for. However the pass ends, it
    ends with a checkpoint.

    Args:
        reader: Reads the windows.
        sifting: Knows what was emitted before, and moves the bookmark.
        checkpoint: Saves the bookmark.
        clock: Seconds that pass evenly.
        size: The most events between two checkpoints.
    """
    report, saved_at, saved_events = sifting.report, clock(), 0
    batch_size = max(size // _BATCHES_PER_CHECKPOINT, 1)
    try:
        # Closed as soon as this loop is left, so that no worker asks any more.
        with closing(reader.__iter__()) as windows:
            for read in windows:
                sifting.learn(now=reader.served_at, newest=reader.newest)
                for batch in sifting.sift(read, batch_size):
                    if batch.new:
                        yield batch.new
                    sifting.advance(batch)
                    if (
                        report.emitted - saved_events > size - batch_size
                        or clock() - saved_at >= CHECKPOINT_SECONDS
                    ):
                        checkpoint()
                        saved_at, saved_events = clock(), report.emitted
        report.complete = True
    finally:
        report.requests, report.retries = reader.requests, reader.retries
        checkpoint()
