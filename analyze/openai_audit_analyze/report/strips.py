"""The strips of completeness: a cell with a colour and a sign for each span of time.

They are written by hand, and not by the library of the charts: a warehouse may have
hundreds of feeds, and a picture of that library takes a tenth of a second.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup

from openai_audit_analyze.report.words import day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_WIDE, _NARROW = 696, 356
"""Widths in pixels on a screen and on a phone, as of the charts."""

_HEIGHT, _LETTER = 24, 12
_WORD = 76
"""Pixels for a date below a strip."""

_SIGNS = {
    "unknown": "?",
    "missing": "\N{MINUS SIGN}",
    "surplus": "+",
    "unreported": "!",
    "inexact": "≈",
    "set_aside": "⊘",
    "incomplete": "/",
    "pending": "…",
    "partial": "◐",
    "no events": "0",
    "not covered": "\N{MULTIPLICATION SIGN}",
}
"""What a verdict is known by where colours are not seen. What is proven has none."""


def strip(spans: Sequence[tuple[datetime, str]], unit: str) -> Markup:
    """Return the verdict of each day, week or month, for wide and for narrow screens.

    Args:
        spans: When each begins, and its verdict.
        unit: `day`, `week` or `month`.
    """
    return _strip(spans, unit, "wide", _WIDE) + _strip(spans, unit, "narrow", _NARROW)


def sample(verdict: str) -> Markup:
    """Return the cell that stands for a verdict, for a legend."""
    return Markup(
        '<svg class="cells" viewBox="0 0 16 16" aria-hidden="true" focusable="false">'
        '<rect width="16" height="16" fill="{}"></rect>'
        '<text x="8" y="12" font-size="12">{}</text></svg>'
    ).format(_colour(verdict), _SIGNS.get(verdict, ""))


def ranges(spans: Sequence[tuple[datetime, str]]) -> list[str]:
    """Return the same in words, spans in a row that have one verdict put together."""
    found = []
    for verdict, rows in groupby(spans, key=lambda span: span[1]):
        first, *rest = [at for at, _ in rows]
        until = f" to {day(rest[-1])}" if rest else ""
        found.append(f"{day(first)}{until}: {verdict}")
    return found


def _strip(
    spans: Sequence[tuple[datetime, str]], unit: str, kind: str, width: int
) -> Markup:
    step = width / len(spans)
    every = -(-len(spans) * _WORD // width)
    letter = min(_LETTER, step)
    parts = []
    for number, (at, verdict) in enumerate(spans):
        left = number * step
        parts.append(
            Markup(
                '<rect x="{:.4g}" width="{:.4g}" height="{}" fill="{}"></rect>'
            ).format(left, step, _HEIGHT, _colour(verdict))
        )
        if sign := _SIGNS.get(verdict):
            parts.append(
                Markup('<text x="{:.4g}" y="16" font-size="{:.3g}">{}</text>').format(
                    left + step / 2, letter, sign
                )
            )
        if number % every == 0 and left + _WORD / 2 <= width:
            date = f"{at.day} {at:%b}" if unit == "day" else f"{at:%Y-%m-%d}"
            parts.append(
                Markup('<text class="date" x="{:.4g}" y="{}">{}</text>').format(
                    left, _HEIGHT + 15, date
                )
            )
    return Markup(
        '<svg class="cells {}" width="{}" height="{}" viewBox="0 0 {} {}"'
        ' aria-hidden="true" focusable="false">{}</svg>'
    ).format(kind, width, _HEIGHT + 20, width, _HEIGHT + 20, Markup("").join(parts))


def _colour(verdict: str) -> str:
    return f"var(--{verdict.replace(' ', '-')})"
