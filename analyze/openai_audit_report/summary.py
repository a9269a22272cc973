"""The three sentences at the top: what happened, what is alarming, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_audit_report.words import amount, listed

if TYPE_CHECKING:
    from openai_audit_report.activity import Activity, Busy
    from openai_audit_report.completeness import Completeness
    from openai_audit_report.findings import Findings

    Mood = str

FINE, LOOK, ALARM = "fine", "look", "alarm"
_GRAVE = ("critical", "high")


@dataclass(frozen=True)
class Sentence:
    """One of the sentences.

    Attributes:
        question: What it answers.
        text: The answer. It holds no name that others chose.
        mood: How grave it is.
        place: The section of the page that has more of it.
    """

    question: str
    text: str
    mood: str
    place: str


def sentences(
    activity: Activity, findings: Findings, completeness: Completeness
) -> list[Sentence]:
    """Return the sentences."""
    return [_happened(activity), _alarming(findings), _missing(completeness)]


def _happened(activity: Activity) -> Sentence:
    question = "What happened"
    if not activity.total:
        return Sentence(question, "There is no event in this period.", LOOK, "events")
    who = [
        amount(_of_all(rows), one, many)
        for rows, one, many in (
            (activity.people, "person", "people"),
            (activity.keys, "key", "keys"),
        )
        if rows
    ]
    text = f"{amount(activity.total, 'event', 'events')}"
    if who:
        text += f" by {listed(who)}"
    if activity.countries:
        where = amount(_of_all(activity.countries), "country", "countries")
        text += f" from {where}"
    if activity.sign_ins:
        text += (
            f". {amount(activity.sign_ins, 'is a sign-in', 'are sign-ins')},"
            f" of which {activity.failed_sign_ins:,} failed"
        )
    return Sentence(question, f"{text}.", FINE, "events")


def _alarming(findings: Findings) -> Sentence:
    question = "What is alarming"
    if not findings.total:
        return Sentence(question, "No rule has found anything.", FINE, "findings")
    grave = [s for s in findings.counts if s in _GRAVE]
    rest = findings.total - sum(findings.counts[s] for s in grave)
    parts = [f"{findings.counts[severity]:,} {severity}" for severity in grave]
    if not grave:
        text = f"{amount(rest, 'finding', 'findings')} of medium or lower severity."
        return Sentence(question, text, LOOK, "findings")
    if rest:
        parts.append(f"{rest:,} less severe")
    text = f"{listed(parts)} {'finding' if findings.total == 1 else 'findings'}"
    newest = findings.findings[0]
    return Sentence(
        question, f"{text}. Newest of the first: {newest.title}.", ALARM, "findings"
    )


def _missing(completeness: Completeness) -> Sentence:
    question = "What is missing"
    verdicts, place = completeness.verdicts, "completeness"
    if not verdicts:
        return Sentence(question, "Nobody knows: no day is counted.", LOOK, place)
    proven = verdicts.get("proven", 0)
    of_all = f"{proven:,} of {sum(verdicts.values()):,} days and files are proven"
    lost = verdicts.get("missing", 0)
    if lost:
        lacks = amount(lost, "day or file lacks", "days or files lack")
        text = f"{lacks} events that the tap has written; {of_all}."
        return Sentence(question, text, ALARM, place)
    others = [
        f"{count:,} {verdict}"
        for verdict, count in verdicts.items()
        if verdict != "proven"
    ]
    text = f"Nothing that is known of: {of_all}"
    if others:
        text += f", {listed(others)}"
    return Sentence(
        question, f"{text}.", LOOK if completeness.to_be_seen_to else FINE, place
    )


def _of_all(rows: object) -> int:
    first: Busy = rows[0]  # type: ignore[index]
    return first.of_all
