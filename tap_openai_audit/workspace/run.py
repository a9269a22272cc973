"""One run of a workspace's feed: from the state of the last run to that of this one."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from tap_openai_audit.timestamps import iso, unix
from tap_openai_audit.windows import BEGINNING
from tap_openai_audit.workspace.api import DOWNLOADS_PER_MINUTE, WorkspaceLogs
from tap_openai_audit.workspace.feed import Feed
from tap_openai_audit.workspace.feed_report import FeedReport
from tap_openai_audit.workspace.position import Asked
from tap_openai_audit.workspace.state import FeedState

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Sequence

    from tap_openai_audit.workspace.log_files import LogEvent, LogFile
    from tap_openai_audit.workspace.reports import FileReport
    from tap_openai_audit.workspace.session import WorkspaceSession
    from tap_openai_audit.workspace.settings import WorkspaceSettings

_INTERVAL_SECONDS = 10.0
"""Between two lines of the log, as for the organization's events."""


def asked_of(settings: WorkspaceSettings) -> Asked:
    """Return what the settings ask for."""
    return Asked(
        settings.start,
        settings.end,
        settings.deep_lookback_days,
        settings.deep_lookback_every_hours,
    )


def source_of(event_type: str, session: WorkspaceSession) -> WorkspaceLogs:
    """Return where the files of a type of events come from."""
    id_ = session.settings.workspace_id
    return WorkspaceLogs(session.listings, session.downloads, id_, event_type)


class FeedRun:
    """Reads a feed from where its state says, and says where the next run begins.

    It is what the engine calls a sink.
    """

    def __init__(  # noqa: PLR0913 - what comes in, and what is done with it
        self,
        feed: str,
        event_type: str,
        before: FeedState,
        session: WorkspaceSession,
        logger: logging.Logger,
        *,
        write: Callable[[LogFile, Sequence[LogEvent]], Sequence[LogEvent]],
        enter: Callable[[FileReport], None],
        save: Callable[[FeedState], None],
    ) -> None:
        """Begin.

        Args:
            feed: `workspace_audit` or `workspace_auth`.
            event_type: The API's name for the type of its events.
            before: What the last run left.
            session: Settings, clients and signals.
            logger: Told how far reading is.
            write: Writes records of events, all or none, and returns those of which
                there is one.
            enter: Enters a file that is done in the ledger.
            save: Saves the state, which confirms all that was written.
        """
        settings = session.settings
        self.report = FeedReport(feed, started_at=int(time.time()))
        self.before = before
        is_first = before.position.is_new
        start = BEGINNING if settings.start is None else settings.start
        # Its position moves on in place.
        self.after = FeedState(
            before.position,
            settings.workspace_id,
            start if is_first else before.covered_from,
            before.chain_id or str(uuid.uuid4()),
            session.run_id,
        )
        self.asked = asked_of(settings)
        self.write, self.enter, self._save = write, enter, save
        self._event_type = event_type
        self._session = session
        self._logger = logger
        self._feed: Feed | None = None
        self._began = self._told_at = time.monotonic()

    @property
    def look_from(self) -> str | None:
        """From where the next run lists again; None from the beginning."""
        position = self.after.position
        if position.bookmark is None:
            return None
        return position.lists_after(self.asked, deep=False)

    @property
    def flawed(self) -> Sequence[FileReport]:
        """Files that could not be read in full."""
        return () if self._feed is None else self._feed.flawed

    def extract(self, lost: Collection[int], size: int) -> None:
        """Read the feed, write what is new, and keep the state in step.

        Args:
            lost: Days whose rows in the ledger are lost.
            size: The most events between two checkpoints.

        Raises:
            TapError: If not all of it can be read.
        """
        self.before.refuse_others_than(self._session.settings.workspace_id)
        self._warn_of_dates()
        source = source_of(self._event_type, self._session)
        position = self.after.position
        self._feed = Feed(
            source, position, self.asked, self.report, self, lost=lost, size=size
        )
        clock = self._session.listings.api_clock
        deep = position.is_deep_look_due(self.asked, clock.latest())
        both = (self._session.listings, self._session.downloads)
        requests = sum(client.requests for client in both)
        retries = sum(client.retries for client in both)
        try:
            self._feed.read(self._heartbeat, now=clock.latest, deep=deep)
        finally:
            # Those that failed are counted as well.
            self.report.requests = sum(client.requests for client in both) - requests
            self.report.retries = sum(client.retries for client in both) - retries
            for found in self._feed.mislabelled:
                self._logger.warning(
                    "The file %s of %s is not as the API declares it, but came twice"
                    " alike and can be read: it is written, and its row in"
                    " workspace_log_files says so",
                    found.file.id,
                    found.file.end_time,
                )

    def checkpoint(self) -> None:
        """Save the state, also of a feed that was read to its end and is empty.

        Without it the next run would begin another chain.
        """
        if self.report.complete or not self.after.position.is_new:
            self._save(self.after)

    def _heartbeat(self) -> None:
        self._session.signals.check()
        now = time.monotonic()
        if self._feed is None or now - self._told_at < _INTERVAL_SECONDS:
            return
        self._told_at = now
        limited = self._session.pace.is_at_its_limit
        bookmark = self.after.position.bookmark
        self._logger.info(
            "%s: %s events of %s files in %.0f s, %s%s",
            self.report.feed,
            f"{self.report.read:,}",
            f"{self._feed.files:,}",
            now - self._began,
            "looking for the first file" if bookmark is None else f"up to {bookmark}",
            f", at the {DOWNLOADS_PER_MINUTE} downloads a minute that the API allows"
            if limited
            else "",
        )

    def _warn_of_dates(self) -> None:
        """Say which part of what the settings ask for is not read."""
        settings, before = self._session.settings, self.before
        bookmark = before.position.bookmark
        start = BEGINNING if settings.start is None else settings.start
        if bookmark is None:
            return
        if start < before.covered_from:
            self._logger.warning(
                "The files of %s before %s are not covered: the state was made under a"
                " later start_date, and the run goes on from it. Without a state (in"
                " Meltano --full-refresh) they are read as long as the API has them",
                self.report.feed,
                iso(before.covered_from),
            )
        if start > unix(bookmark):
            self._logger.warning(
                "start_date %s lies after the bookmark of %s, %s: the run goes on from"
                " the bookmark, so that nothing in between is left out; without a"
                " state it begins at start_date",
                iso(start),
                self.report.feed,
                bookmark,
            )
