"""When the events of a synthetic log happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_HOUR = 3_600
_DENSE_SHARE = 0.9
_ONE_SECOND_MOST = 5_000
_BURST_SHARE = 0.03


def timeline(
    rng: random.Random, count: int, span: tuple[int, int], shape: str
) -> list[int]:
    """Return the times of `count` events, oldest first.

    Args:
        rng: Source of randomness.
        count: Number of events.
        span: First second and the second after the last, Unix seconds.
        shape: `uniform`; `burst`, nine tenths within one hour in the middle; `second`,
            thousands within one second in the middle.

    Returns:
        Unix seconds. The newest event is always in the last second of the span.
    """
    start, end = span
    if count == 0:
        return []
    middle = (start + end) // 2
    if shape == "burst":
        dense = int(count * _DENSE_SHARE)
        first = max(start, middle - _HOUR // 2)
        times = _spread(rng, dense, first, min(end, first + _HOUR))
        times += _spread(rng, count - dense, start, end)
    elif shape == "second":
        dense = min(count * 3 // 4, _ONE_SECOND_MOST)
        times = [middle] * dense + _spread(rng, count - dense, start, end)
    else:
        times = _spread(rng, count, start, end)
    times.sort()
    _cluster(rng, times)
    times[-1] = end - 1
    return times


def _spread(rng: random.Random, count: int, start: int, end: int) -> list[int]:
    draw, width = rng.random, end - start
    return [start + int(draw() * width) for _ in range(count)]


def _cluster(rng: random.Random, times: list[int]) -> None:
    """Let some events share their second with the next few, as real logs do."""
    for _ in range(int(len(times) * _BURST_SHARE)):
        first = rng.randrange(len(times))
        size = rng.randrange(2, 9)
        times[first : first + size] = [times[first]] * len(times[first : first + size])
