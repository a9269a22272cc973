"""What the ids in events stand for: streams that are declared, not programmed.

A reference stream is a snapshot of a list, read anew whenever it is due. It says where
the list is, how it is paged, and what is documented of its objects; see
`organization_streams` and `project_streams`.

Which of them a run reads is decided by the `Schedule`. What came of each is a row of
the ledger: what is there now is what the run of the last complete row saw.

Parents and children are the SDK's own. All parents of a run make one context, so that
the children of many projects are read in parallel, with one SCHEMA and one STATE
message. The state keeps one time for a stream, and nothing for each parent.

Nothing here can harm the audit log, which is read before. A stream that is refused
ends, the tap is told of it, and the run goes on: it raises at its end, and the exit
code is 1. What was read before stays written. Each of its records is true, and its row
in the ledger says that they are not all.

No ACTIVATE_VERSION message is written: with it a target would delete what a snapshot
lacks, and to keep what the API no longer lists is what these streams are for.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import AbortedSyncFailedException
from singer_sdk.helpers.conform import TypeConformanceLevel
from typing_extensions import override

from tap_openai_audit.errors import (
    ErrorResponse,
    RequestFailed,
    StreamFailed,
    TapError,
    Terminated,
)
from tap_openai_audit.http.causes import Api
from tap_openai_audit.inventory.bookmark import LastReading
from tap_openai_audit.inventory.parallel import ParallelLists
from tap_openai_audit.inventory.reading import Reading
from tap_openai_audit.inventory.record import Recorder
from tap_openai_audit.singer.mapped_stream import MappedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import RecordMessage

    from tap_openai_audit.inventory.listing import Listing
    from tap_openai_audit.inventory.schedule import Schedule
    from tap_openai_audit.singer.session import Session
    from tap_openai_audit.singer.sync_reports import Ledger

_CONTEXT = "parents"
"""The key under which the context of child streams holds their `Parents`."""

_OF_ONE_LIST = frozenset({400, 404})
"""Statuses that are about one list, such as that of an archived project. After any
other the next list would be refused as well."""

_NOT_ALLOWED = frozenset({401, 403})
"""Statuses of a key that lacks a permission."""


@dataclass(frozen=True)
class Parent:
    """An object that has lists of its own."""

    id: str
    archived: bool
    filtered: bool
    """Whether a stream map leaves it out, and its lists with it."""


@dataclass(frozen=True)
class Parents:
    """The context of child streams: all the objects whose lists they read."""

    stream: str
    """The name of their stream."""
    all: tuple[Parent, ...]
    failure: str | None
    """Why they are not all, or not sure to be. None if they are."""

    def __str__(self) -> str:
        """Say how many there are, which is what logs and metrics show of a context."""
        return str(len(self.all))


class Reference(MappedStream):
    """A list of the Admin API as a stream."""

    listing: ClassVar[Listing]
    """The list. A child's path holds its `parent_key` in braces."""
    parent_key: ClassVar[str] = ""
    """The column with the id of the parent; empty without a parent."""
    archived_parents: ClassVar[bool] = True
    """Whether the API lists the children of archived parents."""
    schema: ClassVar[dict[str, Any]]
    primary_keys: ClassVar[Sequence[str]] = ("id",)

    selected_by_default = False
    emit_activate_version_messages = False
    state_partitioning_keys = ()
    # The records are made of JSON, and each value was checked against its column.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(
        self,
        tap: Tap,
        *,
        session: Callable[[], Session],
        schedule: Schedule,
        ledger: Ledger,
        failed: Callable[[TapError], None],
    ) -> None:
        """Take part in a run of a tap.

        Args:
            tap: What the SDK needs of it.
            session: Returns settings, client and signals, once they are needed.
            schedule: Knows which streams this run reads.
            ledger: Where each reading is entered.
            failed: Told what was not read in full. The run goes on and ends with it.
        """
        super().__init__(tap, failed=self._fail)
        self._session = session
        self._schedule = schedule
        self._ledger = ledger
        self._tell = failed
        self._recorder = Recorder(self.schema)
        self._parents: tuple[Parent, ...] = ()
        self._reading = Reading()

    def check_bookmark(self, bookmark: Mapping[str, Any]) -> None:
        """Refuse a bookmark that does not hold when the stream was last read.

        Raises:
            BadState: If it holds anything else.
        """
        LastReading.read(self.name, bookmark)

    # Final in the SDK, where a stream cannot leave itself out of a run: it would write
    # a SCHEMA, by which targets look at their tables.
    @override  # type: ignore[misc]
    def sync(self, context: Context | None = None) -> None:
        """Sync the stream, if this run reads it."""
        if self._schedule.reads(self):
            super().sync(context)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Read the list, or those of all parents.

        Args:
            context: For a child stream, its `Parents`.
        """
        if not self._session().settings.reads(Api.ORGANIZATION):
            return
        if self.parent_stream_type is not None:
            yield from self._read(self._lists((context or {})[_CONTEXT]))
        elif any(map(self._schedule.reads, self.child_streams)):
            # Children are read whatever becomes of these records.
            records = [*self._read([None])]
            self._parents = tuple(map(self._parent, records))
            yield from records
        else:
            yield from self._read([None])

    # `test_sdk_contract.py` watches these seams, as those of `MappedStream`.
    @override
    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Sync the records, enter what came of it in the ledger, and sync the children.

        The SDK would sync children with the first record of their parent, and without
        one not at all.
        """
        session = self._session()
        requests, retries = session.client.requests, session.client.retries
        self._reading = reading = Reading()
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
            reading.is_over = True
        except AbortedSyncFailedException:
            reading.failure = "a test reads no more"
        except Terminated as signal:
            reading.failure = f"ended by {signal.signal.name}"
            raise
        finally:
            if self.selected:
                row = reading.row(
                    self.name,
                    requests=session.client.requests - requests,
                    retries=session.client.retries - retries,
                )
                self._ledger.enter(session, row)
        if self.selected and reading.suffices:
            self._schedule.note_read(self)
        parents = Parents(self.name, self._parents, reading.failure)
        self._sync_children({_CONTEXT: parents})

    @override
    def _generate_record_messages(
        self, record: Record
    ) -> Generator[RecordMessage, None, None]:
        messages = [*super()._generate_record_messages(record)]
        self._reading.emitted += bool(messages)
        self._reading.filtered += not messages
        yield from messages

    def _parent(self, record: Record) -> Parent:
        archived = record.get("status") == "archived" or bool(record.get("archived_at"))
        return Parent(record["id"], archived, not self.passes(record))

    def _lists(self, parents: Parents) -> list[Parent]:
        """Return the parents whose lists are read, and note what is missing by that."""
        listed = [p for p in parents.all if self.archived_parents or not p.archived]
        found = [parent for parent in listed if not parent.filtered]
        self._reading.failure = parents.failure
        if len(found) < len(listed):
            self._reading.unread = (
                f"a stream map leaves out {len(listed) - len(found)} of {len(listed)}"
                f" {parents.stream}, and their lists with them"
            )
        return found

    def _fail(self, error: TapError) -> None:
        """Take note of a failure, and pass it on."""
        self._reading.failure = str(error)
        self._tell(error)

    def _read(self, parents: Sequence[Parent | None]) -> Iterable[Record]:
        """Read several lists, until one is refused for a reason that all share."""
        lists = ParallelLists(
            parents,
            self._pages,
            workers=self._session().settings.concurrency,
            heartbeat=self._session().signals.check,
        )
        failed: list[RequestFailed] = []
        archived = 0
        with closing(iter(lists)) as results:
            for parent, result in results:
                if not isinstance(result, RequestFailed):
                    stamps = self._stamps(parent)
                    self._reading.read += len(result)
                    for item in result:
                        yield self._recorder.record(item, stamps)
                elif _status(result) not in _OF_ONE_LIST:
                    failed.append(result)
                    break
                elif parent is not None and parent.archived:
                    archived += 1
                else:
                    failed.append(result)
        if archived:
            self.logger.info(
                "The API does not list this for %d archived ones", archived
            )
        if failed:
            self._failed(self._failure(failed, len(parents)))

    def _pages(self, parent: Parent | None) -> Iterable[list[dict[str, Any]]]:
        stamps = self._stamps(parent)
        own = [key for key in self.primary_keys if key not in stamps]
        ids = {} if parent is None else {self.parent_key: parent.id}
        return self.listing.pages(self._session().client, own, **ids)

    def _stamps(self, parent: Parent | None) -> Mapping[str, str]:
        """Return the columns that are the same on all records of a list."""
        own = {} if parent is None else {self.parent_key: parent.id}
        session = self._session()
        return {
            **own,
            "organization_id": session.settings.organization_id,
            "run_id": session.run_id,
        }

    def _failure(self, failed: Sequence[RequestFailed], lists: int) -> StreamFailed:
        """Say why the snapshot is not whole, and those that depend on it are not."""
        children = filter(self._schedule.reads, self.child_streams)
        names = [self.name, *(child.name for child in children)]
        last = failed[-1]
        of = ""
        if lists > 1 and _status(last) in _OF_ONE_LIST:
            of = f" ({len(failed)} of {lists} lists refused)"
        remedy = "deselect what is not needed"
        if _status(last) in _NOT_ALLOWED:
            remedy = f"give the key read access to what they list, or {remedy}"
        return StreamFailed(
            f"{', '.join(names)}: not read in full{of}",
            last,
            f"No other stream is affected; {remedy}",
        )


def _status(error: RequestFailed) -> int | None:
    """Return the status with which the API itself refused, None if it did not."""
    if isinstance(error, ErrorResponse) and error.from_api:
        return error.status
    return None
