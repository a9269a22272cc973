"""Which reference streams a run reads: decided once, for all of them at one time.

One time for all keeps them together: a parent and its children become due in the same
run, and the parent is not read a second time for children that were read later.

The time goes into the state only when the run's reports are written. A run that is
killed before is repeated by the next one, so what a table holds of it never waits for
its report longer than that.

A stream of which some lists were refused is not read again before it is due: the runs
until then ask for those lists alone. Once none is refused any more, it is read in full,
because only then is it a whole snapshot.
"""

from __future__ import annotations

import abc
from functools import cached_property
from typing import TYPE_CHECKING

from tap_openai_audit.inventory.bookmark import LastReading
from tap_openai_audit.singer.mapped_stream import MappedStream
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from singer_sdk import Stream

    from tap_openai_audit.inventory.parents import Parent
    from tap_openai_audit.singer.session import Session


class ScheduledStream(MappedStream):
    """What the schedule needs of a reference stream."""

    @abc.abstractmethod
    def still_refused(self, refused: Sequence[str]) -> bool:
        """Whether lists that were refused are refused again.

        Args:
            refused: The ids of their parents.
        """

    @abc.abstractmethod
    def current_parents(self) -> Mapping[str, Parent] | None:
        """Return its objects that have lists, as they are listed now."""


class Schedule:
    """Knows what is due, and keeps when it was read."""

    def __init__(
        self,
        session: Callable[[], Session],
        streams: Callable[[], Iterable[ScheduledStream]],
        logger: logging.Logger,
    ) -> None:
        """Begin without a decision, which is made when the first stream asks.

        Args:
            session: Returns settings and client. After the audit log was read, the
                client knows the API's clock.
            streams: Returns all reference streams.
            logger: Logs which of them are not due.
        """
        self._session = session
        self._streams = streams
        self._logger = logger
        self._read: list[tuple[Stream, tuple[str, ...]]] = []

    def reads(self, stream: Stream) -> bool:
        """Whether this run reads a stream: it is due, or a child of it is."""
        return stream.name in self._to_read

    def note_read(self, stream: Stream, refused: tuple[str, ...] = ()) -> None:
        """Take note that a stream was read.

        Args:
            stream: The stream.
            refused: The ids of the parents whose lists were refused, all others read.
        """
        self._read.append((stream, refused))

    def parent_of(self, child: Stream) -> ScheduledStream:
        """Return the stream of the parents of a child stream."""
        return next(s for s in self._streams() if child in s.child_streams)

    def keep(self) -> bool:
        """Write into the state what was read, and tell whether anything was."""
        organization_id = self._session().settings.organization_id
        for stream, refused in self._read:
            reading = LastReading(self._now, organization_id, refused)
            reading.write(stream.get_context_state(None))
        kept, self._read = bool(self._read), []
        return kept

    @cached_property
    def _now(self) -> int:
        return self._session().client.api_clock.latest()

    @cached_property
    def _to_read(self) -> frozenset[str]:
        """The names of the streams that are read."""
        selected = [stream for stream in self._streams() if stream.selected]
        until = {stream.name: self._suffices_until(stream) for stream in selected}
        due = {name for name, at in until.items() if at is None}
        parents = {
            stream.name
            for stream in self._streams()
            if any(child.name in due for child in stream.child_streams)
        }
        left_out = {
            name: at
            for name, at in until.items()
            if at is not None and name not in parents
        }
        if left_out:
            self._logger.info(
                "Reference streams that are not due are not read: %s"
                " (reference_every_hours is %d)",
                _by_time(left_out),
                self._session().settings.reference_every_hours,
            )
        return frozenset(due | parents)

    def _suffices_until(self, stream: ScheduledStream) -> int | None:
        last = LastReading.read(stream.name, stream.get_context_state(None))
        if last is None:
            return None
        settings = self._session().settings
        until = last.suffices_until(
            settings.reference_every_hours, self._now, settings.organization_id
        )
        if (
            until is not None
            and last.refused
            and not stream.still_refused(last.refused)
        ):
            return None
        return until


def _by_time(until: Mapping[str, int]) -> str:
    """Name streams with their times, those of one time together."""
    times = sorted(set(until.values()))
    return "; ".join(
        f"{', '.join(name for name in until if until[name] == at)} until {iso(at)}"
        for at in times
    )
