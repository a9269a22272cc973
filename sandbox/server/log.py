"""The audit log in memory: events as ready JSON, found by time, cursor and filter."""

from __future__ import annotations

import heapq
import json
import random
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.organization.events import Event, EventWriter
from sandbox.organization.timeline import timeline
from sandbox.organization.workspace import WorkspaceWriter
from sandbox.story.story import Story
from sandbox.story.workspace import StoryWorkspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.options import Options
    from sandbox.organization.things import Organization

SCOPES = ("organization", "tenant")
#: The list parameters, and what of an event they look at.
FILTERS = {
    "event_types": "type",
    "project_ids": "project",
    "actor_ids": "actor",
    "actor_emails": "email",
    "resource_ids": "resource",
}
_TIE_BITS = 31  # two events of one second rarely draw the same of two billion places
_MIX = 0x9E3779B97F4A7C15  # the golden ratio: neighbours end up far apart
_MIX_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Selection:
    """Which part of a log is asked for.

    Attributes:
        since: First second wanted, Unix seconds, or None.
        until: The second after the last wanted, Unix seconds, or None.
        filters: What an event must have one of each of, see `label`.
        after: The page starts behind this event id.
        before: The page ends in front of this event id.
        limit: Most events on a page.
        order: `newest_first`, `oldest_first` or `shuffled`.
    """

    since: int | None = None
    until: int | None = None
    filters: tuple[frozenset[str], ...] = ()
    after: str | None = None
    before: str | None = None
    limit: int = 20
    order: str = "newest_first"


class Found(NamedTuple):
    """One page of a log, in the order it is listed."""

    ids: list[str]
    bodies: list[bytes]
    has_more: bool


class EventLog:
    """Events of one scope, sorted by time.

    An event's key is its time and a tie-breaker in one integer, so that a range is two
    bisections and a cursor is one look-up and one bisection. Python's integers have no
    end: neither have the years.
    """

    def __init__(self) -> None:
        self._keys: list[int] = []
        self._ids: list[str] = []
        self._bodies: list[bytes] = []
        self._key_of: dict[str, int] = {}
        self._labels: dict[int, frozenset[str]] = {}

    def __iter__(self) -> Iterator[tuple[Event, int]]:
        """Return each event and its tie-breaker, oldest first."""
        for key, event_id, body in zip(
            self._keys, self._ids, self._bodies, strict=True
        ):
            yield Event(key >> _TIE_BITS, event_id, body), key & (1 << _TIE_BITS) - 1

    def add(self, event: Event, tie: int) -> None:
        """Add an event where its time puts it.

        Args:
            event: The event.
            tie: Decides its place among events of the same second, 31 bits.
        """
        key = (event.at << _TIE_BITS) + tie
        place = bisect_left(self._keys, key)
        while place < len(self._keys) and self._keys[place] == key:
            key += 1
            place += 1
        self._keys.insert(place, key)
        self._ids.insert(place, event.id)
        self._bodies.insert(place, event.body)
        # Of two events with one id the older is the cursor: a reader then gets past it.
        self._key_of[event.id] = min(key, self._key_of.get(event.id, key))

    def remove_before(self, moment: int) -> int:
        """Remove the events that are older, and return how many they were."""
        count = bisect_left(self._keys, moment << _TIE_BITS)
        del self._keys[:count], self._ids[:count], self._bodies[:count]
        self._labels.clear()
        self._key_of = dict(zip(reversed(self._ids), reversed(self._keys), strict=True))
        return count

    def find(self, selection: Selection) -> Found:
        """Return one page.

        Raises:
            KeyError: A cursor is not the id of an event in this log.
        """
        keys, since, until = self._keys, selection.since, selection.until
        low = 0 if since is None else bisect_left(keys, since << _TIE_BITS)
        high = len(keys) if until is None else bisect_left(keys, until << _TIE_BITS)
        places: Sequence[int] = range(low, max(low, high))
        if selection.filters:
            places = [p for p in places if self._passes(p, selection.filters)]
        rank = self._rank(selection.order)
        if selection.order == "newest_first":
            places = places[::-1]
        elif selection.order == "shuffled":
            places = sorted(places, key=rank)
        start, stop = 0, len(places)
        if selection.after is not None:
            start = bisect_right(places, rank(self._place(selection.after)), key=rank)
        if selection.before is not None:
            stop = bisect_left(places, rank(self._place(selection.before)), key=rank)
        listed = places[start : max(start, stop)]
        backwards = selection.before is not None and selection.after is None
        page = listed[-selection.limit :] if backwards else listed[: selection.limit]
        return Found(
            [self._ids[place] for place in page],
            [self._bodies[place] for place in page],
            len(listed) > selection.limit,
        )

    def _place(self, event_id: str) -> int:
        return bisect_left(self._keys, self._key_of[event_id])

    def _rank(self, order: str) -> Callable[[int], tuple[int, int]]:
        """Return what the events at given places are sorted by in an order."""
        keys = self._keys
        if order == "newest_first":
            return lambda place: (-keys[place], 0)
        if order == "oldest_first":
            return lambda place: (keys[place], 0)
        return lambda place: (keys[place] * _MIX & _MIX_MASK, keys[place])

    def _passes(self, place: int, filters: tuple[frozenset[str], ...]) -> bool:
        key = self._keys[place]
        if key not in self._labels:
            self._labels[key] = labels(readable(self._bodies[place]))
        return all(self._labels[key] & wanted for wanted in filters)


class Log:
    """Both scopes of one organization's log, as time passes by the API's clock."""

    def __init__(self, options: Options, now: Callable[[], float]) -> None:
        """Write the history.

        Args:
            options: What happened, how many events it left, and when.
            now: The API's clock, Unix seconds.

        Raises:
            ValueError: The span is none, or an incident is asked for without a story.
        """
        self._now = now
        span = options.span(now())
        self._rng = random.Random(options.seed + 1)
        self._growth = options.grow_per_second
        self._grown_until = now()
        self._pending: list[tuple[float, str, str, Event]] = []
        self._scopes = {scope: EventLog() for scope in SCOPES}
        seed, organization_id = options.seed, options.organization_id
        self._writer: EventWriter | Story
        if options.history == "story":
            self._writer = Story(seed, organization_id, span)
        else:
            self._writer = EventWriter(seed, organization_id, span[0])
        for scope, count in (
            ("organization", options.events),
            ("tenant", options.tenant_events),
        ):
            for event in self._history(scope, count, span, options.shape):
                # What lies in the future shows when its time comes.
                self._show_at(event.at, scope, event)
        incident_at = options.incident_at(now())
        if incident_at is not None:
            self.begin_incident(incident_at)
        self.workspace = (
            StoryWorkspace(seed, options.workspace_id, self._writer)
            if isinstance(self._writer, Story)
            else WorkspaceWriter(seed, options.workspace_id, self._writer.organization)
        )

    @property
    def organization(self) -> Organization:
        """What exists now."""
        self._catch_up()
        return self._writer.organization

    def find(self, scope: str, selection: Selection) -> Found:
        """Return a page of a scope, or of both for ``both``.

        Raises:
            KeyError: A cursor is not the id of an event that is visible there.
        """
        self._catch_up()
        if scope != "both":
            return self._scopes[scope].find(selection)
        both = EventLog()
        for log in self._scopes.values():
            for event, tie in log:
                both.add(event, tie)
        return both.find(selection)

    def truth(self) -> Iterator[tuple[str, int, str, bool]]:
        """Return id, time, scope and visibility of every event there is."""
        self._catch_up()
        for scope, log in self._scopes.items():
            for event, _ in log:
                yield event.id, event.at, scope, True
        for _, event_id, scope, event in sorted(self._pending):
            yield event_id, event.at, scope, False

    def write(self, scope: str, times: Sequence[int]) -> list[Event]:
        """Make up events that may lie in the past or in the future."""
        write = self._writer.tenant if scope == "tenant" else self._writer.late
        return list(write(times))

    def add(self, scope: str, events: Iterable[Event], visible_at: float) -> list[str]:
        """Add events and return their ids.

        Args:
            scope: `organization` or `tenant`.
            events: The events.
            visible_at: When they become visible, Unix seconds by the API's clock.
        """
        ids = []
        for event in events:
            ids.append(event.id)
            self._show_at(visible_at, scope, event)
        return ids

    def begin_incident(self, at: int) -> None:
        """Let an incident begin; what of it is due shows at once.

        Args:
            at: When, Unix seconds.

        Raises:
            ValueError: What happens here is no story.
        """
        if not isinstance(self._writer, Story):
            raise ValueError("an incident needs history=story")  # noqa: TRY004 - of options
        self._writer.begin_incident(at)

    def remove_before(self, moment: int) -> int:
        """Remove the visible events that are older, and return how many they were."""
        self._catch_up()
        return sum(log.remove_before(moment) for log in self._scopes.values())

    def _history(
        self, scope: str, count: int, span: tuple[int, int], shape: str
    ) -> Iterable[Event]:
        """Return the first events of a scope."""
        if isinstance(self._writer, Story):
            return self._writer.history(scope, count)
        times = timeline(self._rng, count, span, shape)
        write = self._writer.tenant if scope == "tenant" else self._writer.history
        return write(times)

    def _show_at(self, moment: float, scope: str, event: Event) -> None:
        if moment <= self._now():
            self._show(scope, event)
        else:
            heapq.heappush(self._pending, (moment, event.id, scope, event))

    def _catch_up(self) -> None:
        """Show what is due, and write what the organization did since the last look."""
        now = self._now()
        due = max(0, int((now - self._grown_until) * self._growth))
        if due:
            start = self._grown_until
            self._grown_until += due / self._growth
            times = [int(start + n / self._growth) for n in range(1, due + 1)]
            for event in self._writer.continuation(times):
                self._show("organization", event)
        if isinstance(self._writer, Story):
            for scope, event in self._writer.due(now):
                self._show(scope, event)
        while self._pending and self._pending[0][0] <= now:
            _, _, scope, event = heapq.heappop(self._pending)
            self._show(scope, event)

    def _show(self, scope: str, event: Event) -> None:
        self._scopes[scope].add(event, self._rng.getrandbits(_TIE_BITS))


def label(kind: str, value: str) -> str:
    """Return one attribute as filters compare it: emails without regard to case."""
    return f"{kind}:{value.lower() if kind == 'email' else value}"


def labels(event: dict[str, Any]) -> frozenset[str]:
    """Return what filters find an event by, as far as it has it."""

    def get(*path: str) -> object:
        value: object = event
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    found = [
        ("type", get("type")),
        ("project", get("project", "id")),
        ("actor", get("actor", "session", "user", "id")),
        ("email", get("actor", "session", "user", "email")),
        ("actor", get("actor", "api_key", "id")),
        ("actor", get("actor", "api_key", "user", "id")),
        ("email", get("actor", "api_key", "user", "email")),
        ("actor", get("actor", "api_key", "service_account", "id")),
        ("resource", get(str(get("type")), "id")),
    ]
    return frozenset(label(kind, v) for kind, v in found if isinstance(v, str))


def readable(body: bytes) -> dict[str, Any]:
    """Return an event of any origin as JSON; empty when it cannot be read as such."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
