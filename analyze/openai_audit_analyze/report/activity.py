"""What happened: how much of what and when, by whom, from where, and in sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from openai_audit_analyze.report.models import Answers

MOST_BUSIEST = 10
MOST_SENTENCES = 200
"""Sentences in the timeline. A year of them would be unreadable."""

MOST_SENTENCES_A_DAY = 30
"""Sentences of one day, so that a busy day leaves room for others."""

MOST_TYPES = 12
"""Types of events of one day of which it is said how many are left out."""

_IN_PERIOD = "occurred_at >= {start} and occurred_at < {end}"
_IS_SIGN_IN = "event_type like 'login%%'"
_FAILED = "count(case when outcome <> 'succeeded' then 1 end)"
_FAILED_SIGN_INS = (
    f"count(case when {_IS_SIGN_IN} and outcome <> 'succeeded' then 1 end)"
)

_EVENTS = f"""
    select
        cast(date_trunc('{{unit}}', occurred_at) as timestamp) as span,
        organization_id, workspace_id, source, category, event_type,
        outcome <> 'succeeded' as failed, count(*) as events
    from {{events}}
    where {_IN_PERIOD}
    group by 1, 2, 3, 4, 5, 6, 7
"""
_HOURS = f"""
    select
        cast(extract(isodow from occurred_at) as integer) as weekday,
        cast(extract(hour from occurred_at) as integer) as hour,
        count(*) as sign_ins, {_FAILED} as failed
    from {{events}}
    where {_IN_PERIOD} and {_IS_SIGN_IN}
    group by 1, 2
"""
_PERSON = "coalesce(lower(actor_email), actor_id)"
"""An address is the same in whatever letters it is written."""


def _busiest(  # noqa: PLR0913 - the parts of a question
    who: str, where: str, *, name: str, detail: str, id_: str, known: str, others: str
) -> str:
    """Return the question who or what has the most events.

    Args:
        who: What events have in common that are of the same one.
        where: Which events count.
        name: What it is called. Names change, so the newest one is shown.
        detail: What else is known of it, of the same event.
        id_: What distinguishes it from others with that name.
        known: What an event has to have for its name and detail to be preferred.
        others: What is counted besides.
    """
    return f"""
        with chosen as (
            select
                {who} as who, {name} as name, {detail} as detail, {id_} as id,
                {known} is null as is_unknown, {others} as other, event_id,
                occurred_at, account_id, event_type, outcome
            from {{events}}
            where {_IN_PERIOD} and {where}
        ),

        counted as (
            select
                who, count(*) as events, {_FAILED_SIGN_INS} as failed_sign_ins,
                count(distinct other) as others, max(occurred_at) as last_at,
                min(account_id) as account, count(distinct account_id) as accounts,
                count(*) over () as of_all
            from chosen
            where who is not null
            group by who
            order by events desc, who
            limit {MOST_BUSIEST}
        ),

        named as (
            select
                who, name, detail, id,
                row_number() over (
                    partition by who
                    order by is_unknown, occurred_at desc, event_id desc
                ) as place
            from chosen
            where who in (select who from counted)
        )

        select
            named.name, named.detail, named.id,
            count(*) over (partition by named.name) as namesakes, counted.account,
            counted.accounts, counted.events, counted.failed_sign_ins, counted.others,
            counted.last_at, counted.of_all
        from counted
        inner join named on counted.who = named.who
        where named.place = 1
        order by counted.events desc, named.name, counted.who
    """


_PEOPLE = _busiest(
    _PERSON,
    "actor_kind in ('user', 'external_user')",
    name="coalesce(actor_name, actor_email, actor_id)",
    detail="actor_email",
    id_="actor_id",
    known="actor_name",
    others="ip_address",
)
_KEYS = _busiest(
    "account_id || ' ' || api_key_id",
    "api_key_id is not null",
    name="coalesce(api_key_name, api_key_id)",
    detail="coalesce(actor_name, actor_email, actor_id)",
    id_="api_key_id",
    known="api_key_name",
    others="event_type",
)
_ADDRESSES = _busiest(
    "ip_address",
    "ip_address is not null",
    name="ip_address",
    detail="coalesce(city || ', ', '') || coalesce(country, '')",
    id_="cast(null as text)",
    known="coalesce(city, country)",
    others=_PERSON,
)
_COUNTRIES = _busiest(
    "country",
    "country is not null",
    name="country",
    detail="cast(null as text)",
    id_="cast(null as text)",
    known="country",
    others=_PERSON,
)
_IN_TIMELINE = f"""
    {_IN_PERIOD} and not {_IS_SIGN_IN} and event_type not like 'logout%%'
"""
# An attacker can cause many events to hide others. So events of findings come first,
# then rare types, then the newest events.
_SENTENCES = f"""
    with listed as (
        select
            occurred_at, event_id, event_type, account_id as account, sentence,
            event_id in (
                select unnest(cast(%(of_findings)s as text[]))
            ) as is_of_finding,
            count(*) over (partition by event_type) as of_type
        from {{events}}
        where {_IN_TIMELINE}
    ),

    ranked as (
        select
            occurred_at, event_id, event_type, account, sentence, is_of_finding,
            row_number() over (
                partition by cast(occurred_at as date)
                order by is_of_finding desc, of_type, occurred_at desc, event_id desc
            ) as number_of_day
        from listed
    ),

    chosen as (
        select occurred_at, event_id, event_type, account, sentence
        from ranked
        where number_of_day <= {MOST_SENTENCES_A_DAY}
        order by
            is_of_finding desc, number_of_day, occurred_at desc, event_id desc
        limit {MOST_SENTENCES}
    )

    select occurred_at, event_type, account, sentence
    from chosen
    order by occurred_at desc, event_id desc
"""
_OF_DAYS = f"""
    select
        cast(date_trunc('day', occurred_at) as timestamp) as day, event_type,
        count(*) as events
    from {{events}}
    where {_IN_TIMELINE}
    group by 1, 2
    order by 1 desc, events, event_type
"""


@dataclass(frozen=True)
class Events:
    """How many events of one kind there were in a span of time."""

    span: datetime
    organization_id: str | None
    workspace_id: str | None
    source: str
    category: str
    event_type: str
    failed: bool | None
    events: int

    @property
    def is_sign_in(self) -> bool:
        """Whether it is a sign-in, successful or not."""
        return self.event_type.startswith("login")

    @property
    def is_in_timeline(self) -> bool:
        """Whether they have a sentence of their own in the timeline."""
        return not self.event_type.startswith(("login", "logout"))


@dataclass(frozen=True)
class Hour:
    """Sign-ins at an hour of a day of the week, Monday being 1."""

    weekday: int
    hour: int
    sign_ins: int
    failed: int

    def of(self, *, failed: bool) -> int:
        """Return how many failed, or how many did not."""
        return self.failed if failed else self.sign_ins - self.failed


@dataclass(frozen=True)
class Busy:
    """Who or what many events are of.

    Attributes:
        name: What people call it.
        detail: What else is known of it.
        id: What distinguishes it from others with its name.
        namesakes: How many of those that are shown have its name, itself included.
        account: The organization or workspace, or one of them.
        accounts: In how many organizations and workspaces it is.
        events: How many events.
        failed_sign_ins: How many of them are sign-ins that failed.
        others: The addresses of a person, the types of events of a key, the people at
            an address or in a country.
        last_at: When the newest of them happened.
        of_all: How many such people, keys, addresses or countries there are.
    """

    name: str
    detail: str | None
    id: str | None
    namesakes: int
    account: str | None
    accounts: int
    events: int
    failed_sign_ins: int
    others: int
    last_at: datetime
    of_all: int


@dataclass(frozen=True)
class EventSentence:
    """An event in a sentence.

    Attributes:
        occurred_at: When it happened, in UTC.
        event_type: Its type.
        account: The organization or workspace.
        sentence: What happened.
    """

    occurred_at: datetime
    event_type: str
    account: str | None
    sentence: str

    @property
    def day(self) -> datetime:
        """The midnight at which its day begins."""
        return self.occurred_at.replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Day:
    """A day of the timeline.

    Attributes:
        date: The midnight at which it begins.
        shown: The events that are shown, the newest first.
        left_out: How many events of each type are not shown, the rarest type first.
    """

    date: datetime
    shown: Sequence[EventSentence]
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class _OfDay:
    day: datetime
    event_type: str
    events: int


@dataclass(frozen=True)
class Activity:
    """What happened in the period."""

    events: Sequence[Events]
    hours: Sequence[Hour]
    people: Sequence[Busy]
    keys: Sequence[Busy]
    addresses: Sequence[Busy]
    countries: Sequence[Busy]
    days: Sequence[Day]

    @classmethod
    def of(cls, answers: Answers, of_findings: Sequence[str]) -> Activity:
        """Ask for it.

        Args:
            answers: What is asked.
            of_findings: The ids of events that findings are about.
        """
        return cls(
            answers.rows(Events, _EVENTS),
            answers.rows(Hour, _HOURS),
            answers.rows(Busy, _PEOPLE),
            answers.rows(Busy, _KEYS),
            answers.rows(Busy, _ADDRESSES),
            answers.rows(Busy, _COUNTRIES),
            _days(
                answers.rows(EventSentence, _SENTENCES, of_findings=list(of_findings)),
                answers.rows(_OfDay, _OF_DAYS),
            ),
        )

    @cached_property
    def total(self) -> int:
        """How many events there were."""
        return self._count(lambda _: True)

    @cached_property
    def sign_ins(self) -> int:
        """How many sign-ins, failed ones included."""
        return self._count(lambda row: row.is_sign_in)

    @cached_property
    def failed_sign_ins(self) -> int:
        """How many sign-ins that failed."""
        return self._count(lambda row: row.is_sign_in and bool(row.failed))

    @cached_property
    def in_timeline(self) -> int:
        """How many events have a sentence of their own, shown or not."""
        return self._count(lambda row: row.is_in_timeline)

    @cached_property
    def sentences(self) -> int:
        """How many of them are shown."""
        return sum(len(day.shown) for day in self.days)

    @cached_property
    def categories(self) -> list[tuple[str, int]]:
        """The categories with their numbers of events, the largest first."""
        return self._counted(lambda row: row.category)

    @cached_property
    def types(self) -> list[tuple[str, int]]:
        """The types of events with their numbers, the largest first."""
        return self._counted(lambda row: row.event_type)

    def busiest_hour(self, *, failed: bool) -> Hour | None:
        """Return the hour with the most sign-ins that failed, or that did not."""
        return max(self.hours, key=lambda hour: hour.of(failed=failed), default=None)

    def by_span(self, chosen: Callable[[Events], bool]) -> dict[datetime, int]:
        """Return how many of the chosen events there were in each span of time."""
        found: Counter[datetime] = Counter()
        for row in self.events:
            if chosen(row):
                found[row.span] += row.events
        return found

    def _count(self, chosen: Callable[[Events], bool]) -> int:
        return sum(row.events for row in self.events if chosen(row))

    def _counted(self, name: Callable[[Events], str]) -> list[tuple[str, int]]:
        found: Counter[str] = Counter()
        for row in self.events:
            found[name(row)] += row.events
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def _days(sentences: Sequence[EventSentence], of_days: Sequence[_OfDay]) -> list[Day]:
    """Return each day with events, shown or left out, the newest first."""
    shown: dict[datetime, list[EventSentence]] = defaultdict(list)
    for event in sentences:
        shown[event.day].append(event)
    left_out: dict[datetime, dict[str, int]] = defaultdict(dict)
    for row in of_days:
        of_type = sum(event.event_type == row.event_type for event in shown[row.day])
        if row.events > of_type:
            left_out[row.day][row.event_type] = row.events - of_type
    return [
        Day(date, shown[date], left_out[date]) for date in sorted(shown, reverse=True)
    ]
