"""The counts of one run of a feed, and what the log and `sync_reports` say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_openai_audit.singer.sync_reports import Row
from tap_openai_audit.timestamps import iso
from tap_openai_audit.windows import BEGINNING
from tap_openai_audit.workspace.position import LOOKBACK_SECONDS

if TYPE_CHECKING:
    from tap_openai_audit.workspace.state import FeedState


@dataclass
class FeedReport:
    """The counts and bounds of one run of a feed. Times are Unix seconds."""

    feed: str
    """`workspace_audit` or `workspace_auth`."""
    started_at: int
    finished_at: int | None = None
    asked: bool = False
    """Whether files were listed."""
    window_start: int | None = None
    """Files that end later were listed. None: all there are."""
    window_end: int | None = None
    """Files that end earlier were listed. None: all up to now."""
    oldest: int | None = None
    """The oldest event read."""
    newest: int | None = None
    """The newest event read."""
    requests: int = 0
    retries: int = 0
    read: int = 0
    """Events read."""
    emitted: int = 0
    """Records written."""
    filtered: int = 0
    """Events of which a stream map made no record."""
    known: int = 0
    """Events read that another file had."""
    late: int = 0
    """Events emitted of files that end before the bookmark that the run began with."""
    latest_by: int = 0
    """How many seconds before that bookmark the earliest of these files ends."""
    complete: bool = False
    """Whether all files were read in full."""
    reason: str | None = None
    """Why they were not."""

    def summary(self) -> str:
        """Say in one line what came of the run."""
        if not self.asked:
            return f"{self.feed}: nothing was read: {self.reason}"
        asked = "for everything"
        if self.window_start is not None:
            asked = f"from {iso(self.window_start)}"
        if self.window_end is not None:
            asked += f" before {iso(self.window_end)}"
        line = (
            f"{self.feed}: {self.emitted:,} events emitted, {self.known:,} already"
            f" known, {self.read:,} read in {self.requests:,} requests"
            f" ({self.retries:,} retried), asked {asked}"
        )
        if self.filtered:
            line += f", {self.filtered:,} left out by stream_maps"
        if self.late:
            line += f"; {self.late:,} late by up to {self.latest_by:,} s"
        return line + (
            "; complete" if self.complete else f"; NOT complete: {self.reason}"
        )

    def row(self, before: FeedState, after: FeedState, look_from: str | None) -> Row:
        """Return the row for `sync_reports`.

        Args:
            before: The state that the run began with.
            after: The state that it left.
            look_from: From where the next run lists files; None from the beginning.
        """
        return Row(
            scope=self.feed,
            started_at=self.started_at,
            finished_at=self.finished_at,
            requests=self.requests,
            retries=self.retries,
            events_read=self.read,
            events_emitted=self.emitted,
            events_filtered=self.filtered,
            complete=self.complete,
            reason=self.reason,
            own={
                "chain_id": after.chain_id,
                "previous_run_id": before.run_id,
                "window_start": _iso(self.window_start),
                "window_end": _iso(self.window_end),
                "oldest_event_at": _iso(self.oldest),
                "newest_event_at": _iso(self.newest),
                "bookmark": after.position.bookmark,
                "look_from": look_from,
                "covered_from": _iso(after.covered_from),
                "lookback_seconds": LOOKBACK_SECONDS,
                "events_known": self.known,
                "events_late": self.late,
                "events_repeated": 0,
                "greatest_lateness_seconds": self.latest_by,
            },
        )


def _iso(second: int | None) -> str | None:
    """Write a time; null for none, and for the beginning of everything."""
    return None if second is None or second == BEGINNING else iso(second)
