"""The keys: which one a request brings, and how they stay out of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope


@dataclass(frozen=True)
class Keys:
    """The keys of both APIs."""

    admin: str
    workspace: str

    def brought_by(self, scope: Scope) -> str | None:
        """Return `admin`, `workspace`, `other` or None, wherever a request has it."""
        headers = scope["headers"]
        parts = [part for header in headers for part in header]
        text = b"\n".join([scope["raw_path"], scope["query_string"], *parts])
        if self.admin.encode() in text:
            return "admin"
        if self.workspace.encode() in text:
            return "workspace"
        return "other" if b"authorization" in dict(headers) else None

    def hidden(self, text: str) -> str:
        """Return a text without them."""
        return text.replace(self.admin, "***").replace(self.workspace, "***")
