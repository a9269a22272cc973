"""The stream of audit events: each scope is a partition with its own bookmark.

The SDK would read one page after the other, newest first, and cannot resume such a
stream. Here the engine reads, and hands over events oldest first; this module writes
them, keeps the state in step, and has the SDK's features take part where they are used.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform

from tap_openai_audit.api.audit_log import NO_TENANT_EVENTS, AuditLog
from tap_openai_audit.api.refusals import Refusal
from tap_openai_audit.event_types import ORGANIZATION, TENANT
from tap_openai_audit.extraction.events import BrokenPromise
from tap_openai_audit.extraction.extract import CHECKPOINT_EVENTS, extract
from tap_openai_audit.extraction.passes import CLOCK_TOLERANCE, Pass, Range
from tap_openai_audit.extraction.reader import Reader
from tap_openai_audit.extraction.report import Report
from tap_openai_audit.extraction.windows import Window
from tap_openai_audit.signals import Terminated
from tap_openai_audit.streams import state
from tap_openai_audit.streams.audit_log_schema import SCHEMA
from tap_openai_audit.streams.progress import Progress, summary
from tap_openai_audit.streams.record import Recorder, iso

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context
    from singer_sdk.metrics import Counter

    from tap_openai_audit.extraction.events import Event
    from tap_openai_audit.extraction.passes import Emitted
    from tap_openai_audit.tap import TapOpenAIAudit


class AuditLogs(Stream):
    """Administrative events of the organization: who did what, when and from where."""

    name = "audit_logs"
    primary_keys: ClassVar[Sequence[str]] = ("id",)
    replication_key = "effective_at"
    is_sorted = True
    schema: ClassVar[dict[str, Any]] = SCHEMA

    # The records are made of JSON, and keys that the schema does not name are kept.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: TapOpenAIAudit) -> None:
        """Take part in a run of the tap."""
        super().__init__(tap)
        self._run = tap.run
        self._writer = tap.message_writer
        self._states = tap.state_writer

    @property
    def partitions(self) -> list[dict[str, Any]]:
        """The scopes to read. The organization's is never held up by the tenant's."""
        tenant = [{"scope": TENANT}] if self._run.settings.tenant_events else []
        return [{"scope": ORGANIZATION}, *tenant]

    def get_replication_key_signpost(self, context: Context | None = None) -> None:  # noqa: ARG002
        """None: the engine bounds the bookmark itself, by the API's own clock."""
        return

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The new records of one scope, for use as a library. It keeps no state."""
        scope = str((context or self.partitions[0])["scope"])
        recorder = Recorder(scope, self._run.settings.organization_id)
        sifting, reader = self._begin(scope, Report(scope, int(time.time())), ())
        for events in extract(reader, sifting, checkpoint=lambda: None):
            yield from map(recorder.record, events)

    # There is no public way to write messages that are encoded already, nor to have a
    # state written elsewhere than after so many records: the SDK's loop also costs
    # several times the work on an event. `test_sdk_contract.py` watches this seam.
    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,  # noqa: ARG002 - only asked for by BATCH, not offered
    ) -> Generator[dict[str, Any], Any, Any]:
        """Sync each scope, and report failures after everything that can be written."""
        emitted: list[Emitted] = []
        with self.get_record_counter() as counter, self.get_sync_timer() as timer:
            for partition in [context] if context else self.partitions:
                counter.with_context(partition)
                timer.with_context(partition)
                if not self._sync_scope(str(partition["scope"]), counter, emitted):
                    break
        yield from ()

    def _sync_scope(self, scope: str, counter: Counter, emitted: list[Emitted]) -> bool:
        """Sync one scope. Tells whether the other one may be tried."""
        report = Report(scope, started_at=int(time.time()))
        try:
            self._extract(scope, report, counter, emitted)
        except Refusal as refusal:
            report.reason = str(refusal)
            if scope == TENANT and refusal.status in NO_TENANT_EVENTS:
                self.logger.warning(
                    "Tenant events were not read, %s. The organization's events are not"
                    " affected; set tenant_events to false if there are none",
                    refusal,
                )
            else:
                self._run.failures.append(f"audit_logs ({scope}): {refusal}")
        except BrokenPromise as error:
            report.reason = str(error)
            self._run.failures.append(
                f"audit_logs ({scope}): {error}; the bookmark stays behind the last"
                " complete window, run again later"
            )
        except state.BadState as error:
            report.reason = str(error)
            self._run.failures.append(f"audit_logs ({scope}): {error}")
        except Terminated as signal:
            report.reason = f"ended by {signal.signal.name}"
            raise
        finally:
            report.finished_at = int(time.time())
            self._run.report(report, self.get_context_state({"scope": scope}))
            self.logger.info("%s", summary(report))
        return not self._run.failures

    def _begin(
        self, scope: str, report: Report, emitted: Sequence[Emitted]
    ) -> tuple[Pass, Reader]:
        """Prepare to read a scope from where its state says."""
        settings, now = self._run.settings, int(time.time())
        bookmark = state.load(self.get_context_state({"scope": scope}))
        others = [
            state.load(self.get_context_state(partition)).ids
            for partition in self.partitions
            if partition["scope"] != scope
        ]
        if bookmark.at is not None and bookmark.at > now + CLOCK_TOLERANCE:
            self.logger.warning(
                "The bookmark of the %s events, %s, lies in the future: it is set back"
                " to now; what happened since the last run may be missing, a full"
                " refresh reads it",
                scope,
                iso(bookmark.at),
            )
        asked = Range(settings.start, settings.end, settings.lookback_seconds)
        if asked.start is not None and asked.start > now:
            self.logger.warning(
                "start_date %s lies in the future: nothing is read before it",
                iso(asked.start),
            )
        sifting = Pass(asked, bookmark, report, now=now, elsewhere=[*others, *emitted])
        progress = Progress(self.logger, report)

        def heartbeat() -> None:
            self._run.signals.check()
            progress.tick(reader)

        source = AuditLog(self._run.client, scope, settings.filters)
        window = sifting.window
        if not source.asked:
            window, report.reason = Window(0, 0), "no event type of this scope is asked"
        reader = Reader(
            source, window, workers=settings.concurrency, heartbeat=heartbeat
        )
        return sifting, reader

    def _extract(
        self,
        scope: str,
        report: Report,
        counter: Counter,
        emitted: list[Emitted],
    ) -> None:
        """Read a scope, write its records, keep its state in step."""
        sifting, reader = self._begin(scope, report, emitted)
        emitted.append(sifting.emitted)
        recorder = Recorder(scope, self._run.settings.organization_id)
        batches = extract(
            reader,
            sifting,
            checkpoint=lambda: self._checkpoint(scope, sifting),
            size=min(CHECKPOINT_EVENTS, self.ABORT_AT_RECORD_COUNT or sys.maxsize),
        )
        with closing(batches):
            for events in batches:
                self._run.signals.check()
                self._write(recorder, events)
                counter.increment(len(events))
                if self.ABORT_AT_RECORD_COUNT is not None:
                    return

    def _checkpoint(self, scope: str, sifting: Pass) -> None:
        """Write a STATE from which a later run continues exactly here."""
        taken = sum(
            state.size(self.get_context_state(partition))
            for partition in self.partitions
            if partition["scope"] != scope
        )
        forgotten = sifting.report.forgotten
        sifting.settle(state.BUDGET - taken)
        if sifting.report.forgotten and not forgotten:
            self.logger.warning(
                "More events lie within lookback_seconds than the state can remember:"
                " the oldest of them will be emitted again by the next run. A target"
                " with a primary key keeps one of each; a shorter lookback avoids it"
            )
        state.save(sifting.bookmark, self.get_context_state({"scope": scope}))
        self._states.write_state(self.tap_state)

    def _write(self, recorder: Recorder, events: Sequence[Event]) -> None:
        """Write records, past the SDK where none of its features is in use."""
        if self._plain:
            extracted = datetime.now(timezone.utc).isoformat().encode()
            end = b',"time_extracted":"%b"}\n' % extracted
            self._writer.write_lines(self._lines(recorder, events, end))
        else:
            for event in events:
                self._write_record_message(recorder.record(event))

    @staticmethod
    def _lines(
        recorder: Recorder, events: Sequence[Event], end: bytes
    ) -> Iterator[bytes]:
        begin = b'{"type":"RECORD","stream":"audit_logs","record":'
        for event in events:
            yield begin
            yield recorder.json(event)
            yield end

    @property
    def _plain(self) -> bool:
        """Whether neither selection nor stream maps nor flattening change records."""
        maps = self.stream_maps
        return (
            len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not maps[0].flattening_enabled
            and all(self.mask.values())
        )
