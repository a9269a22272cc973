"""Which reference streams a run reads: decided once, for all of them at one time.

One time for all keeps them together: a parent and its children become due in the same
run, and the parent is not read a second time for children that were read later.

The time goes into the state only when the run's reports are written. A run that is
killed before is repeated by the next one, so what a table holds of it never waits for
its report longer than that.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tap_openai_audit.inventory.bookmark import LastReading
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping

    from singer_sdk import Stream

    from tap_openai_audit.singer.session import Session


class Schedule:
    """Knows what is due, and keeps when it was read."""

    def __init__(
        self,
        session: Callable[[], Session],
        streams: Callable[[], Iterable[Stream]],
        logger: logging.Logger,
    ) -> None:
        """Begin without a decision, which is made when the first stream asks.

        Args:
            session: Returns settings and client. After the audit log was read, the
                client knows the API's clock.
            streams: Returns all reference streams.
            logger: Told which of them are not due.
        """
        self._session = session
        self._streams = streams
        self._logger = logger
        self._read: list[Stream] = []

    def reads(self, stream: Stream) -> bool:
        """Whether this run reads a stream: it is due, or a child of it is."""
        return stream.name in self._to_read

    def note_read(self, stream: Stream) -> None:
        """Take note that a stream was read without a failure."""
        self._read.append(stream)

    def keep(self) -> bool:
        """Write into the state what was read, and tell whether anything was."""
        for stream in self._read:
            reading = LastReading(self._now, self._session().settings.organization_id)
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

    def _suffices_until(self, stream: Stream) -> int | None:
        last = LastReading.read(stream.name, stream.get_context_state(None))
        if last is None:
            return None
        settings = self._session().settings
        return last.suffices_until(
            settings.reference_every_hours, self._now, settings.organization_id
        )


def _by_time(until: Mapping[str, int]) -> str:
    """Name streams with their times, those of one time together."""
    times = sorted(set(until.values()))
    return "; ".join(
        f"{', '.join(name for name in until if until[name] == at)} until {iso(at)}"
        for at in times
    )
