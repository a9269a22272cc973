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
ends, the failure is reported, and the run goes on: it raises at its end, and the exit
code is 1. What was read before stays written. Each of its records is true, and its row
in the ledger says that they are not all.

Where a list of one parent is refused, the others are read. The parents are then listed
once more: what is gone by then is no failure. The runs that follow ask for the lists
that are still refused, and for no other, until the stream is due.

No ACTIVATE_VERSION message is written: with it a target would delete what a snapshot
lacks, and to keep what the API no longer lists is what these streams are for.
"""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from singer_sdk.exceptions import AbortedSyncFailedException
from singer_sdk.helpers.conform import TypeConformanceLevel
from typing_extensions import override

from tap_openai_audit.errors import (
    ErrorResponse,
    MapFailed,
    RequestFailed,
    StreamFailed,
    TapError,
    Terminated,
)
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.inventory.bookmark import LastReading
from tap_openai_audit.inventory.parents import Parent, Parents
from tap_openai_audit.inventory.reading import Reading
from tap_openai_audit.inventory.record import Recorder
from tap_openai_audit.inventory.schedule import ScheduledStream
from tap_openai_audit.ordered_pool import OrderedPool
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Generator,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

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

_MOST_REFUSED = 100
"""Lists that the state keeps as refused. With more of them the others are found again
when the stream is read in full."""

_NAMED = 3
"""Ids of refused lists that a message names."""

_AHEAD = 4
"""Lists that may be begun for each worker, so that none waits while one list is long.
Two pages of each are in memory."""

_LONGEST_ID = 100
"""Characters of an id in a message and in the state. The API's own have fewer."""

_P = TypeVar("_P", bound="Parent | None")


@dataclass(frozen=True)
class _Refused:
    """A list that the API refused."""

    id: str
    """The id of its parent."""
    error: RequestFailed


class Reference(ScheduledStream):
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
            failed: Takes what was not read in full. The run goes on and ends with it.
        """
        super().__init__(tap, failed=self._fail)
        self._session = session
        self._schedule = schedule
        self._ledger = ledger
        self._tell = failed
        self._recorder = Recorder(self.schema)
        self._parents: tuple[Parent, ...] = ()
        self._reading = Reading()
        self._listed_again = False
        self._current_parents: Mapping[str, Parent] | None = None

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
        with self._entered() as reading:
            yield from super()._sync_records(context, write_messages=write_messages)
            reading.is_over = True
        if self.selected and (reading.suffices or reading.refused):
            self._schedule.note_read(self, reading.refused)
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

    @contextmanager
    def _entered(self) -> Iterator[Reading]:
        """Enter in the ledger what comes of a reading, however it ends."""
        session = self._session()
        requests, retries = session.client.requests, session.client.retries
        self._reading = reading = Reading()
        try:
            yield reading
        except AbortedSyncFailedException:
            reading.failure = "a test reads no more"
        except Terminated as signal:
            reading.failure = f"ended by {signal.signal.name}"
            raise
        finally:
            if self.selected and not reading.is_needless:
                row = reading.row(
                    self.name,
                    requests=session.client.requests - requests,
                    retries=session.client.retries - retries,
                )
                self._ledger.enter(session, row)

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
        refused: list[_Refused] = []
        archived = 0
        with closing(self._results(parents, self._pages)) as results:
            for parent, result in results:
                if not isinstance(result, RequestFailed):
                    stamps = self._stamps(parent)
                    self._reading.read += len(result)
                    for item in result:
                        yield self._recorder.record(item, stamps)
                elif _status(result) not in _OF_ONE_LIST or parent is None:
                    self._failed(self._failure(result))
                    return
                elif parent.archived:
                    archived += 1
                else:
                    refused.append(_Refused(parent.id, result))
        if archived:
            self.logger.info(
                "The API does not list this for %d archived ones", archived
            )
        if refused := self._without_gone(refused):
            # Known before the failure is noted: another one leaves the rest in doubt.
            whole_otherwise = self._reading.failure is None
            self._failed(self._refusal(refused, f"of {len(parents)} lists"))
            if whole_otherwise:
                self._reading.refused = tuple(
                    one.id for one in refused if len(one.id) <= _LONGEST_ID
                )[:_MOST_REFUSED]

    @override
    def still_refused(self, refused: Sequence[str]) -> bool:
        """Ask again for lists that were refused, and for nothing else.

        A list that is still refused is a failure of this run, and a row of the ledger.

        Returns:
            Whether one is. A list that is gone by now is not.
        """
        with self._entered() as reading:
            again: list[_Refused] = []
            parents = [Parent(id_, archived=False, filtered=False) for id_ in refused]
            with closing(self._results(parents, self._first_page)) as results:
                for parent, result in results:
                    if isinstance(result, RequestFailed):
                        again.append(_Refused(parent.id, result))
            again = self._without_gone(again)
            if again:
                self._failed(self._refusal(again, "lists still"))
            else:
                reading.is_needless = True
        return bool(again)

    @override
    def current_parents(self) -> Mapping[str, Parent] | None:
        """Return the objects as they are listed now, by id; None if they are not.

        They are listed once more in a run, at the most.
        """
        if not self._listed_again:
            self._listed_again = True
            with suppress(RequestFailed, MapFailed):
                self._current_parents = {p.id: p for p in self._list_parents()}
        return self._current_parents

    def _list_parents(self) -> Iterator[Parent]:
        stamps = self._stamps(None)
        with closing(self._results([None], self._pages)) as results:
            for _, result in results:
                if isinstance(result, RequestFailed):
                    raise result
                for item in result:
                    yield self._parent(self._recorder.record(item, stamps))

    def _without_gone(self, refused: Sequence[_Refused]) -> list[_Refused]:
        """Leave out the lists of parents that are gone, archived or filtered by now."""
        of_one_list = any(_status(one.error) in _OF_ONE_LIST for one in refused)
        current = (
            self._schedule.parent_of(self).current_parents() if of_one_list else None
        )
        if current is None:
            return [*refused]
        wanted = {p.id for p in current.values() if not p.archived and not p.filtered}
        left = [
            one
            for one in refused
            if one.id in wanted or _status(one.error) not in _OF_ONE_LIST
        ]
        if len(left) < len(refused):
            self.logger.info(
                "%d lists of %s are left out, because what they belong to is gone,"
                " archived or filtered by now",
                len(refused) - len(left),
                self.name,
            )
        return left

    def _results(
        self,
        parents: Sequence[_P],
        pages: Callable[[_P], Iterable[list[dict[str, Any]]]],
    ) -> Generator[tuple[_P, list[dict[str, Any]] | RequestFailed], None, None]:
        session = self._session()
        workers = session.settings.concurrency

        def results(parent: _P) -> Iterator[list[dict[str, Any]] | RequestFailed]:
            try:
                yield from pages(parent)
            except RequestFailed as error:
                yield error

        pool = OrderedPool(
            parents,
            results,
            heartbeat=session.signals.check,
            workers=workers,
            ahead=_AHEAD * workers,
        )
        return iter(pool)

    def _first_page(self, parent: Parent) -> Iterable[list[dict[str, Any]]]:
        return islice(self._pages(parent), 1)

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

    def _failure(self, error: RequestFailed) -> StreamFailed:
        """Say why the snapshot is not whole, and those that depend on it are not."""
        children = filter(self._schedule.reads, self.child_streams)
        names = [self.name, *(child.name for child in children)]
        remedy = "deselect what is not needed"
        if _status(error) in _NOT_ALLOWED:
            remedy = f"give the key read access to what they list, or {remedy}"
        return StreamFailed(
            f"{', '.join(names)}: not read in full",
            error,
            f"No other stream is affected; {remedy}",
        )

    def _refusal(self, refused: Sequence[_Refused], of: str) -> StreamFailed:
        """Say which lists were refused.

        Args:
            refused: The lists.
            of: What follows their number.
        """
        named = [redacted(one.id, longest=_LONGEST_ID) for one in refused[:_NAMED]]
        named += ["..."] if len(refused) > _NAMED else []
        last = refused[-1].error
        if _status(last) in _OF_ONE_LIST:
            last = replace(last, cause=Cause.REFUSED_LIST)
        return StreamFailed(
            f"{self.name}: not read in full ({len(refused)} {of} refused:"
            f" {', '.join(named)})",
            last,
            "No other list and no other stream is affected",
        )


def _status(error: RequestFailed) -> int | None:
    """Return the status with which the API itself refused, None if it did not."""
    if isinstance(error, ErrorResponse) and error.from_api:
        return error.status
    return None
