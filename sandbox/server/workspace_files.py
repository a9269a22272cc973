"""The files of a workspace, as time passes by the API's clock."""

from __future__ import annotations

import random
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

from sandbox.organization.things import new_id
from sandbox.organization.workspace import AUDIT_LOG, timestamp
from sandbox.server.log_file import LogFile
from sandbox.server.workspace_history import PERIOD_SECONDS, history, with_extras

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sandbox.options import Options
    from sandbox.organization.workspace import WorkspaceEvent, WorkspaceWriter


class WorkspaceFiles:
    """All files there are, also those that are not listed yet."""

    def __init__(
        self, options: Options, writer: WorkspaceWriter, now: Callable[[], float]
    ) -> None:
        """Write the history.

        Args:
            options: Seed, number of events, span, shape and traps.
            writer: Makes the events.
            now: The API's clock, Unix seconds.

        Raises:
            ValueError: There is no such trap.
        """
        self._now = now
        self._rng = random.Random(f"{options.seed} workspace files")
        self._writer = writer
        self._files: dict[str, LogFile] = {}
        self._open: dict[str, str] = {}
        for file in history(options, self._writer, self._rng, now()):
            self._files[file.id] = file

    def __len__(self) -> int:
        """Return how many files there are."""
        return len(self._files)

    def __iter__(self) -> Iterator[LogFile]:
        """Return each file in the order of listings, whether it is listed or not."""
        return iter(sorted(self._files.values(), key=lambda file: file.end))

    def listed(self, types: Collection[str]) -> list[LogFile]:
        """Return the files of some types that are listed now, oldest first."""
        return [f for f in self if f.type in types and self.shows(f)]

    def shows(self, file: LogFile) -> bool:
        """Tell whether a file is listed now."""
        return file.visible_at <= self._now()

    def find(self, file_id: str) -> LogFile | None:
        """Return a file that is listed now, or None."""
        file = self._files.get(file_id)
        return file if file is not None and self.shows(file) else None

    def add(
        self,
        event_type: str,
        events: Sequence[WorkspaceEvent] | int,
        *,
        end_time: str | None = None,
        visible: bool = True,
        traps: Collection[str] = (),
    ) -> LogFile:
        """Add a file.

        Args:
            event_type: `AUDIT_LOG` or `AUTH_LOG`.
            events: What is in it, or how many are to be made up.
            end_time: As the API writes it; None is ten minutes after the newest file,
                though not in the future if that can be.
            visible: Whether it is listed at once, or not until `show`.
            traps: What is wrong with it.
        """
        end_time = end_time or self._next_end()
        draft = LogFile(new_id(self._rng, "log"), event_type, end_time, ())
        if isinstance(events, int):
            start, step = int(draft.end) - PERIOD_SECONDS, PERIOD_SECONDS / (events + 1)
            times = [start + step * number for number in range(1, events + 1)]
            events = self._writer.write(event_type, times)
        file = replace(
            draft,
            events=tuple(events),
            visible_at=0 if visible else inf,
            traps=frozenset(traps),
        )
        earlier = [f for f in self if f.type == event_type and f.end < file.end]
        file = with_extras(file, earlier[-1] if earlier else None, self._writer)
        self._files[file.id] = file
        return file

    def show(self) -> list[LogFile]:
        """List the files that were kept back, and return them."""
        late = [f for f in self if f.visible_at == inf]
        for file in late:
            self._files[file.id] = replace(file, visible_at=0)
        return late

    def happen(self, event_type: str, events: Sequence[WorkspaceEvent]) -> LogFile:
        """Put events into the file that is listed when the running ten minutes end."""
        end = (int(self._now()) // PERIOD_SECONDS + 1) * PERIOD_SECONDS
        file = self._files.get(self._open.get(event_type, ""))
        if file is None or file.end != end:
            end_time = timestamp(end)
            file = LogFile(
                new_id(self._rng, "log"), event_type, end_time, (), visible_at=end
            )
            self._open[event_type] = file.id
        file = replace(file, events=(*file.events, *events))
        self._files[file.id] = file
        return file

    def make_up(
        self, event_type: str, count: int, at: float | None = None
    ) -> list[WorkspaceEvent]:
        """Return made-up events of a time, Unix seconds; None is now."""
        return self._writer.write(
            event_type, [self._now() if at is None else at] * count
        )

    def note_request(self, action: str, data: dict[str, Any]) -> None:
        """Let a request of the workspace's key come back as an event."""
        event = self._writer.request(action, data, self._now())
        self.happen(AUDIT_LOG, [event])

    def _next_end(self) -> str:
        now = int(self._now())
        newest = max((int(file.end) for file in self._files.values()), default=None)
        if newest is None:
            return timestamp(now)
        return timestamp(min(newest + PERIOD_SECONDS, max(newest + 1, now)))
