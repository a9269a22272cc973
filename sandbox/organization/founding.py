"""The organization as it was before the first event of its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from sandbox.organization.things import (
    AdminKey,
    ApiKey,
    Certificate,
    Group,
    Invite,
    Organization,
    Project,
    RateLimit,
    Role,
    ServiceAccount,
    User,
    new_id,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

FIRST_NAMES = (
    "Ada", "Zoë", "Bjørn", "Chloé", "Dmitri", "Eszter", "Fatima", "Grace", "Hiroshi",
    "Inés", "José", "Katarzyna", "Léa", "Mário", "Nguyễn", "Oluwaseun", "Priya", "Rosa",
    "Søren", "Tomáš", "Ülkü", "Wanjikũ", "Xiaoming", "陽菜", "Åsa", "محمد",
)  # fmt: skip
LAST_NAMES = (
    "Lovelace", "Müller", "Østergård", "García", "Ivanova", "Nagy", "Okafor", "Sato",
    "Dvořák", "Nowak", "Silva", "Trần", "Çelik", "Wójcik", "O'Brien", "Smith-Jones",
    "李", "Haddad", "Kowalski", "Lindqvist",
)  # fmt: skip
PROJECT_NAMES = (
    "Default project", "Search", "Überwachung", "データ分析", "Support chatbot",
    'Quotes " and \\ slashes', "Facturación", "R&D <lab>", "Growth 🚀", "Mobile",
    "Contracts", "Batch jobs", "Legacy import", "Hackathon 2025",
)  # fmt: skip
MODELS = ("gpt-5", "gpt-5-mini", "o4-mini", "gpt-image-1", "whisper-1")
SCOPES = (
    "api.model.request", "api.model.read", "api.threads.read", "api.files.write",
    "api.fine_tuning.jobs.read", "api.audit_logs.read", "api.groups.read",
)  # fmt: skip
ARCHIVED = 2
_USERS, _GROUPS, _ROLES, _CERTIFICATES, _INVITES, _ADMIN_KEYS = 130, 12, 9, 5, 25, 4
_DAY = 86_400
_OWNERS = 6


def found(rng: random.Random, organization_id: str, start: int) -> Organization:
    """Make an organization whose things all exist since before `start`.

    Args:
        rng: Source of randomness.
        organization_id: The id of the organization.
        start: First second of the log, Unix seconds.
    """
    organization = Organization(organization_id)

    before = _Before(rng, start)
    organization.users = _by_id(_users(rng, before))
    users = list(organization.users.values())
    organization.groups = _by_id(_groups(rng, before, users))
    groups = list(organization.groups.values())
    projects = []
    for number, name in enumerate(PROJECT_NAMES):
        project = Project(new_id(rng, "project"), name, before.moment())
        project.members = rng.sample(users, 110 if number == 0 else 12)
        project.groups = rng.sample(groups, rng.randrange(0, 4))
        projects.append(project)
    organization.projects = _by_id(projects)
    for project in projects[:-ARCHIVED]:
        _staff(rng, organization, project, before.moment())
    organization.roles = _by_id([_role(rng, number) for number in range(_ROLES)])
    organization.certificates = _by_id(
        Certificate(
            new_id(rng, "certificate"),
            f"Gateway {number}",
            before.moment(),
            active=number % 2 == 0,
        )
        for number in range(_CERTIFICATES)
    )
    organization.invites = _by_id(
        _invite(rng, number, before.moment()) for number in range(_INVITES)
    )
    organization.admin_keys = _by_id(
        AdminKey(new_id(rng, "admin_key"), f"Admin {user.name}", before.moment(), user)
        for user in users[:_ADMIN_KEYS]
    )
    organization.rate_limits = _by_id(
        RateLimit(f"rl-{model}", model, 500, 150_000) for model in MODELS
    )
    return organization


@dataclass(frozen=True)
class _Before:
    """Draws moments before the log begins."""

    rng: random.Random
    start: int

    def moment(self) -> int:
        return self.start - self.rng.randrange(_DAY, 700 * _DAY)


class _Identified(Protocol):
    id: str


_Item = TypeVar("_Item", bound=_Identified)


def _by_id(items: Iterable[_Item]) -> dict[str, _Item]:
    return {item.id: item for item in items}


def _users(rng: random.Random, before: _Before) -> Iterator[User]:
    for number in range(_USERS):
        user = new_user(rng, number, before.moment())
        user.role = "owner" if number < _OWNERS else "reader"
        yield user


def _groups(rng: random.Random, before: _Before, users: list[User]) -> Iterator[Group]:
    for number in range(_GROUPS):
        name = f"{rng.choice(LAST_NAMES)} team {number}"
        group = Group(new_id(rng, "group"), name, before.moment(), number % 3 == 0)
        group.members = rng.sample(users, rng.randrange(0, 40))
        yield group


def _invite(rng: random.Random, number: int, at: int) -> Invite:
    accepted_at = at + 3_600 if number % 2 else None
    address = f"guest{number}@example.com"
    return Invite(new_id(rng, "invite"), address, "reader", at, accepted_at)


def new_user(rng: random.Random, number: int, added_at: int) -> User:
    """Return a user; some addresses have capitals, as real ones do."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    email = f"user{number}.{chr(97 + number % 26)}@example.com"
    if number % 5 == 0:
        email = f"User{number}.Capital@Example.com"
    return User(new_id(rng, "user"), f"{first} {last}", email, "reader", added_at)


def _staff(
    rng: random.Random, organization: Organization, project: Project, at: int
) -> None:
    """Give a project its service accounts and API keys."""
    for number in range(3):
        account = ServiceAccount(
            new_id(rng, "service_account"), f"robot-{number}", "member", at, project.id
        )
        organization.service_accounts[account.id] = account
        key = ApiKey(
            new_id(rng, "api_key"), f"robot-{number} key", at, project.id, account
        )
        organization.api_keys[key.id] = key
    for access in (True, True, True, False):
        owner = rng.choice(project.members)
        key_id = new_id(rng, "api_key")
        key = ApiKey(key_id, f"{owner.name} ✓", at, project.id, owner, access)
        organization.api_keys[key_id] = key


def _role(rng: random.Random, number: int) -> Role:
    predefined = ("owner", "reader")[number : number + 1]
    return Role(
        id=new_id(rng, "role"),
        name=predefined[0] if predefined else f"Auditor {number}",
        permissions=tuple(rng.sample(SCOPES, 3)),
        resource_type=("api.organization", "api.project")[number % 2],
        predefined_role=bool(predefined),
    )
