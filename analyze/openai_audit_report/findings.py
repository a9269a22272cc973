"""What is alarming: the findings of the period, put together by severity and rule."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_audit_report.activity import Told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openai_audit_report.models import Answers

SEVERITIES = ("critical", "high", "medium", "low", "info")
"""From the most severe down."""

MOST_FINDINGS = 150
"""Findings that are shown, the most severe first. It is said how many there are."""

_RANK = "case severity {} else 0 end".format(
    " ".join(f"when '{name}' then {rank}" for rank, name in enumerate(SEVERITIES))
)
_IN_PERIOD = """
    coalesce(last_event_at, detected_at) >= {start}
    and coalesce(first_event_at, detected_at) < {end}
"""
_JUDGED = f"""
    select
        findings.finding_id, findings.rule, findings.severity,
        coalesce(findings.title, findings.rule) as title,
        coalesce(findings.first_event_at, findings.detected_at) as first_at,
        coalesce(findings.last_event_at, findings.detected_at) as last_at,
        findings.event_count, findings.event_ids, findings.sentence,
        findings.what_to_do, findings.mitre, findings_now.holds,
        coalesce(
            findings.suppressed_reason, findings_now.suppressed_reason
        ) as suppressed_reason
    from {{findings}}
    left join {{findings_now}} on findings.finding_id = findings_now.finding_id
    where {_IN_PERIOD}
"""
_COUNTS = f"""
    select severity, suppressed_reason is not null as suppressed, count(*) as findings
    from ({_JUDGED}) as judged
    group by 1, 2
"""
_FINDINGS = f"""
    select
        judged.finding_id, judged.rule, judged.severity, judged.title, judged.first_at,
        judged.last_at, judged.event_count, judged.event_ids, judged.sentence,
        judged.what_to_do, judged.mitre, judged.holds, rules.meaning,
        rules.false_positives
    from ({_JUDGED}) as judged
    left join {{rules}} on judged.rule = rules.rule
    where judged.suppressed_reason is null
    order by {_RANK}, judged.last_at desc, judged.finding_id
    limit {MOST_FINDINGS}
"""
_SUPPRESSED = f"""
    select title, sentence, suppressed_reason as reason
    from ({_JUDGED}) as judged
    where suppressed_reason is not null
    order by {_RANK}, last_at desc, finding_id
    limit 20
"""
_RULES = "select count(*) as rules from {rules} where coalesce(is_enabled, true)"
_EVENTS = """
    select event_id, occurred_at, sentence
    from {events}
    where
        event_id in (select unnest(cast(%(event_ids)s as text[])))
        and occurred_at >= cast(%(first)s as timestamp)
        and occurred_at <= cast(%(last)s as timestamp)
    order by occurred_at, event_id
"""


@dataclass(frozen=True)
class Finding:
    """A finding, and what the card of its rule says. Times are UTC without a zone."""

    finding_id: str
    rule: str
    severity: str
    title: str
    first_at: datetime
    last_at: datetime
    event_count: int
    event_ids: str | None
    sentence: str
    what_to_do: str | None
    mitre: str | None
    holds: bool | None
    meaning: str | None
    false_positives: str | None

    @property
    def events(self) -> list[str]:
        """The ids of its first events, at most 100."""
        try:
            ids: Any = json.loads(self.event_ids or "[]")
        except (ValueError, RecursionError):
            return []
        # No id has them, and no database takes a zero or half a character.
        texts = map(str, ids) if isinstance(ids, list) else ()
        return [id_ for id_ in texts if id_.isprintable()]


@dataclass(frozen=True)
class Suppressed:
    """A finding that nobody is told of, and why."""

    title: str
    sentence: str
    reason: str


@dataclass(frozen=True)
class Card:
    """The findings of one rule that are of one severity, the newest first."""

    rule: str
    title: str
    findings: Sequence[Finding]


@dataclass(frozen=True)
class _Count:
    severity: str
    suppressed: bool
    findings: int


@dataclass(frozen=True)
class _Rules:
    rules: int


@dataclass(frozen=True)
class _Event:
    event_id: str
    occurred_at: datetime
    sentence: str


@dataclass(frozen=True)
class Findings:
    """What is alarming in the period.

    Attributes:
        counts: How many findings there are of each severity that has some.
        suppressed_count: How many are suppressed besides.
        findings: Those that are shown, the most severe and the newest first.
        suppressed: Some that are suppressed.
        rules: How many rules look.
        told: The events of the findings that are shown, by id.
    """

    counts: Mapping[str, int]
    suppressed_count: int
    findings: Sequence[Finding]
    suppressed: Sequence[Suppressed]
    rules: int
    told: Mapping[str, Told]

    @classmethod
    def of(cls, answers: Answers) -> Findings:
        """Ask for it."""
        counts = answers.rows(_Count, _COUNTS)
        found = answers.rows(Finding, _FINDINGS)
        return cls(
            counts={
                severity: count
                for severity in _ordered(row.severity for row in counts)
                for count in [_sum(counts, severity)]
                if count
            },
            suppressed_count=sum(row.findings for row in counts if row.suppressed),
            findings=found,
            suppressed=answers.rows(Suppressed, _SUPPRESSED),
            rules=answers.one(_Rules, _RULES).rules,
            told=_told(answers, found),
        )

    @property
    def total(self) -> int:
        """How many there are, without those that are suppressed."""
        return sum(self.counts.values())

    def cards(self, severity: str) -> list[Card]:
        """Return the findings of a severity, those of a rule together."""
        by_rule: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            if finding.severity == severity:
                by_rule[finding.rule].append(finding)
        return [Card(rule, rows[0].title, rows) for rule, rows in by_rule.items()]

    def events_of(self, finding: Finding) -> list[Told]:
        """Return the events of a finding that are known, the oldest first."""
        known = [self.told[id_] for id_ in finding.events if id_ in self.told]
        return sorted(known, key=lambda event: event.occurred_at)


def _told(answers: Answers, findings: Sequence[Finding]) -> dict[str, Told]:
    ids = sorted({id_ for finding in findings for id_ in finding.events})
    if not ids:
        return {}
    rows = answers.rows(
        _Event,
        _EVENTS,
        event_ids=ids,
        first=min(finding.first_at for finding in findings),
        last=max(finding.last_at for finding in findings),
    )
    return {row.event_id: Told(row.occurred_at, row.sentence) for row in rows}


def _ordered(severities: Any) -> list[str]:  # noqa: ANN401 - an iterable of texts
    """Return each severity once, one that is unknown before all others."""
    return sorted(
        set(severities),
        key=lambda name: (
            SEVERITIES.index(name) if name in SEVERITIES else -1,
            name,
        ),
    )


def _sum(counts: Sequence[_Count], severity: str) -> int:
    return sum(
        row.findings
        for row in counts
        if row.severity == severity and not row.suppressed
    )
