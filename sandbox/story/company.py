"""The company: what it consists of now, and what can be done to it.

Whatever is done changes the organization and leaves its event, so that both agree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from sandbox.organization.events import Event
from sandbox.organization.things import (
    AdminKey,
    ApiKey,
    Invite,
    Organization,
    Project,
    ServiceAccount,
    User,
    new_id,
    random_ids,
)

if TYPE_CHECKING:
    import random

    from sandbox.story.people import Json, Person


class Told(NamedTuple):
    """An event, and the scope whose log has it: `organization` or `tenant`."""

    scope: str
    event: Event


@dataclass
class Membership:
    """How long somebody belongs to the company, and is an owner, Unix seconds."""

    person: Person
    since: float = -inf
    owner_since: float = inf
    until: float = inf


@dataclass(frozen=True)
class AllowList:
    """An IP allow list: no reference endpoint lists it, events name it."""

    id: str
    name: str
    ranges: tuple[str, ...]


class Company:
    """An organization that lives.

    Attributes:
        organization: What exists now, as the reference endpoints list it.
        memberships: Who belongs or belonged to it, by the user's id.
        allow_list: The IP allow list in force.
        now: The moment of what is done next, Unix seconds.
        told: The events so far, oldest first.
    """

    def __init__(
        self,
        rng: random.Random,
        organization: Organization,
        allow_list: AllowList,
        now: int,
    ) -> None:
        self.rng = rng
        self.organization = organization
        self.memberships: dict[str, Membership] = {}
        self.allow_list = allow_list
        self.now = now
        self.told: list[Told] = []
        self._named_at: dict[str, int] = {}

    # Who acts

    def members(self, *, owners: bool | None = None) -> list[Person]:
        """Return who belongs to the company now; only owners, or only others."""
        return [
            m.person
            for m in self.memberships.values()
            if m.since <= self.now < m.until
            and owners in (None, m.owner_since <= self.now)
        ]

    def has(self, person: Person) -> bool:
        """Tell whether somebody belongs to the company now."""
        return person.user.id in self.organization.users

    def settled(self, thing_id: str) -> bool:
        """Tell whether no event of a later moment than now is about a thing."""
        return self._named_at.get(thing_id, -inf) <= self.now

    def robot(self, name: str) -> ServiceAccount:
        """Return the first service account of a name."""
        robots = self.organization.service_accounts.values()
        return next(robot for robot in robots if robot.name == name)

    # Leaving a trace

    def tell(
        self,
        actor: Json | None,
        event_type: str,
        details: Json | None = None,
        project: str | None = None,
        scope: str = "organization",
    ) -> None:
        """Write an event of now.

        Args:
            actor: Who did it, see `session` and `key`.
            event_type: The type.
            details: The object whose key is the type.
            project: The id of the project that it is scoped to.
            scope: `organization` or `tenant`.
        """
        event_id = f"audit_log-{random_ids(self.rng, 1)[0]}"
        body: Json = {
            "object": "organization.audit_log",
            "id": event_id,
            "type": event_type,
            "effective_at": self.now,
        }
        if project is not None:
            name = self.organization.projects[project].name
            body["project"] = {"id": project, "name": name}
        body["actor"] = actor
        if details is not None:
            body[event_type] = details
            if "id" in details:
                self._named_at[details["id"]] = self.now
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        self.told.append(Told(scope, Event(self.now, event_id, text.encode())))

    # People

    def invite(self, actor: Json, email: str, role: str) -> Invite:
        """Invite somebody."""
        invite = Invite(new_id(self.rng, "invite"), email, role, self.now)
        self.organization.invites[invite.id] = invite
        data = {"email": email, "role": role}
        self.tell(actor, "invite.sent", {"id": invite.id, "data": data})
        return invite

    def delete_invite(self, actor: Json, invite: Invite) -> None:
        """Delete an invitation, whether it was accepted or not."""
        self.organization.remove("invite", invite.id)
        self.tell(actor, "invite.deleted", {"id": invite.id})

    def accept(self, invite: Invite, user: User, client: Json) -> None:
        """Let somebody accept an invitation; `add` has to follow."""
        invite.accepted_at = self.now
        self.tell(session(user, client), "invite.accepted", {"id": invite.id})

    def add(self, actor: Json, user: User, role: str) -> None:
        """Take somebody in."""
        user.role, user.added_at = role, self.now
        self.organization.users[user.id] = user
        self.tell(actor, "user.added", {"id": user.id, "data": {"role": role}})

    def make_owner(self, actor: Json, person: Person) -> None:
        """Make somebody an owner."""
        user = person.user
        user.role = "owner"
        self.memberships[user.id].owner_since = self.now
        changes = {"role": user.role}
        self.tell(actor, "user.updated", {"id": user.id, "changes_requested": changes})

    def remove(self, actor: Json, person: Person) -> None:
        """Let somebody go; their keys have to be deleted before."""
        self.organization.remove_user(person.user.id)
        self.memberships[person.user.id].until = self.now
        self.tell(actor, "user.deleted", {"id": person.user.id})

    # Keys, robots and projects

    def make_key(
        self,
        actor: Json,
        name: str,
        project: Project,
        owner: User | ServiceAccount,
        scopes: tuple[str, ...] = ("api.model.request",),
    ) -> ApiKey:
        """Make an API key of a project."""
        key_id = new_id(self.rng, "api_key")
        key = ApiKey(key_id, name, self.now, project.id, owner)
        self.organization.api_keys[key.id] = key
        data = {"scopes": list(scopes), "name": name}
        self.tell(actor, "api_key.created", {"id": key.id, "data": data}, project.id)
        return key

    def make_admin_key(
        self, actor: Json, name: str, owner: User, scopes: tuple[str, ...]
    ) -> AdminKey:
        """Make an admin key: both scopes tell of it."""
        key = AdminKey(new_id(self.rng, "admin_key"), name, self.now, owner)
        self.organization.admin_keys[key.id] = key
        data = {"scopes": list(scopes), "name": name}
        self.tell(actor, "api_key.created", {"id": key.id, "data": data})
        self.tell(actor, "tenant.admin_api_key.created", scope="tenant")
        return key

    def delete_key(self, actor: Json, key: ApiKey | AdminKey) -> None:
        """Delete a key of either kind; nothing happens if it is gone already."""
        kind = "api_key" if isinstance(key, ApiKey) else "admin_key"
        if key.id not in self.organization.things(kind):
            return
        self.organization.remove(kind, key.id)
        project = key.project_id if isinstance(key, ApiKey) else None
        self.tell(actor, "api_key.deleted", {"id": key.id}, project)

    def make_robot(self, actor: Json, name: str, project: Project) -> ServiceAccount:
        """Make a service account of a project."""
        robot_id = new_id(self.rng, "service_account")
        robot = ServiceAccount(robot_id, name, "member", self.now, project.id)
        self.organization.service_accounts[robot.id] = robot
        details = {"id": robot.id, "data": {"role": robot.role}}
        self.tell(actor, "service_account.created", details, project.id)
        return robot

    def delete_robot(self, actor: Json, robot: ServiceAccount) -> None:
        """Delete a service account and, before it, its keys."""
        for key in self.keys_of(robot):
            self.delete_key(actor, key)
        self.organization.remove("service_account", robot.id)
        details = {"id": robot.id}
        self.tell(actor, "service_account.deleted", details, robot.project_id)

    def keys_of(self, owner: User | ServiceAccount) -> list[ApiKey | AdminKey]:
        """Return the keys of a person or of a robot."""
        return [key for key in self.all_keys() if key.owner.id == owner.id]

    def all_keys(self) -> list[ApiKey | AdminKey]:
        """Return all keys."""
        o = self.organization
        keys: list[ApiKey | AdminKey] = [*o.api_keys.values()]
        return [*keys, *o.admin_keys.values()]

    def found_project(self, actor: Json, name: str, team: list[User]) -> Project:
        """Start a project."""
        project = Project(new_id(self.rng, "project"), name, self.now, members=team)
        self.organization.projects[project.id] = project
        details = {"id": project.id, "data": {"name": name, "title": name}}
        self.tell(actor, "project.created", details, project.id)
        return project


def session(user: User, client: Json) -> Json:
    """Return somebody at a device as the actor of an event."""
    who = {"id": user.id, "email": user.email}
    return {"type": "session", "session": {"user": who, **client}}


def at_work(person: Person) -> Json:
    """Return somebody at the office, or in its VPN, as the actor of an event."""
    return session(person.user, person.office)


def by_key(key: ApiKey | AdminKey) -> Json:
    """Return a key as the actor of an event."""
    kind, shown = "service_account", {"id": key.owner.id}
    if isinstance(key.owner, User):
        kind, shown = "user", {**shown, "email": key.owner.email}
    return {"type": "api_key", "api_key": {"id": key.id, "type": kind, kind: shown}}
