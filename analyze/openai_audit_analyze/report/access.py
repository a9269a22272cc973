"""Who has access as of the last listings: owners, roles, and keys."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from openai_audit_analyze.report.lists import Lists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openai_audit_analyze.report.models import Answers

MOST_OWNERS = 50
MOST_KEYS = 25
MOST_ROLES = 20
STALE_DAYS = 90
"""Days without use after which a key or a person should be reviewed."""

_STALE = f"cast(%(now)s as timestamp) - interval '{STALE_DAYS} days'"
_AGES = (30, 90, 365)
_USES = (7, 30, 90)

_WAYS = """
    select access_kind as kind, count(*) as ways, max(listed_at) as listed_at
    from {access}
    group by access_kind
    order by ways desc, kind
"""
# A long-time member may be an owner since today, so the newest event that granted a
# role counts. Without one in the log, it is the day of joining.
_OWNERS = f"""
    select
        coalesce(
            principal_name, principal_email, principal_id, 'no name'
        ) as name, principal_email as email, organization_id,
        access_kind = 'invitation' as is_invited, since, granted_by, granted_at,
        last_seen_at, count(*) over () as of_all
    from {{access}}
    where access_kind in ('member', 'invitation') and lower(role) = 'owner'
    order by coalesce(granted_at, since) desc nulls last, name
    limit {MOST_OWNERS}
"""
_WITH_OWNERS = """
    select distinct organization_id
    from {access}
    where access_kind = 'member' and lower(role) = 'owner'
"""
_ROLES = f"""
    select
        coalesce(lower(role), 'no role') as role, count(*) as people,
        count(case when last_seen_at >= {_STALE} then 1 end) as active,
        count(*) over () as of_all
    from {{access}}
    where access_kind = 'member'
    group by 1
    order by people desc, role
    limit {MOST_ROLES}
"""
_IS_IDLE = f"coalesce(last_seen_at, since) < {_STALE}"
_KEY = """
    with named as (
        select
            access_kind, coalesce(principal_name, principal_id, 'no name') as name,
            principal_id as id, organization_id,
            coalesce(owner_name, owner_id) as owner, owner_is_gone, project_name, since,
            last_seen_at
        from {access}
        where access_kind in ('api_key', 'admin_api_key')
    ),

    keys as (
        select
            access_kind, name, id, organization_id, owner, owner_is_gone, project_name,
            since, last_seen_at, count(*) over (partition by name) as namesakes
        from named
    )

    select
        name, id, namesakes, organization_id, owner, owner_is_gone, project_name, since,
        last_seen_at, count(*) over () as of_all
    from keys
"""
_ADMIN_KEYS = f"""
    {_KEY} where access_kind = 'admin_api_key'
    order by since desc nulls last, name, id
    limit {MOST_KEYS}
"""
_IDLE_KEYS = f"""
    {_KEY} where owner_is_gone or {_IS_IDLE}
    order by coalesce(owner_is_gone, false) desc, last_seen_at nulls first, name, id
    limit {MOST_KEYS}
"""
_KNOWN = """
    select
        count(*) as keys,
        count(case when owner_is_gone is null then 1 end) as owner_unknown,
        count(case when coalesce(last_seen_at, since) is null then 1 end) as age_unknown
    from {access}
    where access_kind in ('api_key', 'admin_api_key')
"""
_USED = """
    select {age} as age, {use} as used, count(*) as keys
    from {{access}}
    where access_kind in ('api_key', 'admin_api_key')
    group by 1, 2
""".format(
    age="case when since is null then {} {} else {} end".format(
        len(_AGES) + 1,
        " ".join(
            "when since >= cast(%(now)s as timestamp)"
            f" - interval '{days} days' then {n}"
            for n, days in enumerate(_AGES)
        ),
        len(_AGES),
    ),
    use="case when last_seen_at is null then {} {} else {} end".format(
        len(_USES) + 1,
        " ".join(
            "when last_seen_at >= cast(%(now)s as timestamp)"
            f" - interval '{days} days' then {n}"
            for n, days in enumerate(_USES)
        ),
        len(_USES),
    ),
)

AGE_NAMES = (
    f"up to {_AGES[0]} days",
    *(f"{a} to {b} days" for a, b in pairwise(_AGES)),
    f"more than {_AGES[-1]} days",
    "not known",
)
USE_NAMES = (
    f"up to {_USES[0]}",
    *(f"{after} to {up_to}" for after, up_to in pairwise(_USES)),
    f"more than {_USES[-1]}",
    "never seen",
)
"""How many days ago a key was last used."""


@dataclass(frozen=True)
class Way:
    """A kind of access, how many have it, and when that was listed."""

    kind: str
    ways: int
    listed_at: datetime | None


@dataclass(frozen=True)
class Owner:
    """A member who is an owner of the organization, or who is invited to be one."""

    name: str
    email: str | None
    organization_id: str | None
    is_invited: bool
    since: datetime | None
    granted_by: str | None
    granted_at: datetime | None
    last_seen_at: datetime | None
    of_all: int


@dataclass(frozen=True)
class _Organization:
    organization_id: str | None


@dataclass(frozen=True)
class Role:
    """The members who have a role, and how many of them were seen lately."""

    role: str
    people: int
    active: int
    of_all: int


@dataclass(frozen=True)
class Key:
    """An API key or an admin key, and how many of all keys have its name."""

    name: str
    id: str | None
    namesakes: int
    organization_id: str | None
    owner: str | None
    owner_is_gone: bool | None
    project_name: str | None
    since: datetime | None
    last_seen_at: datetime | None
    of_all: int


@dataclass(frozen=True)
class Known:
    """How many keys there are, and of how many it is not known what matters.

    Attributes:
        keys: How many there are.
        owner_unknown: Those of which it is not known whether the owner exists.
        age_unknown: Those of which it is not known when they were created or used.
    """

    keys: int
    owner_unknown: int
    age_unknown: int


@dataclass(frozen=True)
class _Used:
    age: int
    used: int
    keys: int


@dataclass(frozen=True)
class Access:
    """Who has access.

    Attributes:
        lists: What is known of each list of the inventory.
        ways: How many have access of each kind.
        owners: The owners of the organizations, who got a role last first.
        with_owners: The organizations of which a member is an owner.
        roles: The members by role.
        admin_keys: The admin keys, the newest first.
        idle_keys: Keys that are known to be unused, or whose owner was removed.
        known: Of how many keys it is not known whether they are such.
        used: For each of `AGE_NAMES` how many keys there are of each of `USE_NAMES`.
    """

    lists: Lists
    ways: Sequence[Way]
    owners: Sequence[Owner]
    with_owners: Sequence[str | None]
    roles: Sequence[Role]
    admin_keys: Sequence[Key]
    idle_keys: Sequence[Key]
    known: Known
    used: Sequence[Sequence[int]]

    @classmethod
    def of(cls, answers: Answers, now: datetime) -> Access:
        """Ask for it.

        Args:
            answers: What is asked.
            now: The time of the query, from which ages count.
        """
        used = [[0] * len(USE_NAMES) for _ in AGE_NAMES]
        for row in answers.rows(_Used, _USED, now=now):
            used[row.age][row.used] += row.keys
        return cls(
            Lists.of(answers),
            answers.rows(Way, _WAYS),
            answers.rows(Owner, _OWNERS),
            [row.organization_id for row in answers.rows(_Organization, _WITH_OWNERS)],
            answers.rows(Role, _ROLES, now=now),
            answers.rows(Key, _ADMIN_KEYS),
            answers.rows(Key, _IDLE_KEYS, now=now),
            answers.one(Known, _KNOWN),
            used,
        )

    @property
    def listed_at(self) -> datetime | None:
        """When the oldest of the listings was read that this is as of."""
        if self.lists.lists:
            return self.lists.listed_at
        return min((way.listed_at for way in self.ways if way.listed_at), default=None)
