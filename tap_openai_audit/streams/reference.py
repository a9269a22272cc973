"""What the ids in events stand for: streams that are declared, not programmed.

A reference stream is a snapshot of a list, read anew by each run. It says where the
list is, how it is paged, and what is documented of its objects; see
`organization_streams` and `project_streams`.

Parents and children are the SDK's own. All parents of a run make one context, so that
the children of many projects are read in parallel, with one SCHEMA and one STATE
message, and no state is kept for any of them.

Nothing here can harm the audit log, which is read before. A stream that is refused
ends, its reason goes to `run.failures`, and the run goes on: the tap says it at the
end, and the exit code is 1. What was read before is written all the same, and marked by
nothing: each record is true, but only a stream without a reason is a whole snapshot.
Therefore no ACTIVATE_VERSION message is ever written, with which a target deletes what
a snapshot lacks. To keep what the API no longer lists is what these streams are for.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_openai_audit.api.parallel import ParallelLists
from tap_openai_audit.api.refusals import Refusal
from tap_openai_audit.streams.reference_record import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_openai_audit.api.listing import Listing
    from tap_openai_audit.tap import TapOpenAIAudit

_CONTEXT = "parents"
_OF_ONE_LIST = frozenset({400, 404})
"""Statuses that are about what is listed. Others would meet the next list as well."""
_NOT_ALLOWED = frozenset({401, 403})


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
        """How many there are, for logs and metrics."""
        return str(len(self.all))


class Reference(Stream):
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

    def __init__(self, tap: TapOpenAIAudit) -> None:
        """Take part in a run of the tap."""
        super().__init__(tap)
        self._run = tap.run
        self._recorder = Recorder(self.schema)
        self._parents = Parents(())

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """The records of all lists.

        Args:
            context: For a child stream, its `Parents`.
        """
        if self.parent_stream_type is not None:
            parents: Parents = (context or {})[_CONTEXT]
            yield from self._read(
                [p for p in parents.all if self.archived_parents or not p.archived]
            )
        elif self.has_selected_descendents:
            # Children are synced with the first record, and then all must be known.
            records = [*self._read([None])]
            filtered = filter(self.stream_maps[0].get_filter_result, records)
            self._parents = Parents(tuple(map(_parent, filtered)))
            yield from records
        else:
            yield from self._read([None])

    def generate_child_contexts(
        self,
        record: Record,
        context: Context | None,  # noqa: ARG002 - no parent is a child itself
    ) -> Iterable[Context | None]:
        """One context for all parents, with the first that no stream map filters."""
        if self._parents.all and record["id"] == self._parents.all[0].id:
            yield {_CONTEXT: self._parents}

    def _read(self, parents: Sequence[Parent | None]) -> Iterable[Record]:
        """The records of several lists, until one is refused for a reason of all."""
        lists = ParallelLists(
            parents,
            self._pages,
            workers=self._run.settings.concurrency,
            heartbeat=self._run.signals.check,
        )
        refusals: list[Refusal] = []
        closed = 0
        with closing(lists.__iter__()) as results:
            for parent, result in results:
                if not isinstance(result, Refusal):
                    stamps = self._stamps(parent)
                    for item in result:
                        yield self._recorder.record(item, stamps)
                elif result.status not in _OF_ONE_LIST:
                    refusals.append(result)
                    break
                elif parent is not None and parent.archived:
                    closed += 1
                else:
                    refusals.append(result)
        if closed:
            self.logger.info("The API does not list this for %d archived ones", closed)
        if refusals:
            self._run.failures.append(self._reason(refusals, len(parents)))

    def _pages(self, parent: Parent | None) -> Iterable[list[dict[str, Any]]]:
        stamps = self._stamps(parent)
        own = [key for key in self.primary_keys if key not in stamps]
        ids = {} if parent is None else {self.parent_key: parent.id}
        return self.listing.pages(self._run.client, own, **ids)

    def _stamps(self, parent: Parent | None) -> Mapping[str, str]:
        """The columns that are the same on all records of a list."""
        own = {} if parent is None else {self.parent_key: parent.id}
        return {**own, "organization_id": self._run.settings.organization_id}

    def _reason(self, refusals: Sequence[Refusal], lists: int) -> str:
        """Why the snapshot is not whole, and that of the streams that depend on it."""
        names = [self.name, *(s.name for s in self.descendent_streams if s.selected)]
        last = refusals[-1]
        of = ""
        if lists > 1 and last.status in _OF_ONE_LIST:
            of = f" ({len(refusals)} of {lists} lists refused)"
        remedy = "deselect what is not needed"
        if last.status in _NOT_ALLOWED:
            remedy = f"give the key read access to what they list, or {remedy}"
        return (
            f"{', '.join(names)}: not read in full{of}, {last}. No other stream is"
            f" affected; {remedy}"
        )


def _parent(record: Record) -> Parent:
    archived = record.get("status") == "archived" or bool(record.get("archived_at"))
    return Parent(record["id"], archived)
