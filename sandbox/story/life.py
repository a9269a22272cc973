"""Ordinary life: people come and go, projects begin and end, keys are changed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from sandbox.organization.things import Certificate, Group, Role, new_id
from sandbox.story.company import Membership, at_work, by_key
from sandbox.story.founding import EVALUATION, ROTATION, key_name
from sandbox.story.people import DAY, HOUR, MINUTE, Person
from sandbox.story.timetable import Episode

if TYPE_CHECKING:
    from sandbox.organization.things import Project, User
    from sandbox.story.company import Company
    from sandbox.story.people import Json
    from sandbox.story.timetable import Timetable

_Begin = Callable[["Company", Iterator[Person]], Episode]

_WEEK, _HACKATHON = 7 * DAY, 12 * DAY
_PROJECT_NAMES = (
    "Meeting notes", "Product search", "Fraud signals", "Onboarding guide", "Catalogue",
    "Release notes", "Sales forecast", "Translation", "Claims triage", "Site search",
)  # fmt: skip
_GROUP_NAMES = ("Research", "Legal", "Marketing", "Field engineering", "Procurement")
_SCOPES = (["api.model.request"], ["api.model.request", "api.model.read"])


def plan_life(
    timetable: Timetable,
    company: Company,
    people: Iterator[Person],
    span: tuple[int, int],
    share: float,
) -> None:
    """Plan what happens in a time.

    Args:
        timetable: Where it is planned.
        company: To whom it happens.
        people: Who can be hired.
        span: First second and the second after the last, Unix seconds.
        share: How much of it, 1 for all: a log of fewer events has less of everything.
    """
    rng, (start, end) = company.rng, span
    for begin, times_a_week in _ORDINARY.items():
        exact = times_a_week * share * (end - start) / _WEEK
        for _ in range(int(exact + rng.random())):
            timetable.plan(rng.randrange(start, end), begin(company, people))
    for number, week in enumerate(range(start, end, _WEEK)):
        if rng.random() < share:
            begin = _NOTEWORTHY[number % len(_NOTEWORTHY)] if number else _list_offices
            at = rng.randrange(week, min(week + _WEEK, end))
            timetable.plan(at, begin(company, people))
    for midnight in range(start - start % DAY + DAY, end, DAY):
        if rng.random() < share:
            timetable.plan(midnight + HOUR, _rotate_at_night(company))
            timetable.plan(midnight + 2 * HOUR, _evaluate_at_night(company))


# Who does something: found when they are at work, if they have not left by then.


def _someone(
    company: Company, *, owners: bool | None = None
) -> Generator[int, None, Person]:
    while True:
        person = company.rng.choice(company.members(owners=owners))
        yield person.next_at_work(company.rng, company.now)
        if company.has(person):
            return person


def _owner(company: Company, after: int = 0) -> Generator[int, None, Person]:
    if after:
        yield company.now + after
    return (yield from _someone(company, owners=True))


def _team(company: Company) -> list[User]:
    return company.rng.sample(list(company.organization.users.values()), 5)


# People


def _hire(company: Company, people: Iterator[Person]) -> Episode:
    rng, newcomer = company.rng, next(people)
    owner = yield from _owner(company)
    invite = company.invite(at_work(owner), newcomer.user.email, "reader")
    soon = company.now + rng.randrange(20 * MINUTE, 30 * HOUR)
    yield newcomer.next_at_work(rng, soon)
    company.accept(invite, newcomer.user, newcomer.office)
    yield company.now + 1
    by = owner if company.has(owner) else rng.choice(company.members(owners=True))
    company.add(at_work(by), newcomer.user, "reader")
    company.memberships[newcomer.user.id] = Membership(newcomer, company.now)
    project = rng.choice(company.organization.active_projects())
    project.members.append(newcomer.user)
    yield newcomer.next_at_work(rng, company.now + DAY)
    if company.has(newcomer) and project.archived_at is None:
        name = key_name(rng, newcomer.user)
        company.make_key(at_work(newcomer), name, project, newcomer.user)


def _leave(company: Company, _: Iterator[Person]) -> Episode:
    owner = yield from _owner(company)
    leaver = company.rng.choice(company.members(owners=False))
    yield from _let_go(company, owner, leaver)


def _let_go(company: Company, owner: Person, leaver: Person) -> Episode:
    while keys := company.keys_of(leaver.user):
        if not company.has(owner):
            return
        company.delete_key(at_work(owner), keys[0])
        yield company.now + company.rng.randrange(20, 90)
    if company.has(owner) and company.has(leaver):
        company.remove(at_work(owner), leaver)


def _hand_over(company: Company, people: Iterator[Person]) -> Episode:
    """Let an owner make a colleague an owner and leave; a new colleague comes."""
    leaver = yield from _owner(company)
    successor = company.rng.choice(company.members(owners=False))
    company.make_owner(at_work(leaver), successor)
    yield successor.next_at_work(company.rng, company.now + 4 * DAY)
    yield from _let_go(company, successor, leaver)
    yield from _hire(company, people)


def _invite_in_vain(company: Company, people: Iterator[Person]) -> Episode:
    owner = yield from _owner(company)
    invite = company.invite(at_work(owner), next(people).user.email, "reader")
    owner = yield from _owner(company, after=9 * DAY)
    company.delete_invite(at_work(owner), invite)


# Keys


def _try_something(company: Company, _: Iterator[Person]) -> Episode:
    """Let somebody make a key and, mostly, delete it some days later."""
    rng = company.rng
    person = yield from _someone(company)
    projects = [
        p for p in company.organization.active_projects() if person.user in p.members
    ]
    if not projects:
        return
    name, project = key_name(rng, person.user), rng.choice(projects)
    key = company.make_key(at_work(person), name, project, person.user)
    if rng.randrange(4):
        yield person.next_at_work(rng, company.now + rng.randrange(DAY, 9 * DAY))
        if company.has(person):
            company.delete_key(at_work(person), key)


def _change_scopes(company: Company, _: Iterator[Person]) -> Episode:
    person = yield from _someone(company)
    keys = company.organization.api_keys.values()
    own = [key for key in keys if key.owner is person.user]
    if own:
        key, scopes = company.rng.choice(own), company.rng.choice(_SCOPES)
        details = {"id": key.id, "changes_requested": {"scopes": scopes}}
        company.tell(at_work(person), "api_key.updated", details, key.project_id)


def _rotate_at_night(company: Company) -> Episode:
    """Let the robot for it give another robot a new key, and delete the old one."""
    o = company.organization
    yield company.now + company.rng.randrange(5 * MINUTE)
    robots = [r for r in o.service_accounts.values() if r.name != ROTATION]
    by = by_key(company.keys_of(company.robot(ROTATION))[0])
    robot = robots[company.now // DAY % len(robots)]
    old = company.keys_of(robot)
    company.make_key(by, robot.name, o.projects[robot.project_id], robot)
    yield company.now + 15 * MINUTE
    for key in old:
        company.delete_key(by, key)


def _evaluate_at_night(company: Company) -> Episode:
    """Let the robot for it work with a service account of one night."""
    robot = company.robot(EVALUATION)

    def by() -> Json:  # its key may have become another one meanwhile
        return by_key(company.keys_of(robot)[-1])

    yield company.now + company.rng.randrange(5 * MINUTE)
    project = company.organization.projects[robot.project_id]
    run = company.make_robot(by(), "evaluation-run", project)
    yield company.now + 5
    company.make_key(by(), run.name, project, run)
    yield company.now + company.rng.randrange(HOUR, 3 * HOUR)
    company.delete_robot(by(), run)


# Projects and what they need


def _start_project(company: Company, _: Iterator[Person]) -> Episode:
    """Let an owner start a project with a robot of its own."""
    owner = yield from _owner(company)
    taken = {project.name for project in company.organization.projects.values()}
    free = [name for name in _PROJECT_NAMES if name not in taken]
    if not free:
        return
    name = company.rng.choice(free)
    project = company.found_project(at_work(owner), name, _team(company))
    yield company.now + 3 * MINUTE
    robot_name = f"{name.lower().replace(' ', '-')}-backend"
    robot = company.make_robot(at_work(owner), robot_name, project)
    yield company.now + 20
    company.make_key(at_work(owner), robot_name, project, robot)


def _hold_hackathon(company: Company, _: Iterator[Person]) -> Episode:
    """Let an owner start a project that is archived two weeks later."""
    owner = yield from _owner(company)
    name = f"Hackathon {len(company.organization.projects)}"
    project = company.found_project(at_work(owner), name, _team(company))
    owner = yield from _owner(company, after=_HACKATHON)
    _archive(company, owner, project)


def _archive(company: Company, owner: Person, project: Project) -> None:
    for key in list(company.organization.api_keys.values()):
        if key.project_id == project.id:
            company.delete_key(at_work(owner), key)
    project.archived_at = company.now
    company.tell(at_work(owner), "project.archived", {"id": project.id}, project.id)


def _rename_project(company: Company, _: Iterator[Person]) -> Episode:
    owner = yield from _owner(company)
    project = company.rng.choice(company.organization.active_projects()[1:])
    if not project.name.endswith(" (EU)"):
        project.name += " (EU)"
        details = {"id": project.id, "changes_requested": {"title": project.name}}
        company.tell(at_work(owner), "project.updated", details, project.id)


def _change_limit(company: Company, _: Iterator[Person]) -> Episode:
    owner = yield from _owner(company)
    o, rng = company.organization, company.rng
    limit, project = (
        rng.choice([*o.rate_limits.values()]),
        rng.choice(o.active_projects()),
    )
    limit.max_requests_per_1_minute = limit.max_requests_per_1_minute * 3 // 2
    changes = {"max_requests_per_1_minute": limit.max_requests_per_1_minute}
    details = {"id": limit.id, "changes_requested": changes}
    company.tell(at_work(owner), "rate_limit.updated", details, project.id)


# Groups, roles, certificates, allow lists


def _make_group(company: Company, _: Iterator[Person]) -> Episode:
    owner = yield from _owner(company)
    o, rng = company.organization, company.rng
    taken = {group.name for group in o.groups.values()}
    free = [name for name in _GROUP_NAMES if name not in taken]
    if not free:
        return
    group = Group(new_id(rng, "group"), rng.choice(free), company.now)
    group.members = _team(company)
    o.groups[group.id] = group
    data = {"group_name": group.name}
    company.tell(at_work(owner), "group.created", {"id": group.id, "data": data})
    yield company.now + 2 * MINUTE
    project = rng.choice(o.active_projects())
    project.groups.append(group)
    assignment = {
        "id": new_id(rng, "role_assignment"),
        "principal_id": group.id,
        "principal_type": "group",
        "resource_id": project.id,
        "resource_type": "api.project",
    }
    company.tell(at_work(owner), "role.assignment.created", assignment)


def _make_role(company: Company, _: Iterator[Person]) -> Episode:
    owner = yield from _owner(company)
    o = company.organization
    name, role_id = f"Usage viewer {len(o.roles) - 1}", new_id(company.rng, "role")
    role = Role(role_id, name, ("api.usage.read",), "api.organization")
    o.roles[role.id] = role
    details = {
        "id": role.id,
        "role_name": role.name,
        "permissions": list(role.permissions),
        "resource_type": role.resource_type,
        "resource_id": o.id,
    }
    company.tell(at_work(owner), "role.created", details)


def _renew_certificate(company: Company, _: Iterator[Person]) -> Episode:
    owner = yield from _owner(company)
    certificates = company.organization.certificates
    name, new = f"Gateway {len(certificates) + 1}", new_id(company.rng, "certificate")
    certificate = Certificate(new, name, company.now, active=False)
    certificates[certificate.id] = certificate
    shown = {"id": certificate.id, "name": certificate.name}
    company.tell(at_work(owner), "certificate.created", shown)
    owner = yield from _owner(company, after=2 * DAY)
    certificate.active = True
    company.tell(at_work(owner), "certificates.activated", {"certificates": [shown]})


def _list_offices(company: Company, _: Iterator[Person]) -> Episode:
    owner, offices = (yield from _owner(company)), company.allow_list
    shown = {"id": offices.id, "name": offices.name}
    details = {**shown, "allowed_ips": list(offices.ranges)}
    company.tell(at_work(owner), "ip_allowlist.created", details)
    yield company.now + 5 * MINUTE
    company.tell(at_work(owner), "ip_allowlist.config.activated", {"configs": [shown]})


#: How often something happens, times a week.
_ORDINARY: dict[_Begin, float] = {
    _try_something: 9,
    _change_scopes: 2,
    _hire: 1.3,
    _leave: 0.8,
    _start_project: 0.7,
    _invite_in_vain: 0.6,
    _rename_project: 0.5,
    _make_group: 0.4,
    _hold_hackathon: 0.4,
    _renew_certificate: 0.3,
}
#: What is worth a look comes once a week, in turn, and never in a crowd.
_NOTEWORTHY: tuple[_Begin, ...] = (_change_limit, _hand_over, _change_limit, _make_role)
