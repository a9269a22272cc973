"""What the ids in events stand for: streams that are declared, not programmed.

A reference stream is a snapshot of a list, read anew by each run. It says where the
list is, how it is paged, and what is documented of its objects; see
`organization_streams` and `project_streams`.

Parents and children are the SDK's own. All parents of a run make one context, so that
the children of many projects are read in parallel, with one SCHEMA and one STATE
message, and no state is kept for any of them.

Nothing here can harm the audit log, which is read before. A stream that is refused
ends, the tap is told of it, and the run goes on: it raises at its end, and the exit
code is 1. What was read before stays written. Each of its records is true, but nothing
in them tells that the snapshot is not whole.

No ACTIVATE_VERSION message is written: with it a target would delete what a snapshot
lacks, and to keep what the API no longer lists is what these streams are for.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.conform import TypeConformanceLevel
from typing_extensions import override

from tap_openai_audit.api.parallel import ParallelLists
from tap_openai_audit.causes import Api
from tap_openai_audit.errors import ErrorResponse, RequestFailed, StreamFailed
from tap_openai_audit.streams.mapped_stream import MappedStream
from tap_openai_audit.streams.reference_record import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record

    from tap_openai_audit.api.listing import Listing
    from tap_openai_audit.errors import TapError
    from tap_openai_audit.session import Session

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


@dataclass(frozen=True)
class Parents:
    """The context of child streams: all the objects whose lists they read."""

    all: tuple[Parent, ...]

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
        failed: Callable[[TapError], None],
    ) -> None:
        """Take part in a run of a tap.

        Args:
            tap: What the SDK needs of it.
            session: Returns settings, client and signals, once they are needed.
            failed: Told what was not read in full. The run goes on and ends with it.
        """
        super().__init__(tap, failed=failed)
        self._session = session
        self._recorder = Recorder(self.schema)
        self._parents = Parents(())

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Read the list, or those of all parents.

        Args:
            context: For a child stream, its `Parents`.
        """
        if not self._session().settings.reads(Api.ORGANIZATION):
            return
        if self.parent_stream_type is not None:
            parents: Parents = (context or {})[_CONTEXT]
            yield from self._read(
                [p for p in parents.all if self.archived_parents or not p.archived]
            )
        elif self.has_selected_descendents:
            # Children are synced with the first record, and then all must be known.
            records = [*self._read([None])]
            filtered = filter(self.passes, records)
            self._parents = Parents(tuple(map(_parent, filtered)))
            yield from records
        else:
            yield from self._read([None])

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        """Make one context for all parents, when the first of them is synced."""
        if self._parents.all and record["id"] == self._parents.all[0].id:
            yield {_CONTEXT: self._parents}

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
        return {**own, "organization_id": self._session().settings.organization_id}

    def _failure(self, failed: Sequence[RequestFailed], lists: int) -> StreamFailed:
        """Say why the snapshot is not whole, and those that depend on it are not."""
        names = [self.name, *(s.name for s in self.descendent_streams if s.selected)]
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


def _parent(record: Record) -> Parent:
    archived = record.get("status") == "archived" or bool(record.get("archived_at"))
    return Parent(record["id"], archived)


def _status(error: RequestFailed) -> int | None:
    """Return the status with which the API itself refused, None if it did not."""
    if isinstance(error, ErrorResponse) and error.from_api:
        return error.status
    return None
