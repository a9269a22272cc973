"""A finding as a message describes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A row of `openai_audit__findings`, as far as a message describes it.

    Its texts hold user-supplied names. Times are UTC without a zone, as the database
    writes them: it knows some that Python does not, such as `infinity`.
    """

    finding_id: str
    rule: str
    title: str
    severity: str
    sentence: str
    remediation: str
    first_event_at: str | None
    last_event_at: str | None
    detected_at: str
    event_count: int
    organization_id: str | None = None
    workspace_id: str | None = None

    @property
    def account(self) -> str | None:
        """The organization or workspace that it was found in."""
        if self.organization_id:
            return f"organization {self.organization_id}"
        return f"workspace {self.workspace_id}" if self.workspace_id else None
