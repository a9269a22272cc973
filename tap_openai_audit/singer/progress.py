"""What an operator sees of a long run: a line every ten seconds, and one at the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    import logging

    from tap_openai_audit.audit_logs.reader import Reader
    from tap_openai_audit.audit_logs.report import Reading, Report

_INTERVAL_SECONDS = 10.0
"""Between two lines: often enough to see that a run is alive, and 360 lines an hour."""


class Progress:
    """Logs how far a scope is, how fast it came there, and what holds it up."""

    def __init__(self, logger: logging.Logger, name: str, reading: Reading) -> None:
        self._logger = logger
        self._name = name
        self._reading = reading
        self._began = self._last = time.monotonic()
        self._ticks = 0
        self._held_up = 0
        """Ticks since the last line at which the target held up all workers."""

    def tick(self, reader: Reader) -> None:
        """Log a line if the last one is ten seconds old.

        Args:
            reader: What reads the scope.
        """
        now = time.monotonic()
        self._ticks += 1
        self._held_up += _waits_for_target(reader)
        if now - self._last < _INTERVAL_SECONDS:
            return
        self._last = now
        reading, seconds = self._reading, now - self._began
        self._logger.info(
            "%s: %s events in %.0f s, %s a second, %s requests, %s%s",
            self._name,
            f"{reading.read:,}",
            seconds,
            f"{reading.read / seconds:,.0f}",
            f"{reader.requests:,}",
            self._whereabouts(reader.newest, seconds),
            ", waiting for the target" if 2 * self._held_up > self._ticks else "",
        )
        self._ticks = self._held_up = 0

    def _whereabouts(self, newest: int | None, seconds: float) -> str:
        """Say how far in time it is, and what is left, judged by the range read."""
        oldest, at = self._reading.oldest, self._reading.newest
        if oldest is None or at is None or newest is None:
            return "looking for the oldest event"
        done = (at - oldest + 1) / max(newest - oldest + 1, 1)
        left = seconds * (1 - done) / done if done else 0
        return f"up to {iso(at)}, {done:.0%} of the time range, {left:.0f} s left"


def _waits_for_target(reader: Reader) -> bool:
    """Tell whether all that is missing is that the target takes what is read.

    The window that is written next may always be read, however full the buffer is. So
    where no worker may read, it is read already. A single look does not prove that the
    target is slow: the window may have come this very moment.
    """
    return reader.waiting == reader.workers


def summary(report: Report) -> str:
    """Say in one line what came of a feed."""
    if not report.asked or report.complete is None:
        return f"{report.scope}: nothing was read: {report.reason}"
    line = (
        f"{report.scope}: {report.emitted:,} events emitted, {report.known:,} already"
        f" known, {report.read:,} read in {report.requests:,} requests"
        f" ({report.retries:,} retried), asked {_asked(report)}"
    )
    if report.filtered:
        line += f", {report.filtered:,} left out by stream_maps"
    line += _repeated(report)
    scan = report.scan
    if scan is not None:
        line += f"; late-arrival scan {_asked(scan)}: {scan.emitted:,} emitted"
        line += _repeated(scan)
    if report.late:
        line += f"; {report.late:,} late by up to {report.latest_by:,} s"
    complete = report.complete and (scan is None or scan.complete is not False)
    return line + ("; complete" if complete else f"; NOT complete: {report.reason}")


def _asked(reading: Reading) -> str:
    asked = "for everything"
    if reading.window_start is not None:
        asked = f"from {iso(reading.window_start)}"
    if reading.window_end is not None:
        asked += f" before {iso(reading.window_end)}"
    return asked


def _repeated(reading: Reading) -> str:
    """Say which events were emitted again, and why."""
    line, short = "", reading.repeated_short
    if late := reading.repeated - short:
        line += f", {late:,} emitted again because several late ones are among them"
    if short:
        line += (
            f", {short:,} emitted again because the API no longer shows an event that"
            " was emitted with them"
        )
    return line
