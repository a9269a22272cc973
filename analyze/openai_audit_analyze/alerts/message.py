"""The text of an alert: plain sentences."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_audit_analyze.alerts.escaping import escaped
from openai_audit_analyze.contract import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_audit_analyze.alerts.finding import Finding
    from openai_audit_analyze.alerts.outbox import Claim

_LONGEST_TITLE = 150
_LONGEST_SENTENCE = 500
_LONGEST_REMEDIATION = 800
_LONGEST_IN_DIGEST = 200
_MOST_IN_DIGEST = 10
"""Sentences in a digest, which says how many more there are."""

_FRACTION = re.compile(r"\.\d+")
"""The fraction of a second."""


@dataclass(frozen=True)
class Message:
    """A message.

    Attributes:
        title: One line.
        body: Lines.
        severity: That of the most severe finding.
        key: The same whenever the same is sent, so that a receiver can drop it.
    """

    title: str
    body: str
    severity: str
    key: str


def message(claim: Claim) -> Message:
    """Return the message that a claim becomes."""
    if claim.is_introduction:
        return _introduction(claim)
    one = len(claim.findings) == 1
    return _alert(claim.findings[0]) if one else _digest(claim)


def _alert(finding: Finding) -> Message:
    lines = [
        f"What happened: {escaped(finding.sentence, _LONGEST_SENTENCE)}",
        f"When: {_when(finding)}",
        *([f"Where: {escaped(finding.account, 100)}"] if finding.account else []),
        f"Remediation: {escaped(finding.remediation, _LONGEST_REMEDIATION)}",
        f"Finding: {escaped(finding.finding_id, 100)} of {escaped(finding.rule, 100)}",
    ]
    return Message(
        f"{_named(finding.severity)}: {escaped(finding.title, _LONGEST_TITLE)}",
        "\n".join(lines),
        finding.severity,
        finding.finding_id,
    )


def _digest(claim: Claim) -> Message:
    return Message(
        _counted(claim.findings),
        "\n".join([*_most_severe(claim.findings), _WHERE]),
        claim.findings[0].severity,
        _key(claim),
    )


def _introduction(claim: Claim) -> Message:
    minimum = claim.receiver.minimum_severity
    wanted = f"{minimum} severity{' or above' * (minimum != SEVERITIES[0])}"
    lines = [f"Each new finding of {wanted} is sent here from now on."]
    if claim.findings:
        lines += [f"So far: {_counted(claim.findings)}."]
        lines += [*_most_severe(claim.findings), _WHERE]
    if claim.left:
        lines += [f"{claim.left} more follow in messages of their own."]
    elif not claim.findings:
        lines += ["There is none so far."]
    # A receiver that is known may get new findings among those of its new minimum.
    is_urgent = claim.is_known and claim.findings
    severity = claim.findings[0].severity if is_urgent else "info"
    return Message(
        "Alerts of the OpenAI audit log start here",
        "\n".join(lines),
        severity,
        _key(claim),
    )


_WHERE = "The remediation of each is in openai_audit__findings."


def _counted(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.severity for finding in findings)
    each = ", ".join(f"{n} {escaped(severity, 20)}" for severity, n in counts.items())
    return f"{len(findings)} finding{'s' * (len(findings) != 1)}: {each}"


def _most_severe(findings: Sequence[Finding]) -> list[str]:
    several = len({finding.account for finding in findings}) > 1
    shown = [
        f"{_named(finding.severity)}: {escaped(finding.sentence, _LONGEST_IN_DIGEST)}"
        f" ({_when(finding)}{_of(finding) if several else ''})"
        for finding in findings[:_MOST_IN_DIGEST]
    ]
    more = len(findings) - len(shown)
    return [*shown, f"And {more} more."] if more else shown


def _of(finding: Finding) -> str:
    return f", {escaped(finding.account, 100)}" if finding.account else ""


def _named(severity: str) -> str:
    return escaped(severity, 20).capitalize()


def _when(finding: Finding) -> str:
    first, last = finding.first_event_at, finding.last_event_at
    if first is None or last is None:
        return f"detected {_time(finding.detected_at)}"
    if finding.event_count == 1 or first == last:
        return _time(last)
    return f"{_time(first)} to {_time(last)}, {finding.event_count} events"


def _time(at: str) -> str:
    return f"{_FRACTION.sub('', at)} UTC"


def _key(claim: Claim) -> str:
    return hashlib.sha256("\n".join(sorted(claim.ids)).encode()).hexdigest()
