"""The checks of a ChatGPT workspace: whether a sync could read its logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_openai_audit.check.findings import Finding, Status
from tap_openai_audit.check.states import finding_of
from tap_openai_audit.check.time_limit import TimeLimit, hasty
from tap_openai_audit.errors import BadState, RequestFailed
from tap_openai_audit.http.client import Client
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.state_input import unwrapped
from tap_openai_audit.timestamps import iso, utc
from tap_openai_audit.windows import BEGINNING
from tap_openai_audit.workspace.api import AUDIT_LOG, AUTH_LOG, WorkspaceLogs
from tap_openai_audit.workspace.position import FIRST_TIME
from tap_openai_audit.workspace.run import asked_of
from tap_openai_audit.workspace.state import FEEDS, FeedState

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

    from tap_openai_audit.singer.signals import Signals
    from tap_openai_audit.workspace.log_files import LogFile
    from tap_openai_audit.workspace.settings import WorkspaceSettings

_FILES = "workspace_files"
_LISTINGS = {"workspace_audit_logs": AUDIT_LOG, "workspace_auth_logs": AUTH_LOG}

NAMES = ("settings", *_LISTINGS, _FILES, "state")
"""All checks, in the order in which they are printed."""


class WorkspaceCheck:
    """Checks whether a sync of a workspace would work."""

    def __init__(
        self,
        settings: WorkspaceSettings,
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
            logger: Told of every request that is repeated.
        """
        self._settings = settings
        self._time_limit = TimeLimit(signals)
        self._client = Client(hasty(settings.endpoint), logger, signals.stop)
        self._state, self._streams = state, streams

    def findings(self) -> Iterator[Finding]:
        """Do all checks that can be done."""
        with self._time_limit:
            yield self._about_settings()
            yield from self._about_files()
        yield self._about_state()

    def _about_settings(self) -> Finding:
        """Say what is read, and where."""
        settings = self._settings
        facts = {
            "workspace_id": redacted(settings.workspace_id, settings.key),
            "api_url": redacted(settings.api_url, settings.key),
        }
        text = "Workspace {workspace_id} at {api_url}".format(**facts)
        return Finding("settings", Status.OK, text, facts)

    def _about_files(self) -> Iterator[Finding]:
        """Ask for a listing of each type, and for one file: its host is another one."""
        ask = self._time_limit.ask
        files: list[LogFile] = []
        for name, event_type in _LISTINGS.items():
            logs = self._logs(event_type)
            try:
                page = ask(lambda: logs.page(FIRST_TIME)).files  # noqa: B023 - at once
            except RequestFailed as error:
                yield Finding.of(name, Status.FAILED, error)
                continue
            files += page
            text = "The key may list them, but there is no file so far"
            if page:
                first = utc(page[0].end_time)
                text = f"The key may list them, the first file ends at {first}"
            yield Finding(name, Status.OK, text)
        if not files:
            yield Finding(_FILES, Status.SKIPPED, "There is no file to be downloaded")
            return
        smallest = min(files, key=lambda file: file.size or 0)
        try:
            ask(lambda: self._logs(AUDIT_LOG).download(smallest))
        except RequestFailed as error:
            yield Finding.of(_FILES, Status.FAILED, error)
        else:
            yield Finding(_FILES, Status.OK, "A file can be downloaded")

    def _logs(self, event_type: str) -> WorkspaceLogs:
        id_ = self._settings.workspace_id
        return WorkspaceLogs(self._client, self._client, id_, event_type)

    def _about_state(self) -> Finding:
        """Say where the state stands, without an id of an event in it."""
        if self._state is None:
            return Finding("state", Status.SKIPPED, "None is given")
        try:
            found = unwrapped(self._state, self._streams).get("bookmarks", {})
            return finding_of([self._facts(found, stream) for stream in FEEDS])
        except BadState as error:
            return Finding("state", Status.FAILED, str(error))

    def _facts(self, bookmarks: Mapping[str, Any], stream: str) -> dict[str, Any]:
        """Return where a feed stands.

        Raises:
            BadState: If its bookmark is not understood, or another workspace's.
        """
        asked = asked_of(self._settings)
        found = FeedState.read(bookmarks.get(stream, {}), stream)
        found.refuse_others_than(self._settings.workspace_id)
        position, covered = found.position, found.covered_from
        begins = position.bookmark is None and asked.start is None
        end = self._settings.end
        return {
            "scope": f"workspace_{FEEDS[stream]}",
            "is_new": found.chain_id is None,
            "bookmark": position.bookmark,
            "filters": "no filters",
            "covered_from": None if covered == BEGINNING else iso(covered),
            "reads_from": None if begins else position.lists_after(asked, deep=False),
            "reads_before": None if end is None else iso(end),
        }
