"""The story of one company, as the server tells it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from sandbox.story.company import at_work, session
from sandbox.story.founding import found
from sandbox.story.incident import incident
from sandbox.story.life import plan_life
from sandbox.story.people import DAY, HOUR, people
from sandbox.story.sign_ins import SignIn, at_times, sign_ins
from sandbox.story.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.organization.events import Event
    from sandbox.organization.things import Organization
    from sandbox.story.company import Membership, Told

_EVENTS_A_DAY = 55  # of 38 people and their robots
#: What is done in the tenant scope; no document says what its details are.
_TENANT_TYPES = (
    "tenant.user.looked_up", "tenant.group.member.added", "tenant.group.member.removed",
    "tenant.chatgpt_workspace_invite.upserted", "tenant.membership.accepted",
)  # fmt: skip


class Story:
    """Tells what happened, and what goes on happening."""

    def __init__(self, seed: int, organization_id: str, span: tuple[int, int]) -> None:
        """Found the company.

        Args:
            seed: The same seed makes the same company, and lets the same happen.
            organization_id: The organization's id.
            span: First second of the log and the second after the last, Unix seconds.
        """
        self._rng = random.Random(f"{seed} story")
        self._span = span
        self._people = people(self._rng)
        self._company = found(self._rng, organization_id, span[0], self._people)
        self._incidents = Timetable()

    @property
    def organization(self) -> Organization:
        """What exists now."""
        return self._company.organization

    def history(self, scope: str, count: int) -> list[Event]:
        """Return the first events of a scope, `organization` before `tenant`.

        Args:
            scope: The scope.
            count: How many. In the organization's there are as many sign-ins as that
                takes.
        """
        if scope == "tenant":
            moments = sign_ins(self._rng, self.memberships, self._span, count)
            return self.tenant(sorted(moment.at for moment in moments))
        start, end = self._span
        share = min(1.0, count / (_EVENTS_A_DAY * (end - start) / DAY))
        life = Timetable()
        plan_life(life, self._company, self._people, self._span, share)
        life.play(self._company, end)
        events = [told.event for told in self._take()]
        signed = sign_ins(self._rng, self.memberships, self._span, count - len(events))
        events += self._signed(signed)
        events.sort(key=lambda event: event.at)
        self._use_keys()
        # A log of very few events begins later than asked for.
        return events[len(events) - count :]

    def tenant(self, times: Sequence[int]) -> list[Event]:
        """Return events of the tenant scope, by owners of the company."""
        for at in times:
            self._company.now = at
            owners = self._company.members(owners=True)
            awake = [owner for owner in owners if owner.is_at_work(at)]
            actor = at_work(self._rng.choice(awake or owners))
            self._company.tell(actor, self._rng.choice(_TENANT_TYPES), scope="tenant")
        return [told.event for told in self._take()]

    def continuation(self, times: Sequence[int]) -> list[Event]:
        """Return further events of the organization scope: people sign in and out."""
        return self._signed(at_times(self._rng, self.memberships, times))

    late = continuation

    def begin_incident(self, at: int) -> None:
        """Let an incident begin, at any time; `due` tells what of it has happened."""
        self._incidents.plan(at, incident(self._company))

    def due(self, now: float) -> Iterator[Told]:
        """Tell what has happened of incidents until now, Unix seconds."""
        self._incidents.play(self._company, now)
        yield from self._take()

    @property
    def memberships(self) -> list[Membership]:
        """Who belongs or belonged to the company."""
        return list(self._company.memberships.values())

    def _signed(self, signed: Sequence[SignIn]) -> list[Event]:
        for sign_in in signed:
            self._company.now = sign_in.at
            actor = session(sign_in.person.user, sign_in.client)
            self._company.tell(actor, sign_in.type, sign_in.details)
        return [told.event for told in self._take()]

    def _use_keys(self) -> None:
        """Let each key have been used lately, by the end."""
        for key in self._company.all_keys():
            lately = self._span[1] - self._rng.randrange(HOUR, 5 * DAY)
            key.last_used_at = max(lately, key.created_at)

    def _take(self) -> list[Told]:
        told, self._company.told = self._company.told, []
        return told
