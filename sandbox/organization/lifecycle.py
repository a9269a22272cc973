"""What an event is about: things that come, change and go as the log tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sandbox.organization.founding import new_user
from sandbox.organization.things import (
    ApiKey,
    Certificate,
    Group,
    Invite,
    Project,
    Role,
    ServiceAccount,
    new_id,
)

if TYPE_CHECKING:
    import random

    from sandbox.organization.things import Organization

_CREATING = frozenset({"created", "added", "sent", "registered"})
_DELETING = frozenset({"deleted", "removed"})
_MOST_PASSING = 40
_MADE_UP = 6


class Subject(NamedTuple):
    """What an event acts on: its id, and its project if it belongs to one."""

    id: str
    project: Project | None = None


@dataclass
class _Population:
    """The things of one kind: those that stay and those that pass."""

    lasting: list[Subject]
    passing: list[Subject] = field(default_factory=list)


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
        plain = ("user", "invite", "group", "role", "certificate")
        staying = {kind: [Subject(i) for i in o.things(kind)] for kind in plain}
        staying |= {
            "project": [Subject(p.id) for p in self._homes],
            "api_key": [
                Subject(i, o.projects[k.project_id]) for i, k in o.api_keys.items()
            ]
            + [Subject(i) for i in o.admin_keys],
            "service_account": [
                Subject(i, o.projects[a.project_id])
                for i, a in o.service_accounts.items()
            ],
            "rate_limit": [Subject(i, self._homes[0]) for i in o.rate_limits],
            "organization": [Subject(o.id)],
        }
        self._populations = {
            kind: _Population([thing for thing in things if thing.id not in leaving])
            for kind, things in staying.items()
        }

    def subject(self, kind: str, verb: str, at: int) -> Subject:
        """Choose what an event is about and let it happen.

        Args:
            kind: Kind of thing, the event type without its last part.
            verb: Last part of the event type.
            at: Time of the event, Unix seconds.
        """
        population = self._populations.get(kind)
        if population is None:
            made_up = [Subject(new_id(self._rng, kind)) for _ in range(_MADE_UP)]
            population = self._populations[kind] = _Population(made_up)
        if verb in _CREATING and len(population.passing) < _MOST_PASSING:
            thing = self._create(kind, at)
            population.passing.append(thing)
            return thing
        if verb in _DELETING:
            if not population.passing:
                # Something from before the log: it is gone, and nothing else names it.
                return Subject(new_id(self._rng, kind))
            thing = population.passing.pop(self._rng.randrange(len(population.passing)))
            self._organization.remove(kind, thing.id)
            return thing
        stock = population.passing or population.lasting
        if verb in _CREATING or self._rng.random() < 0.5:  # noqa: PLR2004 - an even chance
            stock = population.lasting
        thing = stock[int(self._rng.random() * len(stock))]
        self._change(kind, verb, thing, at)
        return thing

    def _change(self, kind: str, verb: str, thing: Subject, at: int) -> None:
        if verb == "accepted" and kind == "invite":
            invite = self._organization.invites[thing.id]
            invite.accepted_at = invite.accepted_at or at
        elif verb == "archived" and kind == "project":
            project = self._organization.projects[thing.id]
            if project not in self._homes:
                project.archived_at = project.archived_at or at

    def _create(self, kind: str, at: int) -> Subject:
        o, rng, new = self._organization, self._rng, new_id(self._rng, kind)
        number = at % 100_000
        home = self._homes[int(rng.random() * len(self._homes))]
        if kind == "user":
            user = new_user(rng, number, at)
            o.users[user.id] = user
            return Subject(user.id)
        if kind == "project":
            o.projects[new] = Project(new, f"Проект {number}", at)
        elif kind == "api_key":
            owner = home.members[0]
            o.api_keys[new] = ApiKey(new, f"key {number}", at, home.id, owner)
            return Subject(new, home)
        elif kind == "service_account":
            account = ServiceAccount(new, f"robot {number}", "member", at, home.id)
            o.service_accounts[new] = account
            return Subject(new, home)
        elif kind == "invite":
            o.invites[new] = Invite(new, f"guest{number}@example.com", "reader", at)
        elif kind == "group":
            o.groups[new] = Group(new, f"Équipe {number}", at)
        elif kind == "role":
            o.roles[new] = Role(new, f"Role {number}", (), "api.organization")
        elif kind == "certificate":
            o.certificates[new] = Certificate(new, f"Proxy {number}", at)
        return Subject(new)
