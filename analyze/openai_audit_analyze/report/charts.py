"""Charts as SVG, which the page holds as a part of its text.

Colours are variables of the page's style sheet, so that one picture serves both themes.
A chart contains numbers, times and words of this package. User-supplied text is in
tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openai_audit_analyze.report.activity import Hour

_WIDE, _NARROW = 696, 356
"""Widths in pixels on a screen and on a phone. A chart that is scaled to fit a phone
has unreadable letters, so each is drawn for both."""

_BARS = alt.Scale(paddingInner=0.15, paddingOuter=0)
_WORD = 76
"""Pixels for a date below an axis."""

_LEFT = 34
"""Pixels for what stands in front of an axis."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def spark(counts: Sequence[int]) -> Markup:
    """Return bars without words, one for each span of time, for a cell of a table."""
    values = [{"at": at, "events": count} for at, count in enumerate(counts)]
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_bar(color="var(--accent)")
        .encode(
            x=alt.X("at:O", axis=None, scale=_BARS),
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

    def bars(title: str, counts: Mapping[datetime, int], width: int) -> alt.Chart:
        values = [
            {"at": at, "sign_ins": counts.get(span, 0)} for at, span in enumerate(spans)
        ]
        axis = _dates(spans, unit, width) if counts is failed else None
        return (
            alt.Chart(alt.Data(values=values))
            .mark_bar(color="var(--alarm)" if counts is failed else "var(--accent)")
            .encode(
                x=alt.X("at:O", title=None, axis=axis, scale=_BARS),
                y=alt.Y(
                    "sign_ins:Q",
                    title=None,
                    axis=alt.Axis(tickCount=3, format=",d", minExtent=_LEFT),
                ),
            )
            .properties(
                width=width - _LEFT, height=80, title=alt.Title(title, anchor="start")
            )
        )

    return _both(
        lambda width: alt.vconcat(
            bars("succeeded", succeeded, width),
            bars("failed", failed, width),
            spacing=6,
        )
    )


def hours(found: Sequence[Hour], *, failed: bool) -> Markup:
    """Return sign-ins by weekday and hour: the more, the stronger the colour."""
    counts = {(row.weekday, row.hour): row.of(failed=failed) for row in found}
    values = [
        {"day": day, "hour": hour, "count": counts.get((number, hour), 0)}
        for number, day in enumerate(WEEKDAYS, start=1)
        for hour in range(24)
    ]
    most = max(counts.values(), default=0)

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
                y=alt.Y(
                    "day:O",
                    title=None,
                    sort=list(WEEKDAYS),
                    axis=alt.Axis(minExtent=_LEFT),
                ),
                fillOpacity=alt.FillOpacity(
                    "count:Q",
                    legend=None,
                    scale=alt.Scale(
                        type="sqrt", domain=[0, max(most, 1)], range=[0, 1]
                    ),
                ),
            )
            .properties(width=width - _LEFT, height=7 * 15)
        )

    return _both(drawn)


def moments(found: Sequence[datetime], first: datetime, last: datetime) -> Markup:
    """Return the moments as strokes on a line from a first moment to a last one."""
    length = max((last - first).total_seconds(), 1)
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


def _dates(spans: Sequence[datetime], unit: str, width: int) -> alt.Axis:
    """Return an axis that names so many of the spans as there is room for."""
    names = [f"{at.day} {at:%b}" if unit == "day" else f"{at:%Y-%m-%d}" for at in spans]
    every = max(1, -(-len(spans) * _WORD // width))
    return alt.Axis(
        values=[
            at
            for at in range(0, len(spans), every)
            if at * width / len(spans) + _WORD / 2 <= width
        ],
        labelExpr=f"{names!r}[datum.value]",
        labelAlign="left",
        labelOffset=-width / len(spans) / 2,
    )


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
    if chart.padding is alt.Undefined:
        chart = chart.properties(padding=0)
    configured = chart.configure(
        aria=False,
        background="transparent",
        font="inherit",
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
    # Trusted: the library creates it from the values above.
    return Markup(text.replace('class="marks"', attributes, 1))  # noqa: S704
