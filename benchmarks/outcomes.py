"""What a scenario brings: targets that were reached or not, and tables of figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Verdict:
    """One target, and what was measured.

    Attributes:
        case: What was measured.
        target: What the project promises.
        measured: What came out.
        reached: Whether that keeps the promise, None if it could not be measured.
    """

    case: str
    target: str
    measured: str
    reached: bool | None

    @property
    def word(self) -> str:
        """The verdict in words."""
        if self.reached is None:
            return "not measured"
        return "reached" if self.reached else "NOT reached"

    @classmethod
    def at_least(cls, case: str, target: float, measured: float, unit: str) -> Verdict:
        """Judge a figure that is to be large."""
        return cls(
            case,
            f"at least {target:g} {unit}",
            f"{measured:.3g} {unit}",
            measured >= target,
        )

    @classmethod
    def at_most(cls, case: str, target: float, measured: float, unit: str) -> Verdict:
        """Judge a figure that is to be small."""
        return cls(
            case,
            f"at most {target:g} {unit}",
            f"{measured:.3g} {unit}",
            measured <= target,
        )


@dataclass(frozen=True)
class Table:
    """Figures of several contestants."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass
class Outcome:
    """Everything a scenario brings."""

    verdicts: list[Verdict] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take in what another scenario brought."""
        self.verdicts += other.verdicts
        self.tables += other.tables
