"""What the observations of a check mean, and how sure that is.

An API whose audit logging is off answers as one whose log is empty. What tells them
apart is that the log knows what was made while it was on: the creation of a project or
of an admin key is an event. Nothing proves that logging is off, because it may have
been switched on after the last of them was made; so "off" is at most likely.

Without the comparison a check of an organization whose logging was never switched on
would say that all is well, and each sync would succeed without an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_openai_audit.check.findings import Finding, Status
from tap_openai_audit.http.causes import LOGGING_PAGE, MEANING, Cause
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.check.event_times import WrongTimes

_DAY = 24 * 3600
_KEPT = 30 * _DAY
"""How long an event is kept at least, in seconds. No document promises a time: this is
the shortest of those that others report."""

_SLACK = 60
"""How many seconds may lie between something and the event that tells of it."""

_CLOCK_TOLERANCE = 60
"""By how many seconds this machine's clock may be off. No certificate and no schedule
notices a minute."""

_UNITS = ((2 * _DAY, _DAY, "days"), (2 * 3600, 3600, "hours"), (120, 60, "minutes"))


@dataclass(frozen=True)
class Made:
    """Something that was made, which is an event that the log should hold."""

    what: str
    """Such as `project proj_abc`."""
    created_at: int
    """In Unix seconds."""


@dataclass(frozen=True)
class Evidence:
    """What tells whether audit logging is on. Times are Unix seconds."""

    now: int
    newest: int | None = None
    """The time of the newest event of the organization, None without any."""
    newest_of_tenant: int | None = None
    delay: int = 3600
    """How many seconds an event may take to appear."""
    made: Sequence[Made] = ()
    unread: Sequence[str] = ()
    """Why some of what was made could not be listed."""


def about_logging(evidence: Evidence) -> Finding:
    """Tell whether audit logging is on."""
    times = [t for t in (evidence.newest, evidence.newest_of_tenant) if t is not None]
    since = max(times) + _SLACK if times else evidence.now - _KEPT
    until = evidence.now - evidence.delay
    missing = [thing for thing in evidence.made if since < thing.created_at < until]
    if missing:
        last = max(missing, key=lambda thing: thing.created_at)
        seen = "The log is empty"
        if times:
            seen = f"The last event is of {iso(max(times))}"
        text = (
            f"{seen}, and nothing in it tells that {last.what} was made at"
            f" {iso(last.created_at)}: likely {MEANING[Cause.LOGGING_OFF]}; if it is on"
            " already, it was switched on later and nothing has happened since"
        )
        return _logging(
            Status.WARNING if times else Status.FAILED, "off", "likely", text
        )
    if evidence.newest is not None:
        return _logging(Status.OK, "on", "certain", "Audit logging is on (certain)")
    if times:
        text = (
            "The log has tenant-scoped events only: audit logging is likely on, and"
            f" nothing else has happened; to be sure look at {LOGGING_PAGE}"
        )
        return _logging(Status.WARNING, "on", "likely", text)
    text = (
        "The log is empty: audit logging is off, or on with no event so far (unknown:"
        f" {_doubt(evidence)}); to be sure look at {LOGGING_PAGE}"
    )
    return _logging(Status.WARNING, "empty", "unknown", text)


def about_age(newest: int | None, now: int, *, ordered: bool) -> Finding:
    """Tell how old the newest event is.

    Args:
        newest: The time of the newest event that was seen, in Unix seconds.
        now: The API's clock, in Unix seconds.
        ordered: Whether that is the newest there is.
    """
    name = "newest_event"
    if newest is None:
        return Finding(name, Status.SKIPPED, "There is no event")
    age = now - newest
    words = f"{_span(age)} old" if age >= 0 else f"dated {_span(-age)} in the future"
    return Finding(
        name,
        Status.OK,
        f"The newest event is {'' if ordered else 'at most '}{words} ({iso(newest)})",
        {"newest_event_at": iso(newest), "age_seconds": age},
    )


def about_wrong_times(wrong: WrongTimes, age: Finding | None) -> Finding:
    """Tell of events whose time cannot be right.

    Args:
        wrong: These events.
        age: How old the newest event is of those whose time can be, None if not known.
    """
    text = (
        f"{wrong.text}: a sync sets such an event aside and loads the others; tell"
        " OpenAI's support the id"
    )
    facts: dict[str, Any] = {"wrong_times": wrong.count}
    if age is not None and age.status is not Status.SKIPPED:
        text += f". {age.text}"
        facts |= age.facts
    return Finding("newest_event", Status.WARNING, text, facts)


def about_clock(ahead: float | None) -> Finding:
    """Tell whether this machine's clock is right.

    Args:
        ahead: By how many seconds it is ahead of the API's, None if not known.
    """
    if ahead is None:
        return Finding("clock", Status.SKIPPED, "The API did not tell its time")
    facts = {"ahead_seconds": round(ahead)}
    if abs(ahead) <= _CLOCK_TOLERANCE:
        text = f"This machine's clock is {abs(ahead):.0f} s off the API's"
        return Finding("clock", Status.OK, text, facts)
    way = "ahead of" if ahead > 0 else "behind"
    text = (
        f"This machine's clock is {abs(ahead):.0f} s {way} the API's: set it right,"
        " because certificates and schedules depend on it"
    )
    return Finding("clock", Status.WARNING, text, facts)


def _logging(status: Status, state: str, certainty: str, text: str) -> Finding:
    return Finding("logging", status, text, {"state": state, "certainty": certainty})


def _doubt(evidence: Evidence) -> str:
    """Why an empty log tells nothing."""
    last = max((thing.created_at for thing in evidence.made), default=0)
    if last >= evidence.now - evidence.delay:
        return (
            f"the last admin key or project was made {_span(evidence.now - last)} ago,"
            f" and an event may take {_span(evidence.delay)} to appear: check again"
        )
    if evidence.unread:
        return f"what it should hold is not known, {', '.join(evidence.unread)}"
    return f"no admin key or project was made in the last {_span(_KEPT)}"


def _span(seconds: int) -> str:
    """A duration in words."""
    for least, size, name in _UNITS:
        if seconds >= least:
            return f"{seconds // size} {name}"
    return f"{seconds} s"
