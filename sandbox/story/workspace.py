"""The company's ChatGPT workspace: the same people, at the same hours and places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.organization.workspace import (
    AUTH_LOG,
    WorkspaceEvent,
    WorkspaceWriter,
    actor_of,
    origin_of,
    request_metadata,
)
from sandbox.organization.workspace_actions import action_end, sign_in_end
from sandbox.story.incident import CLIENT
from sandbox.story.sign_ins import FAILED, OUT, SUCCEEDED, SignIn, at_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.story.story import Story

_SIGN_INS = {SUCCEEDED: "login_success", FAILED: "login_failed", OUT: "logout_success"}
#: What people do every day; no document says what `action_data` of it is.
_DAILY = (
    "CONVERSATION_SHARE", "CONVERSATION_VIEW_OF_SHARED", "CONVERSATION_MESSAGE_RATING",
    "FILE_DOWNLOAD", "PROJECT_UPDATE_SHARING", "SKILL_CREATE", "SKILL_UPDATE",
)  # fmt: skip


class StoryWorkspace(WorkspaceWriter):
    """Makes the events of the company's workspace."""

    def __init__(self, seed: int, workspace_id: str, story: Story) -> None:
        super().__init__(seed, workspace_id, story.organization)
        self._story = story

    def write(self, event_type: str, times: Sequence[float]) -> list[WorkspaceEvent]:
        """Return events of a type by people who are at work, one for each time."""
        moments = [int(at) for at in times]
        by = at_times(self._rng, self._story.memberships, moments)
        return [self._by(event_type, sign_in) for sign_in in by]

    def sprayed(self, at: int) -> list[tuple[int, WorkspaceEvent]]:
        """Return the failed sign-ins of an incident with their times, Unix seconds."""
        found = []
        for member in self._story.memberships:
            if member.since <= at < member.until:
                attempt = SignIn(at, member.person, CLIENT, FAILED)
                found.append((at, self._by(AUTH_LOG, attempt)))
                at += self._rng.randrange(10, 30)
        return found

    def _by(self, event_type: str, sign_in: SignIn) -> WorkspaceEvent:
        user = sign_in.person.user
        role = "account-owner" if user.role == "owner" else "standard-user"
        end = (
            sign_in_end(_SIGN_INS[sign_in.type], role, None)
            if event_type == AUTH_LOG
            else action_end(self._rng.choice(_DAILY), {})
        )
        actor = actor_of("ACCOUNT_USER", user.id, user.email)
        origin = origin_of(request_metadata(sign_in.client))
        return self._event(event_type, sign_in.at, actor, end, origin)
