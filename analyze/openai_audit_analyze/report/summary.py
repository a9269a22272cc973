"""The three sentences at the top: what happened, what is alarming, what is missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_audit_analyze.report import words
from openai_audit_analyze.report.words import amount, listed
from openai_audit_analyze.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_audit_analyze.report.activity import Busy
    from openai_audit_analyze.report.completeness import Feed
    from openai_audit_analyze.report.page import Report

FINE, REVIEW, ALARM = "fine", "review", "alarm"
_MOODS = {FINE: "nothing to do", REVIEW: "to be reviewed", ALARM: "alarming"}
_MOST_FEEDS = 4
"""Feeds that the sentence names. The page has all of them."""

_MILD = ("medium", "low", "info")
"""All others are grave, including unknown ones."""


@dataclass(frozen=True)
class Sentence:
    """One of the sentences.

    Attributes:
        question: What it answers.
        text: The answer. It contains no user-supplied text except ids.
        mood: How grave it is.
        place: The section of the page that has more of it.
    """

    question: str
    text: str
    mood: str
    place: str

    @property
    def verdict(self) -> str:
        """The mood in words, for readers who do not see colours and shapes."""
        # That events happened is neither good nor bad.
        is_neutral = self.place == "events" and self.mood == FINE
        return "" if is_neutral else _MOODS[self.mood]


def sentences(report: Report) -> list[Sentence]:
    """Return the sentences."""
    return [_happened(report), _alarming(report), _missing(report)]


def _happened(report: Report) -> Sentence:
    question, activity = "What happened", report.activity
    if report.lacks("events"):
        return _unread(question, "events")
    if not activity.total:
        return Sentence(question, "There is no event in this period.", REVIEW, "events")
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
            f" of which {_failed(report)} failed"
        )
    return Sentence(question, f"{text}.", FINE, "events")


def _failed(report: Report) -> str:
    if report.lacks("events.outcome"):
        return "an unknown number"
    return f"{report.activity.failed_sign_ins:,}"


def _alarming(report: Report) -> Sentence:
    question, place, findings = "What is alarming", "findings", report.findings
    if report.lacks("findings"):
        return _unread(question, place)
    if not findings.total:
        if report.lacks("rules"):
            text = "There is no finding, and it is not known which rules ran."
            return Sentence(question, text, REVIEW, place)
        if not findings.rules:
            return Sentence(
                question, "Not evaluated: the rule models have not run.", REVIEW, place
            )
        return Sentence(question, "No rule has found anything.", FINE, place)
    grave = {s: n for s, n in findings.counts.items() if s not in _MILD}
    less = findings.total - sum(grave.values())
    if not grave:
        text = f"{amount(less, 'finding', 'findings')} of medium or lower severity."
        return Sentence(question, text, REVIEW, place)
    parts = [f"{number:,} {severity}" for severity, number in grave.items()]
    if less:
        parts.append(f"{less:,} less severe")
    text = f"{listed(parts)} {'finding' if findings.total == 1 else 'findings'}"
    newest = next(f for f in findings.findings if f.severity in grave)
    text += f"; the newest {newest.severity} one: {newest.title}."
    return Sentence(question, text, ALARM, place)


def _missing(report: Report) -> Sentence:
    question, place = "What is missing", "completeness"
    completeness = report.completeness
    if report.lacks("coverage"):
        return _unread(question, place, "coverage")
    if not completeness.verdicts:
        return Sentence(question, "Not known: no day is counted.", REVIEW, place)
    feeds = sorted(completeness.feeds, key=lambda feed: feed.badness)
    lost = completeness.verdicts.get("missing", 0)
    if lost:
        files = any(feed.runs.is_of_workspace for feed in feeds)
        what = "days and files" if files else "days"
        text = f"{lost:,} of the {what} lack events that the tap has written."
        mood = ALARM
    elif report.uncounted or not all(feed.is_in_order for feed in feeds):
        text, mood = "No event is known to be missing, but not all is proven.", REVIEW
    else:
        text, mood = "Nothing is known to be missing.", FINE
    text = " ".join([text, *(f"{part}." for part in _by_feed(feeds))])
    if report.uncounted:
        number = amount(len(report.uncounted), "feed", "feeds")
        text += f" Of {number} with events no day is counted."
    # A later run reads what one did not, so the days tell whether anything is missing.
    broken = sum(feed.runs.runs_incomplete or 0 for feed in feeds)
    runs = sum(feed.runs.runs or 0 for feed in feeds)
    if broken and runs:
        text += f" {broken:,} of {amount(runs, 'run', 'runs')} did not read everything."
    return Sentence(question, text, mood, place)


def _by_feed(feeds: Sequence[Feed]) -> list[str]:
    """Return what is known of the feeds: the worst are named, the others counted."""
    if len(feeds) == 1:
        return [feeds[0].text]
    sources = Counter(feed.runs.source for feed in feeds)
    parts = []
    for feed in feeds[:_MOST_FEEDS]:
        name = words.feed(feed.runs.source)
        if sources[feed.runs.source] > 1:
            name += f" {safe(feed.runs.account_id, longest=40)}"
        parts.append(f"{name}: {feed.text}")
    rest = feeds[_MOST_FEEDS:]
    if rest:
        fine = sum(feed.is_in_order for feed in rest)
        number = amount(len(rest), "more feed", "more feeds")
        parts.append(f"{number}, {fine:,} of them in order")
    return parts


def _unread(question: str, place: str, model: str = "") -> Sentence:
    text = f"Not known: openai_audit__{model or place} could not be read."
    return Sentence(question, text, REVIEW, place)


def _of_all(rows: Sequence[Busy]) -> int:
    return rows[0].of_all
