"""What a finding tells, and how severe it is."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("critical", "high", "medium", "low", "info")
"""From the most severe down."""


def rank(severity: str) -> int:
    """Return where a severity stands, 0 for the most severe.

    One that is unknown stands there too: a message too many harms less than none.
    """
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def below(minimum: str) -> list[str]:
    """Return the severities that do not reach a minimum."""
    return list(SEVERITIES[rank(minimum) + 1 :])


@dataclass(frozen=True)
class Finding:
    """A row of `openai_audit__findings`, as far as a message tells of it.

    Its texts hold names that anybody may have chosen. Times are UTC without a zone, as
    the database writes them: it knows some that Python does not, such as `infinity`.
    """

    finding_id: str
    rule: str
    title: str
    severity: str
    sentence: str
    what_to_do: str
    first_event_at: str | None
    last_event_at: str | None
    detected_at: str
    event_count: int
    organization_id: str | None = None
    workspace_id: str | None = None

    @property
    def account(self) -> str | None:
        """Where it was found, in words."""
        if self.organization_id:
            return f"organization {self.organization_id}"
        return f"workspace {self.workspace_id}" if self.workspace_id else None
