"""The checks of an organization, one after the other."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_openai_audit.audit_logs.api import refuses_tenant_events
from tap_openai_audit.audit_logs.event_types import ORGANIZATION, TENANT
from tap_openai_audit.check.conclusions import (
    Evidence,
    about_age,
    about_clock,
    about_logging,
    about_wrong_times,
)
from tap_openai_audit.check.findings import Finding, Status
from tap_openai_audit.check.probes import (
    ADMIN_KEYS,
    PROJECTS,
    Probes,
    newest,
)
from tap_openai_audit.check.states import about_state
from tap_openai_audit.check.time_limit import RETRY_SECONDS, TimeLimit
from tap_openai_audit.errors import RequestFailed
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.redaction import redacted
from tap_openai_audit.windows import BEGINNING, END, Window

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

    from tap_openai_audit.audit_logs.events import Page
    from tap_openai_audit.settings import Settings
    from tap_openai_audit.singer.signals import Signals

NAMES = (
    "settings", "connection", "key", "logging", "tenant_events", "newest_event",
    "filters", "clock", "state",
)  # fmt: skip
"""All checks, in the order in which they are printed."""

_OF_THE_KEY = frozenset(
    {
        Cause.WRONG_KEY, Cause.PROJECT_KEY, Cause.EXPIRED_KEY, Cause.MISSING_SCOPE,
        Cause.WRONG_ORGANIZATION, Cause.NOT_ALLOWED, Cause.NOT_FROM_HERE, Cause.ACCOUNT,
    }
)  # fmt: skip
_HOUR, _DAY = 3600, 24 * 3600


class OrganizationCheck:
    """Checks whether a sync of an organization would work."""

    def __init__(
        self,
        settings: Settings,
        state: Mapping[str, Any] | None,
        streams: Mapping[str, object],
        signals: Signals,
        logger: logging.Logger,
    ) -> None:
        """Prepare the checks.

        Args:
            settings: Those of the sync that is checked.
            state: The state that it would be given, None without one.
            streams: The tap's streams by their names.
            signals: What ends the check early.
            logger: Logs every request that is repeated.
        """
        self._settings = settings
        self._time_limit = TimeLimit(signals)
        self._probes = Probes(
            settings, self._time_limit, signals=signals, logger=logger
        )
        self._state = about_state(state, settings, streams)
        scopes = self._state.facts.get("scopes", ())
        self._begun = {scope["scope"] for scope in scopes if not scope["is_new"]}

    def findings(self) -> Iterator[Finding]:
        """Do all checks that can be done."""
        with self._time_limit:
            yield self._about_settings()
            yield from self._organization()
        yield self._state

    def _about_settings(self) -> Finding:
        """Say what is read, and where."""
        settings = self._settings
        facts = {
            "organization_id": redacted(settings.organization_id, settings.admin_key),
            "api_url": redacted(settings.api_url, settings.admin_key),
        }
        text = "Organization {organization_id} at {api_url}".format(**facts)
        return Finding("settings", Status.OK, text, facts)

    def _organization(self) -> Iterator[Finding]:
        """Make all checks of the organization's log that can be made."""
        try:
            page = self._probes.page(ORGANIZATION)
        except RequestFailed as error:
            yield from self._failed(error)
            if self._probes.wrong_times:
                yield about_wrong_times(self._probes.wrong_times, None)
            return
        answered_at = time.time()
        yield Finding("connection", Status.OK, "The API answers")
        yield Finding("key", Status.OK, "The admin key may read audit logs")
        # The time of the response, not of the request: no event of it lies ahead.
        now = int(answered_at) if page.date is None else page.date
        yield from self._log(page, now)
        yield self._filters()
        # The API's time is cut to seconds: half a second is what it loses on average.
        yield about_clock(None if page.date is None else answered_at - page.date - 0.5)

    def _failed(self, error: RequestFailed) -> Iterator[Finding]:
        """Tell what is wrong, if the first request failed."""
        about = "connection"
        if error.cause in _OF_THE_KEY:
            about = "key"
        elif error.cause is Cause.LOGGING_OFF:
            about = "logging"
        if about != "connection":
            yield Finding("connection", Status.OK, "The API answers")
        found = Finding.of(about, Status.FAILED, error)
        if about == "logging":
            facts = {**found.facts, "state": "off", "certainty": "certain"}
            found = replace(found, facts=facts)
        seconds = self._settings.max_retry_seconds
        if error.retriable and seconds > RETRY_SECONDS:
            longer = f"a check tries for {RETRY_SECONDS} s, a sync for {seconds} s"
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
            except RequestFailed:
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
            made, unread = self._probes.made(kinds)
            evidence = replace(evidence, made=made, unread=unread)
        yield about_logging(evidence)
        age = about_age(max(times, default=None), now, ordered=ordered)
        wrong = self._probes.wrong_times
        yield about_wrong_times(wrong, age) if wrong else age

    def _tenant(self) -> tuple[Finding, int | None]:
        """Tell whether tenant events are available, and the time of the newest."""
        name, wanted = "tenant_events", self._settings.tenant_events
        try:
            latest = self._probes.newest(TENANT)
        except RequestFailed as error:
            # To a sync it says that there are none, unless they came before.
            bearable = not wanted or (
                refuses_tenant_events(error) and TENANT not in self._begun
            )
            status = Status.WARNING if bearable else Status.FAILED
            if not wanted:
                status = Status.SKIPPED
            found = Finding.of(name, status, error)
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
            except RequestFailed as error:  # noqa: PERF203 - once for each scope
                if scope == ORGANIZATION or not refuses_tenant_events(error):
                    return Finding.of(name, Status.FAILED, error)
        text = (
            f"No event matches {', '.join(names)}: a sync brings nothing until one"
            " does; if that is not intended check their values"
        )
        return Finding(name, Status.WARNING, text)
