"""What an event is about: things that come, change and go as the log tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sandbox.founding import new_user
from sandbox.ids import new_id
from sandbox.organization import (
    ApiKey,
    Certificate,
    Group,
    Invite,
    Project,
    Role,
    ServiceAccount,
)

if TYPE_CHECKING:
    import random

    from sandbox.organization import Organization

_CREATING = frozenset({"created", "added", "sent", "registered"})
_DELETING = frozenset({"deleted", "removed"})
_MOST_PASSING = 40
_MADE_UP = 6


class Thing(NamedTuple):
    """What an event acts on: its id, and its project if it belongs to one."""

    id: str
    project: Project | None = None


@dataclass
class _Population:
    """The things of one kind: those that stay and those that pass."""

    lasting: list[Thing]
    passing: list[Thing] = field(default_factory=list)


class Lifecycle:
    """Chooses things for events and keeps the organization in step with them."""

    def __init__(
        self,
        rng: random.Random,
        organization: Organization,
        leaving: frozenset[str],
    ) -> None:
        """Take the organization before its first event.

        Args:
            rng: Source of randomness.
            organization: What exists; things are added and removed.
            leaving: Ids that are deleted at planned moments and not before.
        """
        self._rng = rng
        self._organization = organization
        self._homes = organization.active_projects()[:8]
        o = organization
        staying: dict[str, list[Thing]] = {
            "user": [Thing(i) for i in o.users],
            "invite": [Thing(i) for i in o.invites],
            "group": [Thing(i) for i in o.groups],
            "role": [Thing(i) for i in o.roles],
            "certificate": [Thing(i) for i in o.certificates],
            "project": [Thing(p.id) for p in self._homes],
            "api_key": [
                Thing(i, o.projects[k.project_id]) for i, k in o.api_keys.items()
            ]
            + [Thing(i) for i in o.admin_keys],
            "service_account": [
                Thing(i, o.projects[a.project_id])
                for i, a in o.service_accounts.items()
            ],
            "rate_limit": [Thing(i, self._homes[0]) for i in o.rate_limits],
            "organization": [Thing(o.id)],
        }
        self._populations = {
            kind: _Population([thing for thing in things if thing.id not in leaving])
            for kind, things in staying.items()
        }

    def subject(self, kind: str, verb: str, at: int) -> Thing:
        """Choose what an event is about and let it happen.

        Args:
            kind: Kind of thing, the event type without its last part.
            verb: Last part of the event type.
            at: Time of the event, Unix seconds.
        """
        population = self._populations.get(kind)
        if population is None:
            made_up = [Thing(new_id(self._rng, kind)) for _ in range(_MADE_UP)]
            population = self._populations[kind] = _Population(made_up)
        if verb in _CREATING and len(population.passing) < _MOST_PASSING:
            thing = self._create(kind, at)
            population.passing.append(thing)
            return thing
        if verb in _DELETING:
            if not population.passing:
                # Something from before the log: it is gone, and nothing else names it.
                return Thing(new_id(self._rng, kind))
            thing = population.passing.pop(self._rng.randrange(len(population.passing)))
            self.remove(kind, thing.id)
            return thing
        stock = population.passing or population.lasting
        if verb in _CREATING or self._rng.random() < 0.5:  # noqa: PLR2004 - an even chance
            stock = population.lasting
        thing = stock[int(self._rng.random() * len(stock))]
        self._change(kind, verb, thing, at)
        return thing

    def remove(self, kind: str, thing_id: str) -> None:
        """Let a thing that other things may refer to disappear."""
        o = self._organization
        if kind == "user":
            o.users.pop(thing_id, None)
        elif kind == "project":
            o.projects.pop(thing_id, None)
        elif kind == "api_key":
            o.api_keys.pop(thing_id, None)
        elif kind == "service_account":
            o.service_accounts.pop(thing_id, None)
        elif kind == "invite":
            o.invites.pop(thing_id, None)
        elif kind == "group":
            o.groups.pop(thing_id, None)
        elif kind == "role":
            o.roles.pop(thing_id, None)
        elif kind == "certificate":
            o.certificates.pop(thing_id, None)

    def _change(self, kind: str, verb: str, thing: Thing, at: int) -> None:
        if verb == "accepted" and kind == "invite":
            invite = self._organization.invites[thing.id]
            invite.accepted_at = invite.accepted_at or at
        elif verb == "archived" and kind == "project":
            project = self._organization.projects[thing.id]
            if project not in self._homes:
                project.archived_at = project.archived_at or at

    def _create(self, kind: str, at: int) -> Thing:
        o, rng, new = self._organization, self._rng, new_id(self._rng, kind)
        number = at % 100_000
        home = self._homes[int(rng.random() * len(self._homes))]
        if kind == "user":
            user = new_user(rng, number, at)
            o.users[user.id] = user
            return Thing(user.id)
        if kind == "project":
            o.projects[new] = Project(new, f"Проект {number}", at)
        elif kind == "api_key":
            owner = home.members[0]
            o.api_keys[new] = ApiKey(new, f"key {number}", at, home.id, owner)
            return Thing(new, home)
        elif kind == "service_account":
            account = ServiceAccount(new, f"robot {number}", "member", at, home.id)
            o.service_accounts[new] = account
            return Thing(new, home)
        elif kind == "invite":
            o.invites[new] = Invite(new, f"guest{number}@example.com", "reader", at)
        elif kind == "group":
            o.groups[new] = Group(new, f"Équipe {number}", at)
        elif kind == "role":
            o.roles[new] = Role(new, f"Role {number}", (), "api.organization")
        elif kind == "certificate":
            o.certificates[new] = Certificate(new, f"Proxy {number}", at)
        return Thing(new)
