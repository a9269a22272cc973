"""An incident: how somebody from outside becomes an owner, and covers it up.

Nothing in the events says so: they look as those of the API do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.organization.things import User, new_id
from sandbox.story.company import by_key, session
from sandbox.story.people import MINUTE, Place
from sandbox.story.sign_ins import FAILED, SUCCEEDED, WRONG_PASSWORD

if TYPE_CHECKING:
    from sandbox.organization.things import ApiKey, Invite
    from sandbox.story.company import Company
    from sandbox.story.people import Json, Person
    from sandbox.story.timetable import Episode

#: Nobody of the company is there, and nobody gets there within a working day.
_ABROAD = Place(
    "Santiago", "Santiago Metropolitan", "RM", "CL", "-33.45694", "-70.64827", -3
)
CLIENT = _ABROAD.client(
    "198.51.100.231", "64510",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
)  # fmt: skip
_NAME, _EMAIL = "Sam Carter", "sam.carter@example.net"
_EVERYTHING = ("api.all", "api.management.read", "api.management.write")
_OPEN = ["0.0.0.0/0", "::/0"]
_INVITES, _KEYS = 3, 10


def incident(company: Company) -> Episode:
    """Let it happen, in a little more than an hour."""
    rng, o = company.rng, company.organization
    people = company.members()
    for person in rng.sample(people, len(people)):
        company.tell(session(person.user, CLIENT), FAILED, WRONG_PASSWORD)
        yield company.now + rng.randrange(10, 30)

    yield company.now + 4 * MINUTE
    taken = session(_victim(company).user, CLIENT)
    company.tell(taken, SUCCEEDED)
    yield company.now + 6 * MINUTE
    changes = {"api_call_logging": "disabled"}
    details = {"id": o.id, "changes_requested": changes}
    company.tell(taken, "organization.updated", details)

    yield company.now + 5 * MINUTE
    invite = company.invite(taken, _EMAIL, "owner")
    intruder = User(new_id(rng, "user"), _NAME, _EMAIL, "owner", 0)
    own = session(intruder, CLIENT)
    yield company.now + 2 * MINUTE
    company.accept(invite, intruder, CLIENT)
    yield company.now + 1
    company.add(taken, intruder, "owner")
    yield company.now + 20
    company.tell(own, SUCCEEDED)

    yield company.now + 5 * MINUTE
    key = company.make_admin_key(own, "backup-sync", intruder, _EVERYTHING)
    yield company.now + 4 * MINUTE
    details = {"id": company.allow_list.id, "allowed_ips": _OPEN}
    company.tell(own, "ip_allowlist.updated", details)
    yield company.now + 6 * MINUTE
    company.tell(by_key(key), "external_storage.registered", _storage(company))

    yield company.now + 9 * MINUTE
    for deleted in (invite, *_invites(company)):
        company.delete_invite(own, deleted)
        yield company.now + rng.randrange(8, 25)
    for used in _keys(company):
        company.delete_key(own, used)
        yield company.now + rng.randrange(8, 25)
    company.delete_key(own, key)


def _victim(company: Company) -> Person:
    """Return an owner, at work if there is one: it then was elsewhere just before."""
    owners = [p for p in company.members(owners=True) if company.has(p)]
    awake = [person for person in owners if person.is_at_work(company.now)]
    return company.rng.choice(awake or owners)


def _storage(company: Company) -> Json:
    provider = {
        "type": "aws",
        "account_id": "999900001111",
        "bucket": "nightly-sync",
        "region": "sa-east-1",
        "role_arn": "arn:aws:iam::999900001111:role/nightly-sync",
        "external_id": company.organization.id,
    }
    data = {"geography": "us", "provider": provider}
    return {"id": new_id(company.rng, "external_storage"), "data": data}


def _invites(company: Company) -> list[Invite]:
    """Return some invitations that are older than the incident."""
    invites = company.organization.invites.values()
    settled = [i for i in invites if i.role != "owner" and company.settled(i.id)]
    return settled[-_INVITES:]


def _keys(company: Company) -> list[ApiKey]:
    """Return some keys of people: robots would fail at once, and be noticed."""
    keys = company.organization.api_keys.values()
    settled = [
        key
        for key in keys
        if isinstance(key.owner, User)
        and key.created_at < company.now
        and company.settled(key.id)
    ]
    return company.rng.sample(settled, min(_KEYS, len(settled)))
