"""What a scenario returns: goals that were reached or not, and tables of figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Verdict:
    """One goal, and what was measured.

    Attributes:
        case: What was measured.
        target: The goal.
        measured: The result.
        reached: Whether that is the goal or better, None if it was not measured.
        before: The result of the commit that it is compared with, if there is one.
    """

    case: str
    target: str
    measured: str
    reached: bool | None
    before: str = ""

    @property
    def word(self) -> str:
        """The verdict in words."""
        if self.reached is None:
            return "not measured"
        return "reached" if self.reached else "NOT reached"

    @classmethod
    def at_least(
        cls,
        case: str,
        target: float,
        measured: float,
        unit: str,
        before: float | None = None,
    ) -> Verdict:
        """Judge a figure that is to be large."""
        goal, now = f"at least {target:g} {unit}", f"{measured:.3g} {unit}"
        old = "" if before is None else f"{before:.3g}"
        return cls(case, goal.strip(), now.strip(), measured >= target, old)

    @classmethod
    def at_most(
        cls,
        case: str,
        target: float,
        measured: float,
        unit: str,
        before: float | None = None,
    ) -> Verdict:
        """Judge a figure that is to be small."""
        goal, now = f"at most {target:g} {unit}", f"{measured:.3g} {unit}"
        old = "" if before is None else f"{before:.3g}"
        return cls(case, goal.strip(), now.strip(), measured <= target, old)


@dataclass(frozen=True)
class Table:
    """Figures of several programs."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass
class Outcome:
    """Everything a scenario returns."""

    verdicts: list[Verdict] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Add what another scenario returned."""
        self.verdicts += other.verdicts
        self.tables += other.tables
