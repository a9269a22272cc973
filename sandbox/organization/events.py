"""Writes synthetic events: the organization's things and people, over time."""

from __future__ import annotations

import json
import random
from itertools import accumulate, cycle, islice
from typing import TYPE_CHECKING, NamedTuple

from sandbox.organization.actors import actor_of_unknown_kind, actors
from sandbox.organization.details import event_types
from sandbox.organization.founding import ARCHIVED, found
from sandbox.organization.lifecycle import Lifecycle, Subject
from sandbox.organization.things import random_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.organization.actors import Actor
    from sandbox.organization.details import EventType
    from sandbox.organization.things import Organization, Project

_ID_PREFIX = "audit_log-"
_HEAD = b'{"object":"organization.audit_log","id":"' + _ID_PREFIX.encode()
_LEAVERS = 3
_STRANGER = actor_of_unknown_kind()
_FEWEST_FOR_DEPARTURES = 100
_CALM_VERBS = frozenset({"updated", "succeeded", "failed"})


class Event(NamedTuple):
    """One event.

    Attributes:
        at: `effective_at`, Unix seconds of any year.
        id: Its id, which is also its cursor.
        body: The event as JSON.
    """

    at: int
    id: str
    body: bytes


class _Departure(NamedTuple):
    """A planned end of something that has acted or been named before."""

    share: float
    type: str
    id: str


class EventWriter:
    """Makes the events of one organization; keeps the organization in step."""

    def __init__(self, seed: int, organization_id: str, start: int) -> None:
        """Found the organization.

        Args:
            seed: The same seed makes the same organization and events.
            organization_id: The organization's id.
            start: First second of the log, Unix seconds.
        """
        self._rng = random.Random(seed)
        self.organization: Organization = found(self._rng, organization_id, start)
        self._actors = actors(self._rng, self.organization)
        self._actor_weights = _cumulated(self._actors)
        self._departures = self._plan_departures()
        leaving = frozenset(departure.id for departure in self._departures)
        self._lifecycle = Lifecycle(self._rng, self.organization, leaving)
        self._projects = list(self.organization.projects.values())
        types = event_types(self._rng, self.organization)
        self._types = [t for t in types if t.scope == "organization"]
        self._tenant_types = [t for t in types if t.scope == "tenant"]
        self._calm_types = [t for t in self._types if t.known and t.verb in _CALM_VERBS]
        self._staying_actors = [a for a in self._actors if not a.names & leaving]
        self._fragments = {
            project.id: _project_fragment(project) for project in self._projects
        }

    def history(self, times: Sequence[int]) -> Iterator[Event]:
        """Return the first events of the organization scope, oldest first.

        Args:
            times: Unix seconds, ascending.
        """
        if len(times) < _FEWEST_FOR_DEPARTURES:
            for departure in self._departures:
                list(self._depart(departure, times[0] if times else 0))
            yield from self.continuation(times)
            return
        done = 0
        for departure in self._departures:
            stop = int(len(times) * departure.share)
            yield from self._stretch(times[done:stop], self._types, cover=done == 0)
            yield from self._depart(departure, times[stop])
            done = stop + 1
        yield from self.continuation(times[done:])

    def continuation(self, times: Sequence[int]) -> Iterator[Event]:
        """Return further events of the organization scope, oldest first."""
        return self._stretch(times, self._types, cover=False)

    def late(self, times: Sequence[int]) -> Iterator[Event]:
        """Return events that may lie in the past: they create and delete nothing."""
        return self._stretch(times, self._calm_types, cover=False)

    def tenant(self, times: Sequence[int]) -> Iterator[Event]:
        """Return events of the tenant scope, oldest first."""
        order = self._rng.sample(self._tenant_types, len(self._tenant_types))
        types = list(islice(cycle(order), len(times)))
        weights = _cumulated(self._staying_actors)
        people = self._staying_actors, weights
        return self._write(times, types, people, self._lifecycle.subject)

    def _stretch(
        self, times: Sequence[int], types: list[EventType], *, cover: bool
    ) -> Iterator[Event]:
        """Write events of random types; `cover` has each type come at least once."""
        chosen = self._rng.choices(
            types, cum_weights=list(accumulate(t.weight for t in types)), k=len(times)
        )
        if cover and len(times) >= len(types):
            places = self._rng.sample(range(len(times)), len(types))
            for place, event_type in zip(places, types, strict=True):
                chosen[place] = event_type
        people = self._actors, self._actor_weights
        return self._write(times, chosen, people, self._lifecycle.subject)

    def _write(
        self,
        times: Sequence[int],
        types: Sequence[EventType],
        people: tuple[list[Actor], list[float]],
        subject: Callable[[str, str, int], Subject],
    ) -> Iterator[Event]:
        """Write events of given types at given times.

        Args:
            times: Unix seconds.
            types: As many types.
            people: Who may act, and their cumulated weights.
            subject: Chooses what an event is about, by kind, verb and time.
        """
        count = len(times)
        by = self._rng.choices(people[0], cum_weights=people[1], k=count)
        spares = self._rng.randbytes(count)
        names = random_ids(self._rng, count)
        for at, event_type, actor, spare, name in zip(
            times, types, by, spares, names, strict=True
        ):
            if event_type.name == "future.actor.appeared":
                actor = _STRANGER  # noqa: PLW2901 - no other actor fits this type
            template = event_type.templates[spare % len(event_type.templates)]
            details = template.before
            thing = None
            if template.after is not None:
                thing = subject(event_type.kind, event_type.verb, at)
                details = b"%b%b%b" % (details, thing.id.encode(), template.after)
            project = b""
            if event_type.in_project:
                where = actor.project or (thing and thing.project)
                if where is None:
                    where = self._projects[spare % len(self._projects)]
                project = self._fragments[where.id]
            body = b'%b%b","type":"%b","effective_at":%d%b,"actor":%b%b' % (
                _HEAD,
                name.encode(),
                event_type.name.encode(),
                at,
                project,
                actor.body,
                details,
            )
            yield Event(at, _ID_PREFIX + name, body)

    def _plan_departures(self) -> list[_Departure]:
        """Choose who and what acts for a while and is then deleted or archived."""
        o = self.organization
        owners = {key.owner.id for key in o.api_keys.values()}
        owners |= {key.owner.id for key in o.admin_keys.values()}
        leavers = [i for i in list(o.users)[60:] if i not in owners][:_LEAVERS]
        keys = list(o.api_keys)[-_LEAVERS:]
        projects = list(o.projects)[-ARCHIVED:]
        plan = [("user.deleted", i) for i in leavers]
        plan += [("api_key.deleted", i) for i in keys]
        plan += [("project.archived", i) for i in projects]
        return [
            _Departure(0.4 + 0.5 * number / len(plan), event_type, thing_id)
            for number, (event_type, thing_id) in enumerate(plan)
        ]

    def _depart(self, departure: _Departure, at: int) -> Iterator[Event]:
        """Let a planned end happen, and write the event of it."""
        kind, _, verb = departure.type.rpartition(".")
        if verb == "archived":
            self.organization.projects[departure.id].archived_at = at
            self._projects = [p for p in self._projects if p.id != departure.id]
        elif kind == "user":
            self.organization.remove_user(departure.id)
        else:
            self.organization.remove(kind, departure.id)
        self._actors = [a for a in self._actors if departure.id not in a.names]
        self._actor_weights = _cumulated(self._actors)
        event_type = next(t for t in self._types if t.name == departure.type)
        people = self._staying_actors[:1], [1.0]
        return self._write([at], [event_type], people, lambda *_: Subject(departure.id))


def _cumulated(people: Sequence[Actor]) -> list[float]:
    return list(accumulate(actor.weight for actor in people))


def _project_fragment(project: Project) -> bytes:
    """Return a project as part of an event."""
    text = json.dumps(
        {"id": project.id, "name": project.name},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return f',"project":{text}'.encode()
