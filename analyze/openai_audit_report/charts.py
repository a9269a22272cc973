"""Charts as SVG, which the page holds as a part of its text.

Colours are variables of the page's style sheet, so that one picture serves both themes.
What a chart is made of are numbers, times and words of this package: names that others
chose are in tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openai_audit_report.activity import Hour

_WIDE, _NARROW = 640, 300
"""Widths in pixels on a screen and on a phone. A chart that is scaled to fit a phone
has letters that nobody can read, so each is drawn for both."""

_TIMES = {
    "day": alt.Axis(format="%-d %b", tickCount=6),
    "week": alt.Axis(format="%-d %b", tickCount=6),
    "month": alt.Axis(format="%b %Y", tickCount=6),
}
_UNITS = {
    "day": "utcyearmonthdate",
    "week": "utcyearweek",
    "month": "utcyearmonth",
}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SIGNS = {
    "unknown": "?",
    "missing": "\N{MINUS SIGN}",
    "surplus": "+",
    "unreported": "?",
    "inexact": "≈",
    "incomplete": "/",
    "pending": "…",
    "partial": "◐",
}
"""What a verdict is known by where colours are not seen."""


def spark(counts: Sequence[int]) -> Markup:
    """Return bars without words, one for each span of time, for a cell of a table."""
    values = [{"at": at, "events": count} for at, count in enumerate(counts)]
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_bar(color="var(--accent)")
        .encode(
            x=alt.X("at:O", axis=None, scale=alt.Scale(paddingInner=0.2)),
            y=alt.Y("events:Q", axis=None),
        )
        .properties(width=200, height=20)
    )
    return _svg(chart, "spark", stretched=True)


def sign_ins(
    spans: Sequence[datetime],
    succeeded: Mapping[datetime, int],
    failed: Mapping[datetime, int],
    unit: str,
) -> Markup:
    """Return sign-ins over time, those that failed in a chart of their own."""
    values = [
        {
            "at": span.isoformat() + "Z",
            "outcome": outcome,
            "sign_ins": counts.get(span, 0),
        }
        for outcome, counts in (("succeeded", succeeded), ("failed", failed))
        for span in spans
    ]

    def drawn(width: int) -> alt.VConcatChart:
        return alt.vconcat(
            *(
                alt.Chart(alt.Data(values=values))
                .transform_filter(f"datum.outcome == '{outcome}'")
                .mark_bar(color=colour)
                .encode(
                    x=alt.X(
                        "at:T",
                        timeUnit=_UNITS[unit],
                        title=None,
                        axis=_TIMES[unit] if outcome == "failed" else None,
                    ),
                    y=alt.Y("sign_ins:Q", title=None, axis=alt.Axis(tickCount=3)),
                )
                .properties(
                    width=width - 40,
                    height=height,
                    title=alt.Title(outcome, anchor="start"),
                )
                for outcome, colour, height in (
                    ("succeeded", "var(--accent)", 80),
                    ("failed", "var(--alarm)", 60),
                )
            ),
            spacing=8,
        )

    return _both(drawn)


def hours(found: Sequence[Hour], *, failed: bool) -> Markup:
    """Return sign-ins by weekday and hour: the more, the darker."""
    counts = {(row.weekday, row.hour): row.of(failed=failed) for row in found}
    values = [
        {"day": day, "hour": hour, "count": counts.get((number, hour), 0)}
        for number, day in enumerate(WEEKDAYS, start=1)
        for hour in range(24)
    ]
    most = max((value["count"] for value in values), default=0)

    def drawn(width: int) -> alt.Chart:
        return (
            alt.Chart(alt.Data(values=values))
            .mark_rect(
                color="var(--alarm)" if failed else "var(--accent)",
                stroke="var(--rule)",
                strokeWidth=0.5,
            )
            .encode(
                x=alt.X(
                    "hour:O",
                    title=None,
                    axis=alt.Axis(
                        values=[0, 6, 12, 18], labelExpr="datum.label + ' h'"
                    ),
                ),
                y=alt.Y("day:O", title=None, sort=list(WEEKDAYS), axis=alt.Axis()),
                fillOpacity=alt.FillOpacity(
                    "count:Q",
                    legend=None,
                    scale=alt.Scale(domain=[0, max(most, 1)], range=[0, 1]),
                ),
            )
            .properties(width=width - 40, height=7 * 14)
        )

    return _both(drawn)


def moments(found: Sequence[datetime]) -> Markup:
    """Return the moments between the first and the last one as strokes on a line."""
    first = min(found)
    length = max((max(found) - first).total_seconds(), 1)
    values = [{"at": (at - first).total_seconds() / length} for at in found]
    line = (
        alt.Chart(alt.Data(values=[{"from": 0, "to": 1}]))
        .mark_rule(color="var(--rule)", strokeWidth=2)
        .encode(x=alt.X("from:Q", axis=None), x2="to:Q")
    )
    strokes = (
        alt.Chart(alt.Data(values=values))
        .mark_tick(color="var(--alarm)", thickness=3, height=14)
        .encode(x=alt.X("at:Q", axis=None, scale=alt.Scale(domain=[0, 1])))
    )
    chart = (line + strokes).properties(width=600, height=16)
    return _svg(chart, "moments", stretched=True)


def strip(spans: Sequence[tuple[datetime, str]], unit: str) -> Markup:
    """Return the verdict of each day, week or month as a strip of cells."""
    values = [
        {
            "at": number,
            "verdict": verdict,
            "sign": _SIGNS.get(verdict, ""),
            "label": f"{at:%Y}" if unit == "month" else f"{at.day} {at:%b}",
        }
        for number, (at, verdict) in enumerate(spans)
    ]
    labels = [value["label"] for value in values]

    def drawn(width: int) -> alt.LayerChart:
        cell = width / len(spans)
        every = max(1, round(len(spans) * 70 / width))
        base = alt.Chart(alt.Data(values=values)).encode(
            x=alt.X(
                "at:O",
                title=None,
                axis=alt.Axis(
                    values=list(range(0, len(spans), every)),
                    labelExpr=f"{labels!r}[datum.value]",
                    labelAlign="left",
                    labelOffset=-cell / 2,
                    labelFlush=False,
                ),
                scale=alt.Scale(paddingInner=0.12, paddingOuter=0),
            )
        )
        colours = {verdict: _colour(verdict) for _, verdict in spans}
        cells = base.mark_rect().encode(
            y=alt.value(1),
            y2=alt.value(23),
            color=alt.Color(
                "verdict:N",
                legend=None,
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
            ),
        )
        signs = base.mark_text(
            color="var(--sign)", fontSize=min(12, cell * 1.2), fontWeight="bold"
        ).encode(text="sign:N", y=alt.value(12))
        return (cells + signs).properties(width=width - 8, height=24)

    return _both(drawn)


def sample(verdict: str) -> Markup:
    """Return the cell that stands for a verdict, for a legend."""
    sign = _SIGNS.get(verdict, "")
    return Markup(
        '<svg viewBox="0 0 14 14" aria-hidden="true" focusable="false">'
        '<rect width="14" height="14" fill="{}"></rect>'
        '<text x="7" y="11" text-anchor="middle" font-size="11" font-weight="bold"'
        ' fill="var(--sign)">{}</text></svg>'
    ).format(_colour(verdict), sign)


def _colour(verdict: str) -> str:
    return f"var(--{verdict.replace(' ', '-')})"


def _both(drawn: Any) -> Markup:  # noqa: ANN401 - charts of several kinds
    """Return a chart for wide and for narrow screens, of which one is shown."""
    return _svg(drawn(_WIDE), "wide") + _svg(drawn(_NARROW), "narrow")


def _svg(chart: Any, kind: str, *, stretched: bool = False) -> Markup:  # noqa: ANN401
    """Return the picture. What it says is said in words beside it."""
    axis = alt.AxisConfig(
        domain=False,
        ticks=False,
        grid=True,
        gridColor="var(--rule)",
        labelColor="var(--soft)",
        labelFontSize=11,
        labelPadding=5,
    )
    configured = chart.configure(
        aria=False,
        background="transparent",
        font="inherit",
        padding=0 if stretched else 2,
        view=alt.ViewConfig(stroke=None),
        axis=axis,
        axisX=alt.AxisConfig(grid=False, labelAngle=0),
        axisBand=alt.AxisConfig(grid=False),
        title=alt.TitleConfig(
            color="var(--soft)", fontSize=11, fontWeight="normal", offset=4
        ),
    )
    text = vl_convert.vegalite_to_svg(configured.to_dict())
    attributes = f'class="{kind}" aria-hidden="true" focusable="false"'
    if stretched:
        attributes += ' preserveAspectRatio="none"'
    # Trusted: made by the library of the values above.
    return Markup(text.replace('class="marks"', attributes, 1))  # noqa: S704
