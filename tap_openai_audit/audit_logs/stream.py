"""The stream of audit events: each feed is a partition with a state of its own.

The SDK would read one page after the other, newest first, and cannot resume such a
stream. Here the engine reads, and hands over events oldest first; this module writes
them, and has the SDK's features take part where they are used. The way of a feed:

    Tap.sync_all -> begin_chains            the first STATE
      Stream.sync                           the SDK
        _sync_records -> _sync_feed         for each feed, with its part of the state
          ScopeRun.extract                  what the state and the settings ask for
            extract                         windows in, batches out
              Reader, Incremental           what is there, and what of it is new
              _write                        RECORD messages
              AuditLogDigests.write         the digests of the days that have changed,
              ScopeState.write -> STATE     now and then, and at the end
          Ledger.enter                      the record for `sync_reports`
"""

from __future__ import annotations

import sys
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_openai_audit.audit_logs.api import refuses_tenant_events
from tap_openai_audit.audit_logs.event_types import ORGANIZATION, TENANT
from tap_openai_audit.audit_logs.range_read import Written
from tap_openai_audit.audit_logs.record import Recorder
from tap_openai_audit.audit_logs.run import OtherFeed, ScopeRun
from tap_openai_audit.audit_logs.schema import SCHEMA
from tap_openai_audit.audit_logs.state import Filters, ScopeState
from tap_openai_audit.errors import (
    EventsSetAside,
    MapFailed,
    StreamFailed,
    TapError,
    TargetStopped,
    Terminated,
)
from tap_openai_audit.singer.checkpoint import CHECKPOINT_EVENTS
from tap_openai_audit.singer.event_stream import EventStream
from tap_openai_audit.singer.progress import summary
from tap_openai_audit.singer.scope_row import row_of
from tap_openai_audit.singer.state_input import partitions_of
from tap_openai_audit.timestamps import iso
from tap_openai_audit.windows import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.metrics import Counter

    from tap_openai_audit.audit_logs.digest_stream import AuditLogDigests
    from tap_openai_audit.audit_logs.digests import Digest
    from tap_openai_audit.audit_logs.emitted_ids import KnownIds
    from tap_openai_audit.audit_logs.events import Event
    from tap_openai_audit.singer.session import Session
    from tap_openai_audit.singer.sync_reports import Ledger
    from tap_openai_audit.singer.writer import LineWriter


_COUNTED_BY = ("id", "effective_at", "scope", "organization_id")
"""The columns by which a warehouse counts what a digest has counted."""


class AuditLogs(EventStream):
    """Administrative events of the organization: who did what, when and from where."""

    name = "audit_logs"
    primary_keys: ClassVar[Sequence[str]] = ("id",)
    replication_key = "effective_at"
    schema: ClassVar[dict[str, Any]] = SCHEMA

    def __init__(  # noqa: PLR0913 - all that a run hands to it
        self,
        tap: Tap,
        *,
        session: Callable[[], Session],
        writer: LineWriter,
        ledger: Ledger,
        digests: AuditLogDigests,
        failed: Callable[[TapError], None],
    ) -> None:
        """Take part in a run of a tap.

        Args:
            tap: What the SDK needs of it.
            session: Returns settings, client and signals, once they are needed.
            writer: Writes messages.
            ledger: Where each feed is entered.
            digests: The stream of what is counted.
            failed: Told what was not read in full. The run goes on and ends with it.
        """
        super().__init__(tap, writer=writer)
        self._session = session
        self._ledger = ledger
        self._failed = failed
        self._digests = digests
        self._changes_ids = False
        """Whether a stream map of this run has changed what records are counted by."""
        self._said_so = False
        self._begun: dict[str, ScopeState] = {}
        """What the last run left of each feed, with the chain that this run goes on."""

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        """The feeds to read. The organization's is never held up by the tenant's."""
        settings = self._session().settings
        tenant = [{"scope": TENANT}] if settings.tenant_events else []
        return [{"scope": ORGANIZATION}, *tenant]

    def check_bookmark(self, bookmark: Mapping[str, Any]) -> None:
        """Refuse a bookmark that does not hold the states of feeds.

        Raises:
            BadState: If something in it is not understood.
        """
        partitions_of(bookmark)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The records of one feed, for use as a library. It keeps no state.

        Raises:
            TapError: If they cannot be read in full.
        """
        scope = str((context or self.partitions[0])["scope"])
        recorder = Recorder(scope, self._session().settings.organization_id)
        state = ScopeState.read({})
        for event in ScopeRun(scope, state, self._session(), self.logger).events():
            yield recorder.record(event)

    def begin_chains(self) -> None:
        """Have the first STATE of the run say which chain each feed goes on.

        Some targets take the first STATE for confirmed. Whatever is written after it is
        of this chain, even if the run is killed.

        Raises:
            BadState: If the state cannot be read.
        """
        session, digests = self._session(), self._digests
        organization_id = session.settings.organization_id
        for context in self.partitions:
            scope = str(context["scope"])
            partition = self.get_context_state(context)
            before = ScopeState.read(partition)
            if before.organization_id not in (None, organization_id):
                # It is refused when the feed is read.
                continue
            begun = replace(before, chain_id=before.chain_id or str(uuid.uuid4()))
            self._begun[scope] = begun
            first = replace(
                begun,
                organization_id=organization_id,
                filters=before.filters or Filters(),
                run_id=session.run_id,
                number=0,
            )
            first.write(partition)
            if before.run_id is None or digests.went_with(scope, before.mark):
                digests.note(scope, first.mark)

    # There is no public way to write messages that are encoded already, nor to have a
    # state written elsewhere than after so many records: the SDK's loop also costs
    # several times the work on an event. `test_sdk_contract.py` watches this seam.
    @override
    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Sync each feed, the tenant's only where the organization's works."""
        emitted: list[KnownIds] = []
        partitions = [context] if context else self.partitions
        with self.get_record_counter() as counter, self.get_sync_timer() as timer:
            for place, partition in enumerate(partitions):
                counter.with_context(partition)
                timer.with_context(partition)
                follows = place + 1 < len(partitions)
                scope = str(partition["scope"])
                run = self._sync_feed(
                    scope, counter, self._other(scope, emitted, follows=follows)
                )
                if run is None:
                    break
                emitted += run.emitted
        yield from ()  # a generator, as the SDK expects

    def _sync_feed(
        self, scope: str, counter: Counter, other: OtherFeed
    ) -> ScopeRun | None:
        """Sync one feed. Whatever becomes of it is entered in the ledger.

        Returns:
            The run of the feed, None if it failed.
        """
        session = self._session()
        # The dictionary within the state of the tap: `save` changes it in place.
        state = self.get_context_state({"scope": scope})
        before = self._begun.get(scope) or ScopeState.read(state)
        run = ScopeRun(
            scope,
            before,
            session,
            self.logger,
            other,
            reports_all=self._digests_are_missing(scope, ScopeState.read(state)),
        )
        try:
            self._extract(run, counter, state)
        except TargetStopped as error:
            run.report.reason = str(error)
            raise
        except TapError as error:
            run.report.reason = str(error)
            # Only before the feed was ever read does a refusal mean that the
            # organization has no tenant events.
            first_request = run.is_first and not run.pages_came
            if scope == TENANT and first_request and refuses_tenant_events(error):
                self.logger.warning(
                    "Tenant events were not read, %s. The organization's events are not"
                    " affected; set tenant_events to false if there are none",
                    error,
                )
            else:
                self._failed(StreamFailed(f"audit_logs ({scope})", error))
                return None
        except Terminated as signal:
            run.report.reason = f"ended by {signal.signal.name}"
            raise
        else:
            self._report_set_aside(run)
        finally:
            run.report.finished_at = int(time.time())
            self._ledger.enter(session, row_of(run, session.settings))
            self.logger.info("%s", summary(run.report))
        return run

    def _report_set_aside(self, run: ScopeRun) -> None:
        """Fail for events without a usable time that no run has seen before."""
        new = [id_ for id_ in run.set_aside if id_ not in run.before.set_aside]
        if new:
            self._failed(EventsSetAside.of(run.scope, new))
        elif run.set_aside:
            self.logger.warning(
                "%d of the %s events have no usable effective_at and are not loaded, as"
                " in an earlier run: sync_reports has their ids",
                len(run.set_aside),
                run.scope,
            )

    def _digests_are_missing(self, scope: str, begun: ScopeState) -> bool:
        """Tell whether the last digests of a feed did not go with its state."""
        digests = self._digests
        if digests.went_with(scope, begun.mark):
            return False
        if digests.selected:
            self.logger.info(
                "The last digests of the %s events were not written, or not confirmed"
                " together with the state: those of the days that are still counted are"
                " written again, days before may lack one (does the target confirm all"
                " streams together?)",
                scope,
            )
        return True

    def _other(
        self, scope: str, emitted: Sequence[KnownIds], *, follows: bool
    ) -> OtherFeed:
        """Return what the state of the other feed, and this run, know of it."""
        known, reached = [*emitted], BEGINNING
        for partition in self.stream_state.get("partitions", []):
            if partition["context"] != {"scope": scope}:
                position = ScopeState.read(partition).position
                known += [position.known]
                reached = max(reached, position.bookmark or BEGINNING)
        return OtherFeed(known, reached, follows)

    def _extract(self, run: ScopeRun, counter: Counter, state: dict[str, Any]) -> None:
        """Write the records of a feed, and keep its state in step."""
        recorder = Recorder(run.scope, self._session().settings.organization_id)
        digests = self._digests

        def write(events: Sequence[Event]) -> Written:
            self._session().signals.check()
            written = self._write(recorder, events)
            counter.increment(written.records)
            if self.ABORT_AT_RECORD_COUNT is not None and written.records:
                raise _EnoughError
            return written

        def save(after: ScopeState, changed: Sequence[Digest]) -> None:
            if self._can_be_counted(changed) and digests.write(changed):
                digests.note(run.scope, after.mark)
            after.write(state)
            self._state_writer.write_state(self.tap_state)

        limit = self.ABORT_AT_RECORD_COUNT or sys.maxsize
        try:
            run.extract(write, save, min(CHECKPOINT_EVENTS, limit))
        except _EnoughError:
            run.report.reason = "a test reads no more"

    def _can_be_counted(self, changed: Sequence[Digest]) -> bool:
        """Tell whether a warehouse can compare digests with its rows."""
        if self._changes_ids and changed and not self._said_so:
            self._said_so = True
            self.logger.info(
                "No digests are written: stream_maps change id, effective_at, scope or"
                " organization_id of audit_logs, by which a warehouse would check them"
            )
        return not self._changes_ids

    def _write(self, recorder: Recorder, events: Sequence[Event]) -> Written:
        """Write the records of a batch, after all of them are made.

        Raises:
            MapFailed: If a stream map fails on one. None of the batch is written then.
        """
        if self._plain:
            self._write_plain(map(recorder.json, events))
            return Written(len(events), events)
        made = [self._messages(recorder, event) for event in events]
        self._writer.write_lines(line for lines, _ in made for line in lines)
        counted = [
            event
            for event, (_, countable) in zip(events, made, strict=True)
            if countable
        ]
        records = sum(bool(lines) for lines, _ in made)
        return Written(records, counted, renamed=records > len(counted))

    def _messages(self, recorder: Recorder, event: Event) -> tuple[list[bytes], bool]:
        """Make the messages of an event with the SDK's features.

        Returns:
            The messages, and whether one of them can be counted.
        """
        record = recorder.record(event)
        try:
            messages = self._mapped(record)
        except Exception as error:  # noqa: BLE001 - a map may raise anything
            at = iso(event.effective_at)
            raise MapFailed.on(self.name, event.id, at, error) from None
        countable = any(
            all(written.get(name) == record[name] for name in _COUNTED_BY)
            for _, written in messages
        )
        self._changes_ids = self._changes_ids or (bool(messages) and not countable)
        return [line for line, _ in messages], countable


class _EnoughError(Exception):
    """A test run has written as much as it wants."""
