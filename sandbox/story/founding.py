"""The company as it was before the first event of its log."""

from __future__ import annotations

from itertools import islice
from math import inf
from typing import TYPE_CHECKING

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
from sandbox.story.company import AllowList, Company, Membership
from sandbox.story.people import DAY, HOUR

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from sandbox.story.people import Person

#: The robots that work at night.
ROTATION, EVALUATION = "key-rotation", "nightly-evaluation"
#: Each project with the robot that runs it.
_PROJECTS = (
    ("Default project", ROTATION),
    ("Customer support", "support-assistant"),
    ("Contract search", "contract-indexer"),
    ("Invoice extraction", "invoice-reader"),
    ("Developer copilot", "copilot-backend"),
    ("Speech to text", "transcriber"),
    ("Evaluation", EVALUATION),
)
_ENDED = ("Hackathon 2025", "Legacy import")
_TEAMS = ("Platform", "Data science", "Product", "Customer care", "Finance")
_MODELS = (("gpt-5", 500), ("gpt-5-mini", 2_000), ("whisper-1", 100))
_TOKENS_A_REQUEST = 400
_MEMBERS, _TEAM_SIZE, _KEPT_INVITES = 38, 9, 6
_OFFICES = "192.0.2.0/24"
_OLDEST_DAYS = 900


def found(
    rng: random.Random, organization_id: str, start: int, people: Iterator[Person]
) -> Company:
    """Make the company; all it has exists since before `start`.

    Args:
        rng: Source of randomness.
        organization_id: The id of the organization.
        start: First second of the log, Unix seconds.
        people: Who can be hired.
    """

    def before() -> int:
        return start - rng.randrange(3 * DAY, _OLDEST_DAYS * DAY)

    o = Organization(organization_id)
    offices = AllowList(new_id(rng, "ipal"), "Offices and VPN", (_OFFICES,))
    company = Company(rng, o, offices, start)
    _hire(company, people, before)
    users = list(o.users.values())
    for name in _TEAMS:
        group = Group(new_id(rng, "group"), name, before())
        group.members = rng.sample(users, _TEAM_SIZE)
        o.groups[group.id] = group
    _start_projects(company, before)
    for name in _ENDED:
        project = Project(new_id(rng, "project"), name, start - 300 * DAY)
        project.archived_at = start - 90 * DAY
        o.projects[project.id] = project
    for user in [u for u in users if u.role == "owner"][:2]:
        admin_key = AdminKey(new_id(rng, "admin_key"), "terraform", before(), user)
        o.admin_keys[admin_key.id] = admin_key
    for name in ("owner", "reader"):
        role = Role(new_id(rng, "role"), name, (), "api.organization")
        role.predefined_role = True
        o.roles[role.id] = role
    for model, requests in _MODELS:
        limit = RateLimit(f"rl-{model}", model, requests, requests * _TOKENS_A_REQUEST)
        o.rate_limits[limit.id] = limit
    gateway = Certificate(new_id(rng, "certificate"), "Gateway", before())
    o.certificates[gateway.id] = gateway
    return company


def _hire(
    company: Company, people: Iterator[Person], before: Callable[[], int]
) -> None:
    """Take in the first people; each office has an owner."""
    first = list(islice(people, _MEMBERS))
    owners = list({person.place: person for person in first}.values())
    for person in first:
        user = person.user
        user.added_at = before()
        company.organization.users[user.id] = user
        company.memberships[user.id] = Membership(person)
        if person in owners:
            user.role = "owner"
            company.memberships[user.id].owner_since = -inf
    for user in list(company.organization.users.values())[:_KEPT_INVITES]:
        invite = Invite(new_id(company.rng, "invite"), user.email, user.role, 0)
        invite.created_at = user.added_at - HOUR
        invite.accepted_at = user.added_at
        company.organization.invites[invite.id] = invite


def _start_projects(company: Company, before: Callable[[], int]) -> None:
    """Start the projects, each with a team, a robot and some people's keys."""
    o, rng = company.organization, company.rng
    users, groups = list(o.users.values()), list(o.groups.values())
    for number, (name, robot_name) in enumerate(_PROJECTS):
        project = Project(new_id(rng, "project"), name, before())
        project.members = list(users) if number == 0 else rng.sample(users, _TEAM_SIZE)
        project.groups = rng.sample(groups, rng.randrange(1, 3))
        o.projects[project.id] = project
        made_at = rng.randrange(project.created_at, company.now)
        robot_id = new_id(rng, "service_account")
        robot = ServiceAccount(robot_id, robot_name, "member", made_at, project.id)
        o.service_accounts[robot.id] = robot
        key_id = new_id(rng, "api_key")
        o.api_keys[key_id] = ApiKey(key_id, robot_name, made_at, project.id, robot)
        for owner in rng.sample(project.members, 2):
            key_id, named = new_id(rng, "api_key"), key_name(rng, owner)
            made_at = max(project.created_at, owner.added_at)
            made_at = rng.randrange(made_at, company.now)
            o.api_keys[key_id] = ApiKey(key_id, named, made_at, project.id, owner)


def key_name(rng: random.Random, owner: User) -> str:
    """Return what somebody calls a key of theirs."""
    purpose = rng.choice(("laptop", "notebook", "prototype", "load-test", "batch"))
    return f"{owner.name.split()[0].lower()}-{purpose}"
