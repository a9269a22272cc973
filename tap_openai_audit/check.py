"""`--check`: a few real requests that tell whether a sync would work.

The first request is the one that a sync begins with, so what refuses it refuses a sync
in the same words. The others look for reasons why a sync would bring less than
expected. All of them together take a minute at the most, even if the API hangs.

The exit code is 1 where a sync would fail, and where the log is empty although it
should not be: such a sync ends well and brings nothing, for ever. All else that is
worth a look is a warning, with exit code 0: a log that may be empty for a good reason,
filters that match nothing, tenant events that are refused, a wrong clock.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError

from tap_openai_audit.api.audit_log import NO_TENANT_EVENTS
from tap_openai_audit.api.refusals import Cause, Refusal
from tap_openai_audit.diagnosis.findings import Diagnosis, Finding, Status
from tap_openai_audit.diagnosis.judgement import (
    Evidence,
    of_age,
    of_clock,
    of_logging,
)
from tap_openai_audit.diagnosis.probes import (
    ADMIN_KEYS,
    PROJECTS,
    RETRY_SECONDS,
    Probes,
    newest,
)
from tap_openai_audit.event_types import ORGANIZATION, TENANT
from tap_openai_audit.extraction.windows import BEGINNING, END, Window
from tap_openai_audit.signals import Terminated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_openai_audit.extraction.events import Page
    from tap_openai_audit.settings import Settings
    from tap_openai_audit.tap import TapOpenAIAudit

_CHECKS = (
    "settings", "connection", "key", "logging", "tenant_events", "newest_event",
    "filters", "clock",
)  # fmt: skip
_OF_THE_KEY = frozenset(
    {
        Cause.WRONG_KEY, Cause.PROJECT_KEY, Cause.EXPIRED_KEY, Cause.MISSING_SCOPE,
        Cause.WRONG_ORGANIZATION, Cause.NOT_ALLOWED, Cause.NOT_FROM_HERE, Cause.ACCOUNT,
    }
)  # fmt: skip
_HOUR, _DAY = 3600, 24 * 3600


def check(tap: type[TapOpenAIAudit], config: dict[str, Any], output: str) -> int:
    """Make all checks and print what they found.

    Args:
        tap: Reads the configuration.
        config: The configuration.
        output: `text` or `json`.

    Returns:
        The exit code: 0 if a sync would work.
    """
    try:
        run = tap(config=config, setup_mapper=False).run
        with Probes(run) as probes:
            found = [*_Check(run.settings, probes).findings()]
    except ConfigValidationError as error:
        text, facts = "; ".join(error.errors), {"problems": error.errors}
        found = [Finding("settings", Status.FAILED, text, facts)]
    except Terminated as signal:
        return signal.exit_code
    diagnosis = _complete(found)
    click.echo(diagnosis.as_json() if output == "json" else diagnosis.as_text())
    return 0 if diagnosis.works else 1


def _complete(findings: Sequence[Finding]) -> Diagnosis:
    """Name also the checks that were not made, so that none is missed in silence."""
    made = {finding.name: finding for finding in findings}
    text = "Not checked, because of what failed"
    return Diagnosis(
        [made.get(name) or Finding(name, Status.SKIPPED, text) for name in _CHECKS]
    )


class _Check:
    def __init__(self, settings: Settings, probes: Probes) -> None:
        self._settings = settings
        self._probes = probes

    def findings(self) -> Iterator[Finding]:
        """Make all checks that can be made."""
        settings = self._settings
        yield Finding(
            "settings",
            Status.OK,
            f"Organization {settings.organization_id} at {settings.api_url}",
            {"organization_id": settings.organization_id, "api_url": settings.api_url},
        )
        try:
            page = self._probes.page(ORGANIZATION)
        except Refusal as refusal:
            yield from self._refused(refusal)
            return
        answered_at = time.time()
        yield Finding("connection", Status.OK, "The API answers")
        yield Finding("key", Status.OK, "The admin key may read audit logs")
        yield from self._log(page, page.served_at or int(answered_at))
        yield self._filters()
        # The API's time is cut to seconds: half a second is what it loses on average.
        served_at = None if page.served_at is None else page.served_at + 0.5
        yield of_clock(None if served_at is None else answered_at - served_at)

    def _refused(self, refusal: Refusal) -> Iterator[Finding]:
        """Tell what the refusal of the first request is about."""
        about = "connection"
        if refusal.cause in _OF_THE_KEY:
            about = "key"
        elif refusal.cause is Cause.LOGGING_OFF:
            about = "logging"
        if about != "connection":
            yield Finding("connection", Status.OK, "The API answers")
        found = Finding.of(about, Status.FAILED, refusal)
        if about == "logging":
            facts = {**found.facts, "state": "off", "certainty": "certain"}
            found = replace(found, facts=facts)
        patience = self._settings.max_retry_seconds
        if refusal.retried and patience > RETRY_SECONDS:
            longer = f"a check tries for {RETRY_SECONDS} s, a sync for {patience} s"
            found = replace(found, text=f"{found.text}; {longer}")
        yield found

    def _log(self, page: Page, now: int) -> Iterator[Finding]:
        """Tell what the log holds, under no filter."""
        latest, ordered = newest(page), True
        if latest is not None:
            # Nothing promises that the first page is the newest.
            try:
                later = self._probes.newest(ORGANIZATION, Window(latest + 1, END))
                latest, ordered = later or latest, later is None
            except Refusal:
                ordered = False
        tenant, latest_of_tenant = self._tenant()
        yield tenant
        times = [at for at in (latest, latest_of_tenant) if at is not None]
        evidence = Evidence(
            now,
            latest,
            latest_of_tenant,
            min(max(self._settings.lookback_seconds, _HOUR), _DAY),
        )
        if not times or max(times) < now - evidence.delay:
            # The creation of an admin key may be an event of the tenant's alone.
            kinds = [PROJECTS, *([ADMIN_KEYS] if tenant.facts["available"] else [])]
            witnesses, unread = self._probes.witnesses(kinds)
            evidence = replace(evidence, witnesses=witnesses, unread=unread)
        yield of_logging(evidence)
        yield of_age(max(times, default=None), now, ordered=ordered)

    def _tenant(self) -> tuple[Finding, int | None]:
        """Tell whether tenant events are available, and the time of the newest."""
        name, wanted = "tenant_events", self._settings.tenant_events
        try:
            latest = self._probes.newest(TENANT)
        except Refusal as refusal:
            bearable = not wanted or refusal.status in NO_TENANT_EVENTS
            status = Status.WARNING if bearable else Status.FAILED
            if not wanted:
                status = Status.SKIPPED
            found = Finding.of(name, status, refusal)
            text = found.text
            if status is Status.WARNING:
                text += (
                    "; a sync reads the organization's events all the same, set"
                    " tenant_events to false if there are no others"
                )
            facts = {**found.facts, "available": False}
            return replace(found, text=text, facts=facts), None
        text = "There are none so far" if latest is None else "They are available"
        if not wanted:
            text += ", but tenant_events is false: they are not read"
        return Finding(name, Status.OK, text, {"available": True}), latest

    def _filters(self) -> Finding:
        """Tell whether the settings leave anything to read."""
        name, settings = "filters", self._settings
        window = Window(
            BEGINNING if settings.start is None else settings.start,
            END if settings.end is None else settings.end,
        )
        names = [*settings.filters]
        names += [] if settings.start is None else ["start_date"]
        names += [] if settings.end is None else ["end_date"]
        if not names:
            return Finding(name, Status.SKIPPED, "None are set")
        for scope in (ORGANIZATION, TENANT)[: 1 + settings.tenant_events]:
            try:
                if self._probes.matches(scope, window, settings.filters):
                    return Finding(name, Status.OK, f"{', '.join(names)} match events")
            except Refusal as refusal:  # noqa: PERF203 - once for each scope
                if scope == ORGANIZATION or refusal.status not in NO_TENANT_EVENTS:
                    return Finding.of(name, Status.FAILED, refusal)
        text = (
            f"No event matches {', '.join(names)}: a sync brings nothing until one"
            " does; if that is not intended check their values"
        )
        return Finding(name, Status.WARNING, text)
