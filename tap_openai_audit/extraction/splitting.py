"""When a window is better split, and where.

The whole range of a run begins as one window. Its first page shows how dense events
are at one end: the near part is cut into windows of a few pages each, the far part
stays one stretch whose density is unknown, and is asked in turn. While the density
stays the same the near part doubles each time, so that the beginning of the log is
found in a logarithmic number of requests, without a floor and without empty windows.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_openai_audit.extraction.observation import Order, Outlook
from tap_openai_audit.extraction.windows import BEGINNING, END, Stretch, Window

if TYPE_CHECKING:
    from tap_openai_audit.extraction.observation import Observation

_PARTS_OF_MIXED = 8
_SIMILAR = 4.0
_MOST_WINDOWS_PER_WORKER = 128


def too_dense(stretch: Stretch, seen: Observation, target: float) -> bool:
    """Whether splitting a window costs less than reading on with one worker.

    Splitting throws away the pages read so far, so what is left must be worth a
    multiple of them, and of what the window was expected to hold.
    """
    if not stretch.window.splittable:
        return False
    if seen.order is Order.MIXED:
        return len(seen.spans) >= target
    window = stretch.window.mirrored if seen.falls else stretch.window
    left = Outlook.of(window, seen).left
    return left > max(target, 2 * stretch.pages, 2 * len(seen.spans))


def split(
    stretch: Stretch, seen: Observation, *, target: float, workers: int
) -> list[Stretch]:
    """Split a stretch along what its first pages have shown.

    Args:
        stretch: What was to be read in one piece.
        seen: The pages that showed it to be too dense.
        target: Pages that a window should hold.
        workers: How many windows are read at the same time.

    Returns:
        Smaller stretches that cover the same range without a gap, oldest first.
    """
    if seen.order is Order.MIXED:
        return _split_evenly(stretch.window, seen)
    window = stretch.window.mirrored if seen.falls else stretch.window
    outlook = Outlook.of(window, seen)
    windows = workers
    if (known := stretch.border_density) is not None and (
        1 / _SIMILAR < outlook.density / known < _SIMILAR
    ):
        windows = min(2 * stretch.border_windows, _MOST_WINDOWS_PER_WORKER * workers)
    near = outlook.edge + math.ceil(windows * target / outlook.density)
    cuts = {window.start, outlook.turn, min(near, window.end), window.end}
    if window.start == BEGINNING:
        cuts.add(outlook.first)
    parts = []
    for start, end in pairwise(sorted(cuts)):
        part = Window(start, end)
        if start == BEGINNING or end == END or start >= near:
            parts.append(Stretch(part, None, outlook.density, windows))
        elif start < outlook.turn:
            parts.append(Stretch(part, outlook.density_before))
        else:
            parts.append(Stretch(part, outlook.density))
    if seen.falls:
        parts = [replace(part, window=part.window.mirrored) for part in reversed(parts)]
    return parts


def _split_evenly(window: Window, seen: Observation) -> list[Stretch]:
    """Split where pages come in no order: each is a sample of the whole window."""
    oldest = min(span[0] for span in seen.spans)
    newest = max(span[1] for span in seen.spans)
    first = oldest if window.start == BEGINNING else window.start
    last = newest + 1 if window.end == END else window.end
    step = max(1, math.ceil((last - first) / _PARTS_OF_MIXED))
    cuts = {window.start, *range(first, last, step), last, window.end}
    return [Stretch(Window(start, end)) for start, end in pairwise(sorted(cuts))]
