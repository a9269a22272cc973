"""The checks, one after the other."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError

from tap_openai_audit.audit_logs.api import refuses_tenant_events
from tap_openai_audit.audit_logs.event_types import ORGANIZATION, TENANT
from tap_openai_audit.check import workspace
from tap_openai_audit.check.conclusions import (
    Evidence,
    about_age,
    about_clock,
    about_logging,
    about_wrong_times,
)
from tap_openai_audit.check.findings import Finding, Findings, Status
from tap_openai_audit.check.probes import (
    ADMIN_KEYS,
    PROJECTS,
    RETRY_SECONDS,
    newest,
)
from tap_openai_audit.check.states import about_state
from tap_openai_audit.errors import RequestFailed, Terminated
from tap_openai_audit.http.causes import Api, Cause
from tap_openai_audit.redaction import redacted
from tap_openai_audit.windows import BEGINNING, END, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from tap_openai_audit.audit_logs.events import Page
    from tap_openai_audit.check.probes import Probes

_OF_ORGANIZATION = (
    "connection", "key", "logging", "tenant_events", "newest_event", "filters", "clock",
)  # fmt: skip
_CHECKS = ("settings", *_OF_ORGANIZATION, *workspace.NAMES, "state")
_OF_THE_KEY = frozenset(
    {
        Cause.WRONG_KEY, Cause.PROJECT_KEY, Cause.EXPIRED_KEY, Cause.MISSING_SCOPE,
        Cause.WRONG_ORGANIZATION, Cause.NOT_ALLOWED, Cause.NOT_FROM_HERE, Cause.ACCOUNT,
    }
)  # fmt: skip
_HOUR, _DAY = 3600, 24 * 3600


def check(
    begin: Callable[[], tuple[Probes, Mapping[str, object]]],
    state: Mapping[str, Any] | None,
    output: str,
) -> int:
    """Make all checks and print what they found.

    Args:
        begin: Reads the settings, makes what asks the API under them, and names the
            streams. It raises `ConfigValidationError` if they cannot be used.
        state: The state that a sync would be given, None without one.
        output: `text` or `json`.

    Returns:
        The exit code: 0 if a sync would work.
    """
    try:
        probes, streams = begin()
        with probes:
            about = about_state(state, probes.settings, streams)
            scopes = about.facts.get("scopes", ())
            begun = {scope["scope"] for scope in scopes if not scope["is_new"]}
            found = [*_Check(probes, begun).findings(), about]
    except ConfigValidationError as error:
        text, facts = "; ".join(error.errors), {"problems": error.errors}
        found = [Finding("settings", Status.FAILED, text, facts)]
    except Terminated as signal:
        return signal.exit_code
    findings = _complete(found)
    click.echo(findings.as_json() if output == "json" else findings.as_text())
    return 0 if findings.works else 1


def _complete(made: Sequence[Finding]) -> Findings:
    """Name also the checks that were not made, so that none is missed in silence."""
    found = {finding.name: finding for finding in made}
    text = "Not checked, because of what failed"
    return Findings(
        [found.get(name) or Finding(name, Status.SKIPPED, text) for name in _CHECKS]
    )


class _Check:
    def __init__(self, probes: Probes, begun: Collection[str]) -> None:
        """Prepare the checks.

        Args:
            probes: Asks the API.
            begun: The scopes that a run before has read.
        """
        self._settings = probes.settings
        self._probes = probes
        self._begun = begun

    def findings(self) -> Iterator[Finding]:
        """Make all checks that can be made."""
        yield self._about_settings()
        for api, names, about in (
            (Api.ORGANIZATION, _OF_ORGANIZATION, self._organization),
            (Api.WORKSPACE, workspace.NAMES, self._workspace),
        ):
            if self._settings.reads(api):
                yield from about()
            else:
                text = f"Nothing of the {api.value} is read: its key is not set"
                yield from (Finding(name, Status.SKIPPED, text) for name in names)

    def _about_settings(self) -> Finding:
        """Tell what is read, and where."""
        settings = self._settings
        facts = {
            name: redacted(value, settings.admin_key, settings.workspace_key)
            for api, name, value in (
                (Api.ORGANIZATION, "organization_id", settings.organization_id),
                (Api.ORGANIZATION, "api_url", settings.api_url),
                (Api.WORKSPACE, "workspace_id", settings.workspace_id),
                (Api.WORKSPACE, "workspace_api_url", settings.workspace_api_url),
            )
            if settings.reads(api)
        }
        words = []
        if settings.reads(Api.ORGANIZATION):
            where = "Organization {organization_id} at {api_url}"
            words.append(where.format(**facts))
        if settings.reads(Api.WORKSPACE):
            where = "workspace {workspace_id} at {workspace_api_url}"
            words.append(where.format(**facts))
        text = " and ".join(words)
        return Finding("settings", Status.OK, text[:1].upper() + text[1:], facts)

    def _workspace(self) -> Iterator[Finding]:
        return workspace.about_workspace(self._probes)

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
