"""Rows of a database as text, for people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDEST = 36


def table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table with a line for the names and one for each row."""
    texts = [[_text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *texts, strict=True)]
    right = [
        any(isinstance(value, int) for value in column)
        for column in zip(*rows, strict=True)
    ] or [False] * len(names)
    lines = [list(names), ["-" * width for width in widths], *texts]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return value.isoformat(" ", "seconds")
    # Events hold what anybody may have written, such as a terminal's control sequences.
    text = "".join(letter if letter.isprintable() else "�" for letter in str(value))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
