"""Where a feed stands, and from where the next run lists files again.

Nothing promises that a file cannot become visible after one that ends later. So each
run lists again from some hours before the bookmark, and now and then from days before
it; what is done is known. The bookmark is only where that list is placed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_openai_audit.timestamps import iso, unix, utc
from tap_openai_audit.windows import BEGINNING
from tap_openai_audit.workspace.hashes import (
    EVENTS_SECONDS,
    KnownEvents,
    KnownFiles,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_openai_audit.workspace.log_files import LogFile
    from tap_openai_audit.workspace.reports import Begun

LOOKBACK_SECONDS = 12 * 3600
"""How far before its bookmark each run lists again: with a file every ten minutes that
is still one page."""

DAY = 86_400

FIRST_TIME = "2023-01-01T00:00:00+00:00"
"""Earlier than any file: the product did not exist. The API demands a time to list
after, and no clock is asked for one."""


@dataclass(frozen=True)
class Asked:
    """What the settings ask for. Times are Unix seconds."""

    start: int | None = None
    """Only files that end later are read. None for all."""
    end: int | None = None
    """Only files that end earlier are read. None for all."""
    deep_days: int = 0
    """How many days before the bookmark a deep look begins. 0 for none."""
    deep_every_hours: int = 24
    """How many hours lie between two deep looks."""


@dataclass
class Position:
    """Where a feed stands."""

    bookmark: str | None = None
    """The latest end of a file that is done, in the form of this tap."""
    known_from: int = BEGINNING
    """From which second on all files that are done are known."""
    files: KnownFiles = field(default_factory=KnownFiles)
    events: KnownEvents = field(default_factory=KnownEvents)
    begun: Begun | None = None
    deep_look_at: int | None = None
    """When the last deep look ended, in Unix seconds of the API's clock."""

    @property
    def is_new(self) -> bool:
        """Whether no file is done and none begun."""
        return self.bookmark is None and self.begun is None

    def is_deep_look_due(self, asked: Asked, now: int) -> bool:
        """Tell whether the days before the bookmark are to be listed again.

        Args:
            asked: What the settings ask for.
            now: The API's clock, in Unix seconds.
        """
        if self.bookmark is None or not asked.deep_days:
            return False
        last = self.deep_look_at
        # A time in the future proves that a clock was wrong.
        return last is None or not 0 <= now - last < asked.deep_every_hours * 3600

    def lists_after(
        self, asked: Asked, *, deep: bool, days: Collection[int] = ()
    ) -> str:
        """Return the time after which files are listed.

        Args:
            asked: What the settings ask for.
            deep: Whether this is a deep look.
            days: Days to be listed as well, by the second at which each begins.
        """
        if self.bookmark is None:
            return FIRST_TIME if asked.start is None else iso(asked.start)
        seconds = LOOKBACK_SECONDS
        if deep:
            seconds = max(seconds, asked.deep_days * DAY)
        at = int(unix(self.bookmark) // 1) - seconds
        # A file may end in the very first second of a day.
        at = min([at, *(day - 1 for day in days)])
        return iso(max(at, self.known_from, int(unix(FIRST_TIME))))

    def finish(self, file: LogFile, asked: Asked, now: int) -> None:
        """Count a file as done.

        Args:
            file: The file.
            asked: What the settings ask for.
            now: The API's clock, in Unix seconds. The bookmark never goes beyond it: a
                file that ends in the future says nothing of those that come until then.
        """
        if self.bookmark is None:
            after = unix(self.lists_after(asked, deep=False))
            self.known_from = int(after)
        end_time = utc(file.end_time) if file.at <= now else iso(now)
        if self.bookmark is None or unix(end_time) > unix(self.bookmark):
            self.bookmark = end_time
        self.begun = None
        self.files.add(file)
        newest = int(unix(self.bookmark) // 1)
        keep = max(LOOKBACK_SECONDS, asked.deep_days * DAY)
        known_from = self.files.forget_before(newest - keep)
        # So many files of one time that the state cannot hold them are read again.
        self.known_from = max(self.known_from, min(known_from, newest))
        self.events.forget_before(newest - EVENTS_SECONDS)
