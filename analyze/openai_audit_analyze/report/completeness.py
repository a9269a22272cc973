"""Whether anything is missing: the verdict of each day of each feed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_audit_analyze.report.period import DAY, midnight
from openai_audit_analyze.report.words import amount

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openai_audit_analyze.report.models import Answers
    from openai_audit_analyze.report.period import Period

VERDICTS = (
    "missing",
    "surplus",
    "unreported",
    "inexact",
    "set_aside",
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
"""From the worst to the best, unknown first."""

_SEEN = (*_RANKS[: _RANKS.index("pending")], NOT_COVERED, *VERDICTS[-3:], EMPTY)
"""The same with what a day may have instead of a verdict: of a week the worst shows."""

_LATER = ("pending", "partial", "proven")
"""What is in order, or cannot be known yet."""

_DAY = ("day", "days")
MOST_DAYS = 40
"""Days and files that are listed because they are not proven."""

_DAYS = """
    select
        organization_id, workspace_id, source, day,
        of_a_part as verdict, count(of_a_part) as parts,
        cast(sum(events_in_table) as bigint) as events
    from (
        -- What has neither an event nor a file of its own is no part.
        select *, nullif(nullif(verdict, 'empty'), 'by_file') as of_a_part
        from {coverage}
    ) as coverage
    where day >= {start} and day < {end}
    group by 1, 2, 3, 4, 5
"""
_FEEDS = """
    select
        organization_id, workspace_id, source,
        min(day) as first_day, max(day) as last_day,
        cast(sum(runs) as bigint) as runs_ever,
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
    where day >= {{start}} and day < {{end}}
        and verdict not in ('proven', 'empty', 'by_file')
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
    runs_ever: int | None
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
        days_empty: Days without events, between others that have some.
        days_not_covered: Days of which nothing is known.
        last_is_covered: Whether something is known of the last day.
    """

    runs: Runs
    verdicts: Mapping[str, int]
    spans: Sequence[tuple[datetime, str]]
    days_empty: int
    days_not_covered: int
    last_is_covered: bool

    @property
    def text(self) -> str:
        """How many days or files have each verdict, and of how many days none."""
        files = self.runs.is_of_workspace
        days = [
            f"{amount(count, *_DAY)} {what}"
            for count, what in (
                (self.days_empty, f"with {EMPTY}"),
                (self.days_not_covered, NOT_COVERED),
            )
            if count
        ]
        others = [f"{n:,} {v}" for v, n in self.verdicts.items() if v != "proven"]
        of_all = sum(self.verdicts.values())
        if not files:
            of_all += self.days_empty + self.days_not_covered
        what = amount(of_all, "file", "files") if files else amount(of_all, *_DAY)
        proven = f"{self.verdicts.get('proven', 0):,} of {what} proven"
        return ", ".join([proven, *others, *days])

    @property
    def is_in_order(self) -> bool:
        """Whether it needs no review. The last day may not be read yet."""
        return all(
            verdict in _LATER for verdict in self.verdicts
        ) and self.days_not_covered <= (not self.last_is_covered)

    @property
    def badness(self) -> tuple[int, ...]:
        """The sort key of feeds: those that most need a review come first."""
        counts = (-self.verdicts.get(verdict, 0) for verdict in _RANKS[:-3])
        return (*counts, -self.days_not_covered, -sum(self.verdicts.values()))


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


def _feed(runs: Runs, days: Sequence[_Day], period: Period) -> Feed:
    counts: Counter[str] = Counter()
    of_day: dict[datetime, list[str]] = defaultdict(list)
    for row in days:
        if row.verdict is not None:
            verdict = row.verdict if row.verdict in VERDICTS else UNKNOWN
            counts[verdict] += row.parts
            of_day[midnight(row.day)].append(verdict)
    first, last = midnight(runs.first_day), midnight(runs.last_day)
    states: Counter[str] = Counter()
    worst: dict[datetime, str] = {}
    day = period.start
    while day < period.end:
        states_of_day = of_day.get(
            day, [EMPTY if first <= day <= last else NOT_COVERED]
        )
        state = min(states_of_day, key=_SEEN.index)
        states[state] += 1
        span = period.span_of(day)
        # The last day need not be read yet, and is no reason to paint a week.
        if state != NOT_COVERED or day < period.last_day or span not in worst:
            worst[span] = min(state, worst.get(span, state), key=_SEEN.index)
        day += DAY
    return Feed(
        runs,
        _ordered(counts),
        list(worst.items()),
        states[EMPTY],
        states[NOT_COVERED],
        last_is_covered=state != NOT_COVERED,
    )


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return {v: counts[v] for v in reversed(_RANKS) if counts.get(v)}
