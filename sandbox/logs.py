"""The logs of both scopes, and the events that are not visible yet."""

from __future__ import annotations

import heapq
import random
import time
from typing import TYPE_CHECKING

from sandbox.generator import Generator
from sandbox.log import EventLog
from sandbox.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sandbox.options import Options
    from sandbox.selection import Entry

SCOPES = ("organization", "tenant")
_TIES = 1 << 31


class Logs:
    """Everything that happened in one synthetic organization, as time passes."""

    def __init__(self, options: Options) -> None:
        """Write the history.

        Args:
            options: Seed, numbers of events, span, shape and growth.
        """
        self._span = options.span()
        self._rng = random.Random(options.seed + 1)
        self._growth = options.grow_per_second
        self._now = time.time()
        self._grown_until = self._now
        self._pending: list[tuple[float, str, str, Entry]] = []
        self._both: EventLog | None = None
        self.generator = Generator(options.seed, options.organization_id, self._span[0])
        self._logs = {scope: EventLog() for scope in SCOPES}
        for scope, count, write in (
            ("organization", options.events, self.generator.history),
            ("tenant", options.tenant_events, self.generator.tenant),
        ):
            times = timeline(self._rng, count, self._span, options.shape)
            self._logs[scope].load(self._visible(scope, write(times)), count)

    def of(self, scope: str) -> EventLog:
        """Return the visible events of a scope, or of both for ``both``."""
        self._release(time.time())
        if scope != "both":
            return self._logs[scope]
        if self._both is None:
            self._both = EventLog()
            for log in self._logs.values():
                for entry, tie in log.unload():
                    self._both.add(entry, tie)
        return self._both

    def truth(self) -> Iterator[tuple[str, int, str, bool]]:
        """Return id, time, scope and visibility of every event there is."""
        self._release(time.time())
        for scope, log in self._logs.items():
            for event_id, at in log.entries():
                yield event_id, at, scope, True
        for _, event_id, scope, entry in sorted(self._pending):
            yield event_id, entry.at, scope, False

    def make(self, scope: str, times: Sequence[int]) -> Iterator[Entry]:
        """Make events that may lie in the past."""
        if scope == "tenant":
            return self.generator.tenant(times)
        return self.generator.late(times)

    def add(self, scope: str, entries: Iterable[Entry], visible_at: float) -> list[str]:
        """Add events and return their ids.

        Args:
            scope: `organization` or `tenant`.
            entries: The events.
            visible_at: When they become visible, Unix seconds.
        """
        ids = []
        for entry in entries:
            ids.append(entry.id)
            heapq.heappush(self._pending, (visible_at, entry.id, scope, entry))
        self._release(time.time())
        return ids

    def _visible(self, scope: str, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Hold back the events that lie in the future."""
        for entry in entries:
            if entry.at <= self._now:
                yield entry
            else:
                heapq.heappush(self._pending, (entry.at, entry.id, scope, entry))

    def _release(self, now: float) -> None:
        """Show what is due, and write what the organization did since the last look."""
        if self._growth:
            due = int((now - self._grown_until) * self._growth)
            if due:
                start = self._grown_until
                self._grown_until += due / self._growth
                times = [int(start + n / self._growth) for n in range(1, due + 1)]
                for entry in self.generator.continuation(times):
                    self._show("organization", entry)
        while self._pending and self._pending[0][0] <= now:
            _, _, scope, entry = heapq.heappop(self._pending)
            self._show(scope, entry)

    def _show(self, scope: str, entry: Entry) -> None:
        tie = self._tie()
        self._logs[scope].add(entry, tie)
        if self._both is not None:
            self._both.add(entry, tie)

    def _tie(self) -> int:
        return self._rng.randrange(_TIES)
