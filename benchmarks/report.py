"""Write what was measured as Markdown, for the terminal and the README."""

from __future__ import annotations

import platform
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.outcomes import Outcome, Verdict

README = Path(__file__).with_name("README.md")


def of_targets(verdicts: Iterable[Verdict]) -> str:
    """Return the goals as a table, with what was before if something is compared."""
    found = list(verdicts)
    if any(v.before for v in found):
        header = ("case", "goal", "before", "now", "")
        return _table(
            header, [(v.case, v.target, v.before, v.measured, v.word) for v in found]
        )
    rows = [(v.case, v.target, v.measured, v.word) for v in found]
    return _table(("case", "goal", "measured", ""), rows)


def of_everything(
    outcome: Outcome, versions: Mapping[str, str], load_before: float
) -> str:
    """Return all results, and the machine and versions that they come from.

    Args:
        outcome: What the scenarios returned.
        versions: Of each program by its title, or why there are none.
        load_before: `machine.load` before the first scenario.
    """
    now = datetime.now(timezone.utc)
    origin = (
        f"Measured on {now:%Y-%m-%d}, Python {platform.python_version()},"
        f" {machine.description()}; load before the start {load_before:.2f} a core."
        f" {machine.warning(load_before)}"
    )
    parts = [origin.strip(), of_targets(outcome.verdicts)]
    for table in outcome.tables:
        parts += [f"### {table.title}", _table(table.header, table.rows)]
    parts += ["### Versions", _table(("", "installed"), list(versions.items()))]
    return "\n\n".join(parts)


def into_readme(results: str, name: str = "results") -> None:
    """Replace what stands between the markers of that name.

    Raises:
        ValueError: If a marker is missing.
    """
    opening, closing = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = README.read_text("utf-8")
    before, begin, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not (begin and end):
        raise ValueError(f"{README.name} has no markers {opening} and {closing}")
    README.write_text(f"{before}{begin}\n\n{results}\n\n{end}{after}", "utf-8")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
