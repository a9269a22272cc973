"""One run of one feed: from the state of the last run to the state of this one."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.api import AuditLog
from tap_openai_audit.audit_logs.days import DAY
from tap_openai_audit.audit_logs.digests import Digest, digests_of
from tap_openai_audit.audit_logs.extract import extract
from tap_openai_audit.audit_logs.incremental import Incremental
from tap_openai_audit.audit_logs.position import (
    CLOCK_TOLERANCE,
    Asked,
    is_in_the_future,
    range_to_read,
    range_to_scan,
)
from tap_openai_audit.audit_logs.range_read import Written
from tap_openai_audit.audit_logs.reader import Reader
from tap_openai_audit.audit_logs.report import Report
from tap_openai_audit.audit_logs.scan import LateArrivalScan
from tap_openai_audit.audit_logs.state import (
    MOST_SET_ASIDE,
    Change,
    Filters,
    ScopeState,
)
from tap_openai_audit.errors import BadState, Interrupted, RequestFailed
from tap_openai_audit.singer.periods import due_again_at
from tap_openai_audit.singer.progress import Progress
from tap_openai_audit.timestamps import iso
from tap_openai_audit.windows import BEGINNING, END, Window

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence

    from tap_openai_audit.audit_logs.emitted_ids import EmittedIds, KnownIds
    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.audit_logs.position import Position
    from tap_openai_audit.audit_logs.range_read import RangeRead
    from tap_openai_audit.singer.session import Session


_LONGEST_ID = 100
"""Characters of an id that a state or a report keeps. The API's own have fewer than
50."""

_RESPONSES_THAT_AGREE = 2
"""How many responses must tell that a bookmark lies in the future: to set it back for
one wrong `Date` would repeat what is emitted."""


@dataclass(frozen=True)
class OtherFeed:
    """What a feed has to know of the other one."""

    known: Sequence[KnownIds] = ()
    """What it has emitted."""

    reached: int = BEGINNING
    """Its bookmark, in Unix seconds. A start date before it is no slip, however quiet a
    feed is."""

    follows: bool = False
    """Whether it is still to be read in this run."""


class ScopeRun:
    """Reads a feed from where its state says, and says where the next run begins."""

    def __init__(  # noqa: PLR0913 - what a run is given
        self,
        scope: str,
        before: ScopeState,
        session: Session,
        logger: logging.Logger,
        other: OtherFeed | None = None,
        *,
        reports_all: bool = False,
    ) -> None:
        """Begin.

        Args:
            scope: The feed: `organization` or `tenant`.
            before: What the last run left.
            session: Settings, client and signals.
            logger: Told how far reading is, and what the settings and the state leave
                out.
            other: What the other feed has emitted, and how far it is.
            reports_all: Whether the digests of all days are to be written again.
        """
        self.scope = scope
        self.report = Report(scope=scope, started_at=int(time.time()))
        self.before = before
        self.after = before
        """What the next run begins with: as of the last checkpoint."""
        self._session = session
        self._logger = logger
        self._other = other or OtherFeed()
        self._reports_all = reports_all
        self._source = AuditLog(session.client, scope, session.settings.filters)
        self._reads: list[RangeRead] = []
        self._readers: list[Reader] = []
        self._is_set_back = False
        self._number = before.number

    @property
    def emitted(self) -> list[EmittedIds]:
        """The ids of this run."""
        return [read.emitted for read in self._reads]

    @property
    def is_first(self) -> bool:
        """Whether no run before has read this feed."""
        return self.before.position.is_new

    @property
    def pages_came(self) -> bool:
        """Whether the API has answered a request of this run."""
        return any(reader.pages for reader in self._readers)

    @property
    def set_aside(self) -> list[str]:
        """The ids of events without a usable time that this run has seen."""
        scan = self.report.scan
        found = {**self.report.set_aside, **(scan.set_aside if scan else {})}
        return [id_[:_LONGEST_ID] for id_ in found]

    def extract(
        self,
        write: Callable[[Sequence[Event]], Written],
        save: Callable[[ScopeState, Sequence[Digest]], None],
        size: int,
    ) -> None:
        """Read the feed, write what is new, and keep the state in step.

        Args:
            write: Writes records of events, all or none.
            save: Writes digests, and then the state, which confirms all that was
                written.
            size: The most events between two checkpoints.

        Raises:
            TapError: If not all of it can be read.
        """
        if not self._source.asked:
            # The state stays as it is: once asked for again they are read from there.
            self.report.reason = "no event type of this feed is asked for"
            self.report.complete = None
            return
        client = self._session.client
        requests, retries = client.requests, client.retries

        def read(reading: RangeRead) -> None:
            def checkpoint() -> None:
                after, changed = self._state(reading)
                if not after.position.is_new:
                    self.after = after
                    save(after, changed)

            if self._reports_all:
                reading.days.report_all()
                self._reports_all = False
            self._reads.append(reading)
            extract(
                self._reader(reading),
                reading,
                write=write,
                checkpoint=checkpoint,
                size=size,
            )

        try:
            incremental = self._begin()
            read(incremental)
            scan = self._scan(incremental.window.start)
            if scan is not None:
                read(scan)
        finally:
            # Those that failed are counted as well.
            self.report.requests = client.requests - requests
            self.report.retries = client.retries - retries

    def events(self) -> Iterator[Event]:
        """Read what is new, for use as a library. It keeps no state.

        Raises:
            TapError: If not all of it can be read.
        """
        if not self._source.asked:
            return
        reading = self._begin()
        reader = self._reader(reading)
        for read in reader:
            reading.learn(now=reader.served_at, newest=reader.newest)
            for batch in reading.batches(read, len(read.events) or 1):
                yield from batch.new
                reading.advance(batch, Written(len(batch.new), batch.new))

    def _begin(self) -> Incremental:
        """Prepare the incremental read, from where the state says.

        Raises:
            BadState: If the state is of another organization, or of another run.
        """
        self.before.refuse_others_than(self._session.settings.organization_id)
        asked = self._asked
        self._refuse_the_state_of_another_run()
        position = self._placed_by_the_apis_clock(self.before.position)
        window = range_to_read(asked, position)
        self._note_what_changed(window)
        self._warn_of_dates(window)
        changed = self.before.filters not in (None, self._made.filters)
        if changed:
            # It has other events under other filters: what is not read again is not
            # compared, and the digests of a run that was killed may be of events that
            # are not read any more.
            position = position.forgetting_before(window.start)
            self._reports_all = True
        return Incremental(
            asked,
            position,
            self.report,
            self._other.known,
            may_be_cut_off=not changed,
            remembers=self._other.follows,
        )

    def _refuse_the_state_of_another_run(self) -> None:
        """Refuse a state whose range does not go with the settings.

        Two runs that share a folder may take each other's state.

        Raises:
            BadState: If it is so.
        """
        before, end = self.before, self._session.settings.end
        bookmark = before.position.bookmark
        if before.chain_id is None or before.position.is_new:
            return
        reads = (
            "up to now" if before.end_date is None else f"before {iso(before.end_date)}"
        )
        asks = "up to now" if end is None else f"before {iso(end)}"
        if before.end_date is not None and end is None:
            why = "its end_date is not set"
        elif end is not None and bookmark is not None and end <= bookmark:
            why = f"everything up to {iso(bookmark)} is emitted"
        else:
            return
        raise BadState(
            f"The state of the {self.scope} events is of the chain {before.chain_id},"
            f" which reads from {_iso(before.covered_from)} {reads}; this run reads"
            f" from {_iso(self._session.settings.start)} {asks}, and {why}",
            "it may be the state of another run: give each run a state id of its own,"
            " and where two run in one folder MELTANO_SYS_DIR_ROOT as well; to go on"
            " from it set an end_date that is not earlier than what it says",
        )

    @property
    def _asked(self) -> Asked:
        settings = self._session.settings
        return Asked(
            settings.start,
            settings.end,
            settings.lookback_seconds,
            settings.deep_lookback_days * DAY,
        )

    def _scan_is_due(self) -> bool:
        """Whether it is time for a late-arrival scan, by the API's clock."""
        settings, last = self._session.settings, self.before.scanned_at
        if not settings.deep_lookback_days or self.is_first:
            return False
        if last is None or not settings.deep_lookback_every_hours:
            return True
        now = self._session.client.api_clock.latest()
        # A clock that was set back a little makes nothing due.
        return (
            not last - CLOCK_TOLERANCE
            < now
            < due_again_at(last, settings.deep_lookback_every_hours)
        )

    def _scan(self, end: int) -> LateArrivalScan | None:
        """Prepare a late-arrival scan, if one is due.

        Args:
            end: Where the incremental read of this run began.
        """
        position = self.after.position
        window = range_to_scan(self._asked, position, end)
        if window.start == window.end or not self._scan_is_due():
            return None
        return LateArrivalScan(
            window,
            position,
            self.report,
            began_at=self.before.position.bookmark,
            elsewhere=self._other.known,
            remembers=self._other.follows,
        )

    def _reader(self, reading: RangeRead) -> Reader:
        scan = ", late-arrival scan" if isinstance(reading, LateArrivalScan) else ""
        progress = Progress(self._logger, f"{self.scope}{scan}", reading.reading)

        def heartbeat() -> None:
            self._session.signals.check()
            progress.tick(reader)

        reader = Reader(
            self._source,
            reading.window,
            workers=self._session.settings.concurrency,
            heartbeat=heartbeat,
        )
        self._readers.append(reader)
        return reader

    def _placed_by_the_apis_clock(self, position: Position) -> Position:
        """Set a bookmark back that lies in the future, by the API's own clock.

        This machine's clock only raises the suspicion.

        Raises:
            RequestFailed: If the API cannot be asked.
        """
        if not is_in_the_future(position, int(time.time())):
            return position
        return self._set_back(position)

    def _set_back(self, position: Position) -> Position:
        """Set a bookmark back if two responses at least agree that it is ahead."""
        clock = self._session.client.api_clock
        while (
            is_in_the_future(position, clock.latest())
            and clock.responses < _RESPONSES_THAT_AGREE
        ):
            at = min(position.bookmark or 0, END - 1)
            page = self._source.read_page(Window(at, END), None)
            if page.date is None:
                break
        now = clock.latest()
        if not is_in_the_future(position, now) or position.bookmark is None:
            return position
        if not self._is_set_back:
            self._is_set_back = True
            self._logger.warning(
                "The bookmark of the %s events, %s, lies in the future: it is set back"
                " to now; what happened since the last run may be missing, a full"
                " refresh reads it, and what was emitted of the last hours may be"
                " emitted again",
                self.scope,
                iso(position.bookmark),
            )
        return position.set_back(now, self._session.settings.lookback_seconds)

    def _note_what_changed(self, window: Window) -> None:
        """Work out from when on this chain covers what the settings ask for."""
        settings, before = self._session.settings, self.before
        filters = Filters.of(self._source.filters)
        covered_from, end = before.covered_from, settings.end
        if before.filters is None or before.position.is_empty:
            covered_from = window.start
        else:
            change = before.filters.change_to(filters)
            if change is Change.WIDENED:
                covered_from = window.start
            elif change is Change.NARROWED:
                self._logger.info(
                    "The filters of the %s events became narrower (before: %s, now:"
                    " %s): what they leave out is not read from here on",
                    self.scope,
                    before.filters,
                    filters,
                )
            if before.end_date is None:
                end = None
        self._made = ScopeState(
            before.position,
            settings.organization_id,
            filters,
            covered_from,
            end,
            before.chain_id or str(uuid.uuid4()),
            self._session.run_id,
            scanned_at=before.scanned_at,
        )

    def _warn_of_dates(self, window: Window) -> None:
        """Say which part of what the settings ask for is not read."""
        settings, covered_from = self._session.settings, self._made.covered_from
        start = BEGINNING if settings.start is None else settings.start
        if self.before.position.is_empty:
            if start > time.time():
                self._logger.warning(
                    "start_date %s lies in the future: nothing is read before it",
                    iso(start),
                )
            return
        if start < covered_from:
            self._logger.warning(
                "The %s events before %s are not covered, or not all of them: the state"
                " was made under a later start_date or under narrower filters, and the"
                " run goes on from it. Without a state (in Meltano --full-refresh) they"
                " are read, and a target with a primary key keeps one of each; or with"
                " a state of its own and end_date %s; start_date %s accepts that they"
                " are missing",
                self.scope,
                *[iso(covered_from)] * 3,
            )
        bookmark = self.before.position.bookmark
        if bookmark is not None and start > max(
            bookmark, covered_from, self._other.reached
        ):
            self._logger.warning(
                "start_date %s lies after the bookmark of the %s events, %s: the run"
                " goes on from the bookmark, so that nothing in between is left out;"
                " without a state, or with one of its own, it begins at start_date",
                iso(start),
                self.scope,
                iso(bookmark),
            )
        if settings.end is not None and window.start >= window.end:
            self.report.reason = "nothing is left to read before end_date"

    @property
    def _all_set_aside(self) -> tuple[str, ...]:
        """The ids of events without a usable time, as many as a state keeps."""
        found = dict.fromkeys([*self.before.set_aside, *self.set_aside])
        return (*found,)[:MOST_SET_ASIDE]

    def _state(self, reading: RangeRead) -> tuple[ScopeState, list[Digest]]:
        """Return what the next run begins with, and the digests that go before it."""
        position, changed = reading.position()
        if self._session.client.api_clock.responses:
            with suppress(RequestFailed, Interrupted):
                position = self._set_back(position)
        report, scanned_at = self.report, self.before.scanned_at
        everything = self.is_first and report.complete
        if everything or (report.scan is not None and report.scan.complete):
            scanned_at = self._session.client.api_clock.latest()
        self._number += 1
        covered_from = self._made.covered_from
        if position.bookmark is not None:
            covered_from = min(covered_from, position.bookmark)
        state = replace(
            self._made,
            position=position,
            covered_from=covered_from,
            number=self._number,
            scanned_at=scanned_at,
            set_aside=self._all_set_aside,
        )
        return state, digests_of(state, self.scope, changed)


def _iso(second: int | None) -> str:
    return "the beginning" if second in (None, BEGINNING) else iso(second or 0)
