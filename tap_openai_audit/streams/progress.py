"""What an operator sees of a long run: a line every ten seconds, and one at the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tap_openai_audit.streams.record import iso

if TYPE_CHECKING:
    import logging

    from tap_openai_audit.extraction.reader import Reader
    from tap_openai_audit.extraction.report import Report

_INTERVAL = 10.0


class Progress:
    """Logs how far a pass is."""

    def __init__(self, logger: logging.Logger, report: Report) -> None:
        """Begin to watch a pass."""
        self._logger = logger
        self._report = report
        self._began = self._last = time.monotonic()

    def tick(self, reader: Reader) -> None:
        """Log a line if the last one is ten seconds old."""
        now = time.monotonic()
        if now - self._last < _INTERVAL:
            return
        self._last = now
        report, seconds = self._report, now - self._began
        self._logger.info(
            "%s: %s events in %.0f s, %s a second, %s requests, %s",
            report.scope,
            f"{report.read:,}",
            seconds,
            f"{report.read / seconds:,.0f}",
            f"{reader.requests:,}",
            self._whereabouts(reader.newest, seconds),
        )

    def _whereabouts(self, newest: int | None, seconds: float) -> str:
        """How far in time, and what is left, judged by the time range read."""
        oldest, at = self._report.oldest, self._report.newest
        if oldest is None or at is None or newest is None:
            return "looking for the oldest event"
        done = (at - oldest + 1) / max(newest - oldest + 1, 1)
        left = seconds * (1 - done) / done if done else 0
        return f"up to {iso(at)}, {done:.0%} of the time range, {left:.0f} s left"


def summary(report: Report) -> str:
    """The ledger of a pass in one line."""
    end = "complete" if report.complete else f"NOT complete: {report.reason}"
    asked = "for everything"
    if report.window_start is not None:
        asked = f"from {iso(report.window_start)}"
    if report.window_end is not None:
        asked += f" before {iso(report.window_end)}"
    line = (
        f"{report.scope}: {report.emitted:,} events emitted, {report.known:,} already"
        f" known, {report.read:,} read in {report.requests:,} requests"
        f" ({report.retries:,} retried), asked {asked}"
    )
    if report.late:
        line += f", {report.late:,} late by up to {report.latest_by:,} s"
    return f"{line}; {end}"
