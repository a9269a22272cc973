"""What a check found, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_openai_audit.errors import RequestFailed


class Status(str, Enum):
    """How one check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    name: str
    status: Status
    text: str
    """What was found, what it means and what to do, in one line."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What a machine may want to know besides."""

    @classmethod
    def of(cls, name: str, status: Status, error: RequestFailed) -> Finding:
        """Report an error in the words of a sync."""
        return cls(name, status, str(error), {"cause": error.cause.value})


@dataclass(frozen=True)
class Findings:
    """The outcome of all checks."""

    all: Sequence[Finding]

    @property
    def works(self) -> bool:
        """Whether a sync would work."""
        return not any(finding.status is Status.FAILED for finding in self.all)

    @property
    def verdict(self) -> str:
        """What a sync would do, in one line."""
        for finding in self.all:
            if finding.status is Status.FAILED:
                runs = finding.facts.get("certainty") == "likely"
                return (
                    f"A sync would {'bring nothing' if runs else 'fail'}:"
                    f" {finding.text}"
                )
        return "A sync would work."

    def as_text(self) -> str:
        """A line for each check and one for the verdict."""
        width = max(len(finding.name) for finding in self.all)
        lines = [
            f"{finding.status.value:<7}  {finding.name:<{width}}  {finding.text}"
            for finding in self.all
        ]
        return "\n".join([*lines, self.verdict])

    def as_json(self) -> str:
        """An object in one line."""
        checks = [
            {"name": f.name, "status": f.status.value, "text": f.text, **f.facts}
            for f in self.all
        ]
        return json.dumps(
            {"works": self.works, "verdict": self.verdict, "checks": checks}
        )
