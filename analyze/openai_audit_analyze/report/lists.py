"""What is known of the lists of the inventory: empty, refused, and not read differ.

A section of the report without rows says which of these it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_audit_analyze.report.words import clock
from openai_audit_analyze.text import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openai_audit_analyze.report.models import Answers

STREAMS: Mapping[str, str] = {
    "users": "members",
    "project_users": "project members",
    "project_service_accounts": "service accounts",
    "project_api_keys": "API keys",
    "admin_api_keys": "admin keys",
    "project_groups": "group grants",
    "group_users": "group members",
    "invites": "invitations",
}
"""The streams behind the access model, and what each lists."""

_LISTS = """
    select organization_id, stream, objects, listed_at, is_complete, reason
    from {listings}
    order by organization_id, stream
"""
_ORGANIZATIONS = """
    select organization_id from {access}
    union
    select organization_id from {listings}
    order by 1
"""


@dataclass(frozen=True)
class ObjectList:
    """One list of an organization, as its last runs left it.

    Attributes:
        organization_id: The organization.
        stream: The stream that reads it.
        objects: How many objects it holds. None: no run has read it.
        listed_at: When the last complete listing was read. None: there was none.
        is_complete: Whether the last run read it in full. None: not known.
        reason: Why it did not.
    """

    organization_id: str | None
    stream: str
    objects: int | None = None
    listed_at: datetime | None = None
    is_complete: bool | None = None
    reason: str | None = None

    @property
    def name(self) -> str:
        """What it lists."""
        return STREAMS[self.stream]

    @property
    def status(self) -> str:
        """When it was read, or why it was not."""
        why = f": {safe(self.reason, longest=200)}" if self.reason else ""
        if self.objects is None:
            return f"not read; select the stream {self.stream}"
        if self.listed_at is None:
            return f"never read in full{why}"
        if self.is_complete is False:
            return f"read at {clock(self.listed_at)}, not in full since{why}"
        return f"read at {clock(self.listed_at)}"

    @property
    def text(self) -> str:
        """What is known of it, as a sentence for where rows would stand."""
        if self.objects is None:
            return (
                f"The {self.name} are not known: no run has read them. Select the"
                f" stream {self.stream}."
            )
        why = f" ({safe(self.reason, longest=200)})" if self.reason else ""
        if self.listed_at is None and not self.objects:
            return (
                f"The {self.name} are not known: the list could not be read{why}."
                " docs/troubleshooting.md says which permission a key needs."
            )
        if self.objects:
            return ""
        at = f"{clock(self.listed_at)} UTC" if self.listed_at else "an unknown time"
        text = f"The list of {self.name} is empty, as read at {at}."
        if self.is_complete is False:
            text += f" The last run did not read it in full{why}."
        return text


@dataclass(frozen=True)
class _Organization:
    organization_id: str | None


@dataclass(frozen=True)
class Lists:
    """All lists of the inventory.

    Attributes:
        organizations: How many organizations have an inventory.
        lists: One for each organization and stream, whether it was read or not. Empty
            where the model that knows it is missing.
    """

    organizations: int
    lists: Sequence[ObjectList]

    @classmethod
    def of(cls, answers: Answers) -> Lists:
        """Query them."""
        organizations = answers.rows(_Organization, _ORGANIZATIONS)
        known = {
            (row.organization_id, row.stream): row
            for row in answers.rows(ObjectList, _LISTS)
        }
        lists = [
            known.get((row.organization_id, stream))
            or ObjectList(row.organization_id, stream)
            for row in organizations
            for stream in STREAMS
        ]
        has_lists = answers.has("openai_audit__listings")
        return cls(len(organizations), lists if has_lists else [])

    @property
    def were_read(self) -> bool:
        """Whether a run has read, or tried to read, any of them."""
        return any(row.objects is not None for row in self.lists)

    @property
    def listed_at(self) -> datetime | None:
        """When the oldest of the complete listings was read."""
        return min((row.listed_at for row in self.lists if row.listed_at), default=None)

    def without_rows(self, *streams: str) -> list[ObjectList]:
        """Return those of the streams that hold nothing, or were not read."""
        return [row for row in self.lists if row.stream in streams and not row.objects]
