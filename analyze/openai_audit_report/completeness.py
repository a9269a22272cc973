"""Whether anything is missing: the verdict of each day of each feed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openai_audit_report.models import Answers
    from openai_audit_report.period import Period

VERDICTS = (
    "missing",
    "surplus",
    "unreported",
    "inexact",
    "incomplete",
    "pending",
    "partial",
    "proven",
)
"""From the worst to the best. docs/proof.md says what each means."""

EMPTY = "no events"
"""A day without rows and digests between days that have some."""

NOT_COVERED = "not covered"
"""A day before the first or after the last of which anything is known."""

UNKNOWN = "unknown"
"""A verdict that a newer version of the dbt package has, and this one does not."""

_RANKS = (UNKNOWN, *VERDICTS)
"""From the worst to the best, as far as anybody knows."""

_LATER = ("pending", "partial", "proven")
"""What is in order, or cannot be known yet."""

MOST_DAYS = 40
"""Days and files that are listed because they are not proven."""

_DAYS = """
    select
        organization_id, workspace_id, source, day, verdict,
        count(verdict) as parts, cast(sum(events_in_table) as bigint) as events
    from {coverage}
    where day >= {start} and day < {end}
    group by 1, 2, 3, 4, 5
"""
_FEEDS = """
    select
        organization_id, workspace_id, source,
        min(day) as first_day, max(day) as last_day,
        cast(sum(case when day >= {start} and day < {end} then runs end) as bigint)
            as runs,
        cast(
            sum(case when day >= {start} and day < {end} then runs_incomplete end)
            as bigint
        ) as runs_incomplete,
        max(case when day >= {start} and day < {end} then longest_gap_seconds end)
            as longest_gap_seconds,
        cast(
            sum(case when day >= {start} and day < {end} then chains_begun_anew end)
            as bigint
        ) as chains_begun_anew,
        cast(
            sum(case when day >= {start} and day < {end} then events_late end)
            as bigint
        ) as events_late,
        max(
            case when day >= {start} and day < {end} then greatest_lateness_seconds end
        ) as greatest_lateness_seconds
    from {coverage}
    where day is not null
    group by 1, 2, 3
    order by 1, 2, 3
"""
_UNPROVEN = """
    select
        organization_id, workspace_id, source, day, file_id, verdict,
        events_in_table, events_in_digest, reason, count(*) over () as of_all
    from {{coverage}}
    where day >= {{start}} and day < {{end}} and verdict <> 'proven'
    order by case verdict {ranks} else -1 end, day desc, source, file_id
    limit {most}
""".format(
    ranks=" ".join(f"when '{name}' then {n}" for n, name in enumerate(VERDICTS)),
    most=MOST_DAYS,
)


@dataclass(frozen=True)
class Unproven:
    """A day, or a file of a workspace, that is not proven."""

    organization_id: str | None
    workspace_id: str | None
    source: str
    day: datetime
    file_id: str | None
    verdict: str
    events_in_table: int | None
    events_in_digest: int | None
    reason: str | None
    of_all: int


@dataclass(frozen=True)
class Runs:
    """What the reports of a feed's runs say, and which days it has at all."""

    organization_id: str | None
    workspace_id: str | None
    source: str
    first_day: datetime
    last_day: datetime
    runs: int | None
    runs_incomplete: int | None
    longest_gap_seconds: int | None
    chains_begun_anew: int | None
    events_late: int | None
    greatest_lateness_seconds: int | None

    @property
    def is_of_workspace(self) -> bool:
        """Whether its parts are files, and not days."""
        return self.source.startswith("workspace")

    @property
    def account_id(self) -> str | None:
        """The organization, or the workspace if it is the log of one."""
        return self.workspace_id or self.organization_id


@dataclass(frozen=True)
class _Day:
    organization_id: str | None
    workspace_id: str | None
    source: str
    day: datetime
    verdict: str | None
    parts: int
    events: int | None


@dataclass(frozen=True)
class Feed:
    """A feed of an organization or workspace.

    Attributes:
        runs: What its runs report.
        verdicts: How many days, or files, have each verdict.
        spans: The worst verdict of each day, week or month of the period.
    """

    runs: Runs
    verdicts: Mapping[str, int]
    spans: Sequence[tuple[datetime, str]]


@dataclass(frozen=True)
class Completeness:
    """Whether anything is missing.

    Attributes:
        feeds: All feeds there are.
        unproven: Days that are not proven, the worst first.
    """

    feeds: Sequence[Feed]
    unproven: Sequence[Unproven]

    @classmethod
    def of(cls, answers: Answers) -> Completeness:
        """Ask for it."""
        days: dict[tuple[str | None, ...], list[_Day]] = defaultdict(list)
        for row in answers.rows(_Day, _DAYS):
            days[row.organization_id, row.workspace_id, row.source].append(row)
        feeds = [
            _feed(
                runs,
                days[runs.organization_id, runs.workspace_id, runs.source],
                answers.period,
            )
            for runs in answers.rows(Runs, _FEEDS)
        ]
        return cls(feeds, answers.rows(Unproven, _UNPROVEN))

    @property
    def verdicts(self) -> dict[str, int]:
        """How many days and files have each verdict, the best first."""
        found: Counter[str] = Counter()
        for feed in self.feeds:
            found.update(feed.verdicts)
        return _ordered(found)

    @property
    def to_be_seen_to(self) -> dict[str, int]:
        """Those of them that somebody has to look into."""
        return {
            verdict: count
            for verdict, count in self.verdicts.items()
            if verdict not in _LATER
        }


def _feed(runs: Runs, days: Sequence[_Day], period: Period) -> Feed:
    counts: Counter[str] = Counter()
    worst: dict[datetime, list[str]] = defaultdict(list)
    for row in days:
        if row.verdict is not None:
            verdict = row.verdict if row.verdict in VERDICTS else UNKNOWN
            counts[verdict] += row.parts
            worst[period.span_of(row.day)].append(verdict)
    first, last = period.span_of(runs.first_day), period.span_of(runs.last_day)
    spans = [
        (span, min(worst[span], key=_RANKS.index))
        if span in worst
        else (span, EMPTY if first <= span <= last else NOT_COVERED)
        for span in period.spans
    ]
    return Feed(runs, _ordered(counts), spans)


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return {v: counts[v] for v in reversed(_RANKS) if counts.get(v)}
