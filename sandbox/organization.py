"""The things a synthetic organization consists of, as its events leave them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class User:
    """A member of the organization. Times are Unix seconds, as everywhere here."""

    id: str
    name: str
    email: str
    role: str
    added_at: int


@dataclass
class Project:
    """A project; one that is archived keeps being listed on request only."""

    id: str
    name: str
    created_at: int
    archived_at: int | None = None
    members: list[User] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


@dataclass
class ServiceAccount:
    """A service account; it belongs to one project."""

    id: str
    name: str
    role: str
    created_at: int
    project_id: str


@dataclass
class ApiKey:
    """A project's API key; `owner_has_access` tells whether plain lists show it."""

    id: str
    name: str
    created_at: int
    project_id: str
    owner: User | ServiceAccount
    owner_has_access: bool = True


@dataclass
class AdminKey:
    """An admin API key of the organization."""

    id: str
    name: str
    created_at: int
    owner: User


@dataclass
class Invite:
    """An invitation by email."""

    id: str
    email: str
    role: str
    created_at: int
    accepted_at: int | None = None


@dataclass
class Group:
    """A group of users."""

    id: str
    name: str
    created_at: int
    scim: bool = False
    members: list[User] = field(default_factory=list)


@dataclass
class Role:
    """A role, custom or predefined."""

    id: str
    name: str
    permissions: tuple[str, ...]
    resource_type: str
    predefined: bool = False


@dataclass
class Certificate:
    """A client certificate."""

    id: str
    name: str
    created_at: int
    active: bool = True


@dataclass
class RateLimit:
    """A project's rate limit for one model; the id names the model."""

    id: str
    model: str
    requests_per_minute: int
    tokens_per_minute: int


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

    def remove_user(self, user_id: str) -> None:
        """Take a user out of the organization and of all it consists of."""
        self.users.pop(user_id, None)
        for project in self.projects.values():
            project.members = [m for m in project.members if m.id != user_id]
        for group in self.groups.values():
            group.members = [m for m in group.members if m.id != user_id]
        for key in [k for k, v in self.admin_keys.items() if v.owner.id == user_id]:
            del self.admin_keys[key]
