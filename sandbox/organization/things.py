"""What an organization consists of, and how the reference endpoints describe it.

Times are Unix seconds. Keys are shown by `redacted_value` only: a stand-in for secrets
holds none.
"""

from __future__ import annotations

import string
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

Row = dict[str, Any]

_ALPHABET = string.ascii_letters + string.digits
# Random bytes are translated in bulk: a million ids take a fraction of a second.
_LETTERS = bytes(ord(_ALPHABET[value % len(_ALPHABET)]) for value in range(256))
_ID_LENGTH = 24  # as in the API's ids
_PREFIXES = {
    "admin_key": "key_",
    "api_key": "key_",
    "certificate": "cert_",
    "invite": "invite-",
    "project": "proj_",
    "service_account": "svc_acct_",
    "user": "user-",
}
_INVITE_SECONDS = 7 * 86_400
_CERTIFICATE_SECONDS = 365 * 86_400


def random_ids(rng: random.Random, count: int) -> list[str]:
    """Return ids of 24 letters and digits."""
    text = rng.randbytes(_ID_LENGTH * count).translate(_LETTERS).decode("ascii")
    return [text[at : at + _ID_LENGTH] for at in range(0, len(text), _ID_LENGTH)]


def new_id(rng: random.Random, kind: str) -> str:
    """Return an id with the prefix of its kind, such as ``user-`` or ``proj_``."""
    prefix = _PREFIXES.get(kind, kind.replace(".", "_") + "_")
    return prefix + random_ids(rng, 1)[0]


@dataclass
class User:
    """A member of the organization."""

    id: str
    name: str
    email: str
    role: str
    added_at: int

    def row(self) -> Row:
        """Describe it as a member of the organization."""
        return {
            "object": "organization.user",
            **asdict(self),
            "is_service_account": False,
            "is_scim_managed": False,
            "api_key_last_used_at": None,
        }

    def row_in_project(self) -> Row:
        """Describe it as a member of a project."""
        role = "owner" if self.role == "owner" else "member"
        return {"object": "organization.project.user", **asdict(self), "role": role}

    def row_in_group(self) -> Row:
        """Describe it as a member of a group: there is no `object` and no time."""
        return {"id": self.id, "name": self.name, "email": self.email}


@dataclass
class Project:
    """A project; one that is archived keeps being listed on request only."""

    id: str
    name: str
    created_at: int
    archived_at: int | None = None
    members: list[User] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def row(self) -> Row:
        """Describe it."""
        return {
            "id": self.id,
            "object": "organization.project",
            "name": self.name,
            "created_at": self.created_at,
            "archived_at": self.archived_at,
            "status": "active" if self.archived_at is None else "archived",
            "external_key_id": None,
            "residency": "GLOBAL",
        }


@dataclass
class ServiceAccount:
    """A service account; it belongs to one project."""

    id: str
    name: str
    role: str
    created_at: int
    project_id: str

    def row(self) -> Row:
        """Describe it."""
        row = {"object": "organization.project.service_account", **asdict(self)}
        del row["project_id"]
        return row


@dataclass
class ApiKey:
    """A project's API key; `owner_has_access` tells whether plain lists show it."""

    id: str
    name: str
    created_at: int
    project_id: str
    owner: User | ServiceAccount
    owner_has_access: bool = True
    last_used_at: int | None = None

    def row(self) -> Row:
        """Describe it."""
        owner = self.owner
        shown: Row = {"id": owner.id, "name": owner.name, "role": "member"}
        if isinstance(owner, User):
            kind = "user"
            shown |= {"email": owner.email, "created_at": owner.added_at}
        else:
            kind = "service_account"
            shown["created_at"] = owner.created_at
        return {
            "object": "organization.project.api_key",
            "redacted_value": f"sk-***{self.id[-4:]}",
            "name": self.name,
            "created_at": self.created_at,
            "last_used_at": self.last_used_at,
            "id": self.id,
            "owner_project_access": "active" if self.owner_has_access else "inactive",
            "owner": {"type": kind, kind: shown},
        }


@dataclass
class AdminKey:
    """An admin API key of the organization."""

    id: str
    name: str
    created_at: int
    owner: User
    last_used_at: int | None = None

    def row(self) -> Row:
        """Describe it."""
        return {
            "object": "organization.admin_api_key",
            "id": self.id,
            "name": self.name,
            "redacted_value": f"sk-admin-***{self.id[-4:]}",
            "created_at": self.created_at,
            "expires_at": None,
            "last_used_at": self.last_used_at,
            "owner": {
                "type": "user",
                "object": "organization.user",
                "id": self.owner.id,
                "name": self.owner.name,
                "created_at": self.owner.added_at,
                "role": self.owner.role,
            },
        }


@dataclass
class Invite:
    """An invitation by email; one that nobody accepted in a week is expired."""

    id: str
    email: str
    role: str
    created_at: int
    accepted_at: int | None = None

    def row(self, now: float) -> Row:
        """Describe it as it is now."""
        expires_at = self.created_at + _INVITE_SECONDS
        status = "expired" if expires_at < now else "pending"
        return {
            "object": "organization.invite",
            **asdict(self),
            "status": status if self.accepted_at is None else "accepted",
            "expires_at": expires_at,
            "projects": [],
        }


@dataclass
class Group:
    """A group of users."""

    id: str
    name: str
    created_at: int
    scim: bool = False
    members: list[User] = field(default_factory=list)

    def row(self) -> Row:
        """Describe it."""
        return {
            "object": "group",
            "id": self.id,
            "name": self.name,
            "created_at": self.created_at,
            "is_scim_managed": self.scim,
            "group_type": "group",
        }

    def row_in_project(self, project_id: str) -> Row:
        """Describe its access to a project: there is no `id`."""
        return {
            "object": "project.group",
            "project_id": project_id,
            "group_id": self.id,
            "group_name": self.name,
            "group_type": "group",
            "created_at": self.created_at,
        }


@dataclass
class Role:
    """A role, custom or predefined."""

    id: str
    name: str
    permissions: tuple[str, ...]
    resource_type: str
    predefined_role: bool = False

    def row(self) -> Row:
        """Describe it."""
        description = None if self.predefined_role else f"Custom role {self.name}"
        return {"object": "role", **asdict(self), "description": description}


@dataclass
class Certificate:
    """A client certificate."""

    id: str
    name: str
    created_at: int
    active: bool = True

    def row(self) -> Row:
        """Describe it."""
        valid = {
            "valid_at": self.created_at,
            "expires_at": self.created_at + _CERTIFICATE_SECONDS,
        }
        return {
            "object": "organization.certificate",
            **asdict(self),
            "certificate_details": valid,
        }


@dataclass
class RateLimit:
    """A project's rate limit for one model; the id names the model."""

    id: str
    model: str
    max_requests_per_1_minute: int
    max_tokens_per_1_minute: int

    def row(self) -> Row:
        """Describe it."""
        return {"object": "project.rate_limit", **asdict(self)}


@dataclass
class Organization:
    """Everything that exists now, by id."""

    id: str
    users: dict[str, User] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    service_accounts: dict[str, ServiceAccount] = field(default_factory=dict)
    api_keys: dict[str, ApiKey] = field(default_factory=dict)
    admin_keys: dict[str, AdminKey] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    rate_limits: dict[str, RateLimit] = field(default_factory=dict)

    def active_projects(self) -> list[Project]:
        """Return the projects that are not archived, oldest first."""
        return [p for p in self.projects.values() if p.archived_at is None]

    def things(self, kind: str) -> dict[str, Any]:
        """Return the things of a kind, by id; nothing of a kind that is not kept."""
        things: dict[str, Any] = getattr(self, f"{kind}s", {})
        return things

    def remove(self, kind: str, thing_id: str) -> None:
        """Let a thing disappear that nothing else consists of."""
        self.things(kind).pop(thing_id, None)

    def remove_user(self, user_id: str) -> None:
        """Take a user out of the organization and of all it consists of."""
        self.remove("user", user_id)
        for project in self.projects.values():
            project.members = [m for m in project.members if m.id != user_id]
        for group in self.groups.values():
            group.members = [m for m in group.members if m.id != user_id]
        for key in [k for k, v in self.admin_keys.items() if v.owner.id == user_id]:
            del self.admin_keys[key]
