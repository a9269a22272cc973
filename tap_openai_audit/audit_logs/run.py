"""One run of one scope: from the state of the last run to the state of this one."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_openai_audit.audit_logs.api import AuditLog
from tap_openai_audit.audit_logs.days import DAY
from tap_openai_audit.audit_logs.deep_look import DeepLook
from tap_openai_audit.audit_logs.extract import extract
from tap_openai_audit.audit_logs.incremental import Incremental
from tap_openai_audit.audit_logs.position import (
    CLOCK_TOLERANCE,
    Asked,
    is_in_the_future,
    range_to_look_at_deeply,
    range_to_read,
)
from tap_openai_audit.audit_logs.reader import Reader
from tap_openai_audit.audit_logs.report import Report
from tap_openai_audit.audit_logs.sifting import Written
from tap_openai_audit.audit_logs.state import SKETCH_BUDGET, Change, Filters, ScopeState
from tap_openai_audit.errors import Interrupted, RequestFailed
from tap_openai_audit.singer.periods import due_again_at
from tap_openai_audit.singer.progress import Progress
from tap_openai_audit.timestamps import iso
from tap_openai_audit.windows import BEGINNING, END, Window

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence

    from tap_openai_audit.audit_logs.emitted_ids import EmittedIds, KnownIds
    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.audit_logs.look import Look
    from tap_openai_audit.audit_logs.position import Position
    from tap_openai_audit.singer.session import Session


_RESPONSES_THAT_AGREE = 2
"""How many responses must tell that a bookmark lies in the future: to set it back for
one wrong `Date` would repeat what is emitted."""


@dataclass(frozen=True)
class OtherScopes:
    """What a scope has to know of the others."""

    known: Sequence[KnownIds] = ()
    """What they have emitted."""

    reached: int = BEGINNING
    """Their latest bookmark, in Unix seconds. A start date before it is no slip,
    however quiet a scope is."""


class ScopeRun:
    """Reads a scope from where its state says, and says where the next run begins."""

    def __init__(
        self,
        scope: str,
        before: ScopeState,
        session: Session,
        logger: logging.Logger,
        others: OtherScopes | None = None,
    ) -> None:
        """Begin.

        Args:
            scope: `organization` or `tenant`.
            before: What the last run left.
            session: Settings, client and signals.
            logger: Told how far reading is, and what the settings and the state leave
                out.
            others: What the other scopes have emitted, and how far they are.
        """
        self.scope = scope
        self.report = Report(scope=scope, started_at=int(time.time()))
        self.before = before
        self.after = before
        """What the next run begins with: as of the last checkpoint."""
        self._session = session
        self._logger = logger
        self._others = others or OtherScopes()
        self._source = AuditLog(session.client, scope, session.settings.filters)
        self._looks: list[Look] = []
        self._readers: list[Reader] = []
        self._is_set_back = False

    @property
    def emitted(self) -> list[EmittedIds]:
        """The ids of this run."""
        return [look.emitted for look in self._looks]

    @property
    def is_first(self) -> bool:
        """Whether no run before has read this scope."""
        return self.before.position.is_new

    @property
    def pages_came(self) -> bool:
        """Whether the API has answered a request of this run."""
        return any(reader.pages for reader in self._readers)

    def extract(
        self,
        write: Callable[[Sequence[Event]], Written],
        save: Callable[[ScopeState], None],
        size: int,
    ) -> None:
        """Read the scope, write what is new, and keep the state in step.

        Args:
            write: Writes records of events, all or none.
            save: Saves the state, which confirms all that was written.
            size: The most events between two checkpoints.

        Raises:
            TapError: If not all of it can be read.
        """
        if not self._source.asked:
            # The state stays as it is: once asked for again they are read from there.
            self.report.reason = "no event type of this scope is asked for"
            self.report.complete = None
            return
        client = self._session.client
        requests, retries = client.requests, client.retries

        def read(look: Look) -> None:
            def checkpoint() -> None:
                self.after = self._state(look)
                if not self.after.position.is_new:
                    save(self.after)

            self._looks.append(look)
            extract(
                self._reader(look),
                look,
                write=write,
                checkpoint=checkpoint,
                size=size,
            )

        try:
            regular = self._begin()
            read(regular)
            deep = self._deep_look(regular.window.start)
            if deep is not None:
                read(deep)
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
        look = self._begin()
        reader = self._reader(look)
        for read in reader:
            look.learn(now=reader.served_at, newest=reader.newest)
            for batch in look.batches(read, len(read.events) or 1):
                yield from batch.new
                look.advance(batch, Written(len(batch.new), batch.new))

    def _begin(self) -> Incremental:
        """Prepare the regular look, from where the state says.

        Raises:
            BadState: If the state is of another organization.
        """
        self.before.refuse_others_than(self._session.settings.organization_id)
        asked = self._asked
        position = self._placed_by_the_apis_clock(self.before.position)
        window = range_to_read(asked, position)
        self._note_what_changed(window)
        self._warn_of_dates(window)
        if self.before.filters not in (None, self._made.filters):
            # Under other filters it has other events: it cannot be compared.
            position = position.forgetting(window.start)
        return Incremental(asked, position, self.report, elsewhere=self._others.known)

    @property
    def _asked(self) -> Asked:
        settings = self._session.settings
        return Asked(
            settings.start,
            settings.end,
            settings.lookback_seconds,
            settings.deep_lookback_days * DAY,
        )

    def _deep_look_is_due(self) -> bool:
        """Whether it is time for a deep look, by the API's clock."""
        settings, last = self._session.settings, self.before.deep_look_at
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

    def _deep_look(self, end: int) -> DeepLook | None:
        """Prepare a deep look, if one is due.

        Args:
            end: Where the regular look of this run began.
        """
        position = self.after.position
        window = range_to_look_at_deeply(self._asked, position, end)
        if window.start == window.end or not self._deep_look_is_due():
            return None
        return DeepLook(
            window,
            position,
            self.report,
            began_at=self.before.position.bookmark,
            elsewhere=self._others.known,
        )

    def _reader(self, look: Look) -> Reader:
        deep = ", deep look" if isinstance(look, DeepLook) else ""
        progress = Progress(self._logger, f"{self.scope}{deep}", look.reading)

        def heartbeat() -> None:
            self._session.signals.check()
            progress.tick(reader)

        reader = Reader(
            self._source,
            look.window,
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
        covered_from = before.covered_from
        if self.is_first:
            covered_from = window.start
        elif before.filters is None:
            covered_from = BEGINNING if settings.start is None else settings.start
            self._logger.info(
                "The state of the %s events is of version 0.1.0, which did not keep the"
                " organization, the filters and the start_date: those of the settings"
                " are assumed",
                self.scope,
            )
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
        self._made = ScopeState(
            before.position,
            settings.organization_id,
            filters,
            covered_from,
            before.chain_id or str(uuid.uuid4()),
            self._session.run_id,
            before.deep_look_at,
        )

    def _warn_of_dates(self, window: Window) -> None:
        """Say which part of what the settings ask for is not read."""
        settings, covered_from = self._session.settings, self._made.covered_from
        start = BEGINNING if settings.start is None else settings.start
        if self.is_first:
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
            bookmark, covered_from, self._others.reached
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
            self._logger.warning(
                "end_date %s lies before %s, up to where the state says that the %s"
                " events are emitted: nothing is read; a state id of its own reads an"
                " old period",
                iso(settings.end),
                iso(window.start),
                self.scope,
            )
            self.report.reason = "nothing is left to read before end_date"

    def _state(self, look: Look) -> ScopeState:
        position = look.position(SKETCH_BUDGET[self.scope])
        if self._session.client.api_clock.responses:
            with suppress(RequestFailed, Interrupted):
                position = self._set_back(position)
        report, deep_look_at = self.report, self.before.deep_look_at
        everything = self.is_first and report.complete
        if everything or (report.deep is not None and report.deep.complete):
            deep_look_at = self._session.client.api_clock.latest()
        return replace(self._made, position=position, deep_look_at=deep_look_at)
