"""The page: one HTML file that loads nothing, whatever stands in the log.

All text is escaped by the template engine. What comes from the log also goes through
`safe`, and stands in an element that keeps its direction of writing to itself.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup, escape

from openai_audit_analyze.report import (
    access,
    activity,
    charts,
    completeness,
    findings,
    strips,
    words,
)
from openai_audit_analyze.report.summary import sentences
from openai_audit_analyze.text import safe

if TYPE_CHECKING:
    from datetime import datetime

    from openai_audit_analyze.report.access import Access
    from openai_audit_analyze.report.activity import Activity
    from openai_audit_analyze.report.completeness import Completeness
    from openai_audit_analyze.report.findings import Findings
    from openai_audit_analyze.report.period import Period

_LEGEND = (
    *reversed(completeness.VERDICTS),
    completeness.UNKNOWN,
    completeness.EMPTY,
    completeness.NOT_COVERED,
)


@dataclass(frozen=True)
class Account:
    """What has a log: `organization` or `workspace`, and its id."""

    kind: str
    id: str


@dataclass(frozen=True)
class Report:
    """The content of a page.

    Attributes:
        period: The days that it is about.
        queried_at: The moment as of which all of it is, in UTC without a zone.
        organization_id: The only organization that it is about; None: all there are.
        accounts: What it is about.
        missing: The models that could not be read.
        columns_missing: The columns of the other models that could not be read.
    """

    period: Period
    queried_at: datetime
    organization_id: str | None
    accounts: list[Account]
    missing: list[str]
    columns_missing: list[str]
    activity: Activity
    findings: Findings
    access: Access
    completeness: Completeness

    @property
    def uncounted(self) -> list[tuple[str, str]]:
        """Feeds that have events and no coverage, each as a source and an account."""
        counted = {
            (feed.runs.organization_id, feed.runs.workspace_id, feed.runs.source)
            for feed in self.completeness.feeds
        }
        found = {
            (row.source, row.workspace_id or row.organization_id or "")
            for row in self.activity.events
            if (row.organization_id, row.workspace_id, row.source) not in counted
        }
        return sorted(found)

    def lacks(self, name: str) -> bool:
        """Whether `events`, or a column such as `events.outcome`, could not be read."""
        full = f"openai_audit__{name}"
        return full in self.missing or full in self.columns_missing


def page(report: Report) -> str:
    """Return the page."""
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_gated,
        loader=jinja2.PackageLoader(__package__),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "said": said,
        "day": words.day,
        "clock": words.clock,
        "duration": words.duration,
        "spoken": words.spoken,
        "counts": words.counts,
        "number": "{:,}".format,
        "amount": words.amount,
        "listed": words.listed,
    }
    environment.globals |= {
        "access": access,
        "activity": activity,
        "charts": charts,
        "completeness": completeness,
        "findings": findings,
        "feed": words.feed,
        "strips": strips,
    }
    style = _style()
    spans = report.period.spans
    verdicts = {v for feed in report.completeness.feeds for _, v in feed.spans}
    text: str = environment.get_template("report.html.j2").render(
        report=report,
        sentences=sentences(report),
        spans=lambda counts: [counts.get(span, 0) for span in spans],
        of_category=lambda name: lambda row: row.category == name,
        is_sign_in=lambda row: row.is_sign_in and not row.failed,
        is_failed_sign_in=lambda row: row.is_sign_in and row.failed,
        legend=[v for v in _LEGEND if v in verdicts],
        workspace=any(f.runs.workspace_id for f in report.completeness.feeds),
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    return text


def said(value: object, longest: int = 600) -> Markup:
    """Return a text from the log as HTML."""
    text = escape(safe(value, longest=longest))
    # An address that is too long for its line is broken in front of the @.
    return Markup("<bdi>{}</bdi>").format(text.replace("@", Markup("<wbr>@")))


def _gated(value: object) -> object:
    """Refuse text that did not pass the gate, even if a template forgot the filter."""
    # Markup passed it, and is a text as well.
    return safe(value) if type(value) is str else value


def _style() -> Markup:
    text = resources.files(__package__).joinpath("templates/style.css")
    # Trusted: a file of this package.
    return Markup(f"\n{text.read_text('utf-8')}")  # noqa: S704
