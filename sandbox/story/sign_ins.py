"""When people sign in and out: it changes nothing, so there may be any number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandbox.story.people import HOUR, MINUTE

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from sandbox.story.company import Membership
    from sandbox.story.people import Json, Person

SUCCEEDED, FAILED, OUT = "login.succeeded", "login.failed", "logout.succeeded"
WRONG_PASSWORD = {
    "error_code": "invalid_password",
    "error_message": "The e-mail address or the password is wrong.",
}
_AT_HOME, _MISTYPED, _SIGNS_OUT = 0.4, 0.04, 0.35  # shares of days
_NEXT_TIME = 3 * HOUR  # after lunch, most sessions have ended


class SignIn(NamedTuple):
    """One sign-in, failed sign-in or sign-out.

    Attributes:
        at: Unix seconds.
        person: Whose it is.
        client: What the session shows.
        type: The event's type.
    """

    at: int
    person: Person
    client: Json
    type: str

    @property
    def details(self) -> Json | None:
        """The details of its event."""
        return WRONG_PASSWORD if self.type == FAILED else None


def sign_ins(
    rng: random.Random,
    memberships: Sequence[Membership],
    span: tuple[int, int],
    count: int,
) -> list[SignIn]:
    """Return a number of sign-ins, spread over the working days of those who are there.

    Args:
        rng: Source of randomness.
        memberships: Who belongs to the company, and how long.
        span: First second and the second after the last, Unix seconds.
        count: How many.
    """
    days = [
        (m, start)
        for m in memberships
        for day in m.person.days(*span)
        if (start := m.person.starts_on(day)) is not None
        and span[0] <= start + HOUR < span[1]
        and m.since <= start < m.until - HOUR
    ]
    found: list[SignIn] = []
    later = 0
    while len(found) < count and days:
        for membership, start in rng.sample(days, len(days)):
            moment = start + later + int(rng.gauss(0, 12) * MINUTE)
            found += (
                sign_in
                for sign_in in _day(rng, membership.person, moment)
                if span[0] <= sign_in.at < span[1]
                and membership.since <= sign_in.at < membership.until
            )
            if len(found) >= count:
                break
        # So every hour of the day comes in its turn: a short span has one of them.
        later = (later + _NEXT_TIME) % (8 * HOUR)
    missing = max(0, count - len(found))
    times = [rng.randrange(*span) for _ in range(missing)]
    return found[:count] + at_times(rng, memberships, times)


def at_times(
    rng: random.Random, memberships: Sequence[Membership], times: Sequence[int]
) -> list[SignIn]:
    """Return a sign-in or sign-out for each moment, by people at work if there are any.

    Nobody comes again before everybody has come.

    Args:
        rng: Source of randomness.
        memberships: Who belongs to the company, and how long.
        times: Unix seconds.
    """
    found: list[SignIn] = []
    came: set[str] = set()
    for at in times:
        there = [m.person for m in memberships if m.since <= at < m.until]
        there = [person for person in there if person.is_at_work(at)] or there
        waiting = [person for person in there if person.user.id not in came]
        if not waiting:
            came, waiting = set(), there
        person = rng.choice(waiting)
        came.add(person.user.id)
        kind = rng.choices((SUCCEEDED, OUT, FAILED), (20, 7, 1))[0]
        found.append(SignIn(at, person, _client(rng, person), kind))
    return found


def _day(rng: random.Random, person: Person, at: int) -> Iterator[SignIn]:
    client = _client(rng, person)
    if rng.random() < _MISTYPED:
        yield SignIn(at - rng.randrange(15, 60), person, client, FAILED)
    yield SignIn(at, person, client, SUCCEEDED)
    if rng.random() < _SIGNS_OUT:
        out_at = at + rng.randrange(_NEXT_TIME // 2, _NEXT_TIME)
        yield SignIn(out_at, person, client, OUT)


def _client(rng: random.Random, person: Person) -> Json:
    return person.home if rng.random() < _AT_HOME else person.office
