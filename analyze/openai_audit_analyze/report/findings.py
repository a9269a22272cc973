"""The findings of the period, grouped by severity and rule."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from openai_audit_analyze.contract import SEVERITIES
from openai_audit_analyze.report.activity import EventSentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openai_audit_analyze.report.models import Answers

MOST_OF_A_RULE = 6
"""Findings that are shown of a rule and a severity, the newest. A limit
for all rules would let many findings of one rule hide those of others."""

MOST_INACTIVE = 20
"""Findings that are shown of those that are suppressed, or that no longer hold."""

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
        coalesce(findings.workspace_id, findings.organization_id) as account,
        coalesce(findings.title, findings.rule) as title,
        coalesce(findings.first_event_at, findings.detected_at) as first_at,
        coalesce(findings.last_event_at, findings.detected_at) as last_at,
        findings.event_count, findings.event_ids, findings.sentence,
        findings.remediation, findings.mitre,
        coalesce(findings_now.holds, true) as holds,
        coalesce(
            findings.suppressed_reason, findings_now.suppressed_reason
        ) as suppressed_reason
    from {{findings}}
    left join {{findings_now}} on findings.finding_id = findings_now.finding_id
    where {_IN_PERIOD}
"""
_COUNTS = f"""
    select
        severity, suppressed_reason is not null as suppressed, holds,
        count(*) as findings
    from ({_JUDGED}) as judged
    group by 1, 2, 3
"""
_FINDINGS = f"""
    with ranked as (
        select
            finding_id, rule, severity, account, title, first_at, last_at, event_count,
            event_ids, sentence, remediation, mitre,
            row_number() over (
                partition by rule, severity order by last_at desc, finding_id
            ) as place,
            count(*) over (partition by rule, severity) as of_rule
        from ({_JUDGED}) as judged
        where suppressed_reason is null and holds
    )

    select
        ranked.finding_id, ranked.rule, ranked.severity, ranked.account, ranked.title,
        ranked.first_at, ranked.last_at, ranked.event_count, ranked.event_ids,
        ranked.sentence, ranked.remediation, ranked.mitre, ranked.of_rule,
        rules.description, rules.false_positives
    from ranked
    left join {{rules}} on ranked.rule = rules.rule
    where ranked.place <= {MOST_OF_A_RULE}
    order by {_RANK}, ranked.last_at desc, ranked.finding_id
"""


def _inactive(which: str) -> str:
    return f"""
        select
            title, severity, account, last_at, sentence, suppressed_reason as reason
        from ({_JUDGED}) as judged
        where {which}
        order by {_RANK}, last_at desc, finding_id
        limit {MOST_INACTIVE}
    """


_SUPPRESSED = _inactive("suppressed_reason is not null")
_REFUTED = _inactive("suppressed_reason is null and not holds")
_RULES = "select count(*) as rules from {rules} where coalesce(is_enabled, true)"
_EVENTS = """
    select event_id, occurred_at, event_type, account_id as account, sentence
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
    account: str | None
    title: str
    first_at: datetime
    last_at: datetime
    event_count: int
    event_ids: str | None
    sentence: str
    remediation: str | None
    mitre: str | None
    of_rule: int
    description: str | None
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
class InactiveFinding:
    """A finding that is suppressed, and why, or that no longer holds."""

    title: str
    severity: str
    account: str | None
    last_at: datetime
    sentence: str
    reason: str | None


@dataclass(frozen=True)
class Card:
    """The findings of one rule that are of one severity.

    Attributes:
        place: The id of the card on the page.
        findings: Those that are shown, the newest first.
    """

    place: str
    findings: Sequence[Finding]

    @property
    def newest(self) -> Finding:
        """The newest finding, which the card has its words from."""
        return self.findings[0]

    @property
    def left_out(self) -> int:
        """How many more there are than are shown."""
        return self.newest.of_rule - len(self.findings)


@dataclass(frozen=True)
class _Count:
    severity: str
    suppressed: bool
    holds: bool
    findings: int

    @property
    def is_active(self) -> bool:
        return self.holds and not self.suppressed


@dataclass(frozen=True)
class _Rules:
    rules: int


@dataclass(frozen=True)
class _Event(EventSentence):
    event_id: str


@dataclass(frozen=True)
class Findings:
    """The findings of the period.

    Attributes:
        counts: How many findings that hold there are of each severity that has some.
        suppressed_count: How many are suppressed besides.
        refuted_count: How many no longer hold, and are not suppressed.
        findings: Those that are shown, the most severe and the newest first.
        suppressed: Some that are suppressed.
        refuted: Some that no longer hold.
        rules: How many rules are enabled.
        events: The events of the findings that are shown, by id.
    """

    counts: Mapping[str, int]
    suppressed_count: int
    refuted_count: int
    findings: Sequence[Finding]
    suppressed: Sequence[InactiveFinding]
    refuted: Sequence[InactiveFinding]
    rules: int
    events: Mapping[str, EventSentence]

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
            refuted_count=sum(
                row.findings for row in counts if not row.holds and not row.suppressed
            ),
            findings=found,
            suppressed=answers.rows(InactiveFinding, _SUPPRESSED),
            refuted=answers.rows(InactiveFinding, _REFUTED),
            rules=answers.one(_Rules, _RULES).rules,
            events=_events_of(answers, found),
        )

    @property
    def count(self) -> int:
        """How many there are, active or not."""
        return self.total + self.suppressed_count + self.refuted_count

    @property
    def total(self) -> int:
        """How many hold, without those that are suppressed."""
        return sum(self.counts.values())

    @cached_property
    def event_ids(self) -> list[str]:
        """The ids of the events that the findings which are shown are about."""
        return sorted({id_ for finding in self.findings for id_ in finding.events})

    @cached_property
    def cards(self) -> list[Card]:
        """What is shown, the most severe and of each severity the newest first."""
        by_rule: dict[tuple[str, str], list[Finding]] = defaultdict(list)
        for finding in self.findings:
            by_rule[finding.severity, finding.rule].append(finding)
        return [
            Card(f"card-{number}", rows)
            for number, rows in enumerate(by_rule.values(), start=1)
        ]

    def events_of(self, finding: Finding) -> list[EventSentence]:
        """Return the events of a finding that are known, the oldest first."""
        ids = dict.fromkeys(finding.events)
        known = [self.events[id_] for id_ in ids if id_ in self.events]
        return sorted(known, key=lambda event: event.occurred_at)


def _events_of(
    answers: Answers, findings: Sequence[Finding]
) -> dict[str, EventSentence]:
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
    return {row.event_id: row for row in rows}


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
        row.findings for row in counts if row.severity == severity and row.is_active
    )
