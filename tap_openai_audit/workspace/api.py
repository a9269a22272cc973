"""The log files of a ChatGPT workspace, for the engine for files.

`GET /compliance/workspaces/{workspace_id}/logs` lists files of one type of events, and
`…/logs/{id}` is redirected to one, as OpenAI's public reference of the Compliance Logs
Platform describes them. Types that hold what people write are never asked for.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from tap_openai_audit.errors import BodyTooLarge, ErrorResponse, ExpiredFile
from tap_openai_audit.http.bodies import BadBody
from tap_openai_audit.http.envelopes import envelope
from tap_openai_audit.redaction import redacted
from tap_openai_audit.timestamps import iso, unix, utc
from tap_openai_audit.workspace.log_files import Content, FilePage, LogFile
from tap_openai_audit.workspace.log_lines import MARK, events_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_openai_audit.http.client import Client
    from tap_openai_audit.workspace.log_files import LogEvent, Unreadable

AUDIT_LOG, AUTH_LOG = "AUDIT_LOG", "AUTH_LOG"
"""The types of events that are read. There are others, of conversations too."""

DOWNLOADS_PER_MINUTE = 50
"""As documented for a key."""

_PAGE_SIZE = 100
"""Files asked for in one request: the most that the API's `limit` allows."""

_GONE = frozenset({404, 410})
"""Statuses that say that a file is not there."""

_LEAST_ROOM, _ROOM_PER_BYTE = 16 * 1024 * 1024, 4
"""How many bytes a file may have that is listed with fewer: several are in memory at
the same time, and a body may be no file at all."""


class _Listed(msgspec.Struct):
    """A file, as the API lists it."""

    id: str
    event_type: str
    end_time: str
    file_size: Any = None
    file_sha256: Any = None


_decode = msgspec.json.Decoder(_Listed).decode


class WorkspaceLogs:
    """The log files of one type of events."""

    def __init__(
        self, client: Client, downloads: Client, workspace_id: str, event_type: str
    ) -> None:
        """Prepare to read.

        Args:
            client: Asks the API for listings.
            downloads: Asks the API for files, at the documented rate.
            workspace_id: The workspace.
            event_type: `AUDIT_LOG` or `AUTH_LOG`.
        """
        self._client = client
        self._downloads = downloads
        self._path = f"/compliance/workspaces/{quote(workspace_id, '')}/logs"
        self._event_type = event_type

    def page(
        self, after: str, before: str | None = None, limit: int = _PAGE_SIZE
    ) -> FilePage:
        """List the first files that end after a time.

        Raises:
            RequestFailed: If there is no page.
            Interrupted: If the run is ending.
        """
        read = partial(decode_page, event_type=self._event_type)
        params = [("event_type", self._event_type), ("after", after)]
        params += [] if before is None else [("before", before)]
        while True:
            asked = [("limit", str(limit)), *params]
            try:
                return self._client.get(self._path, asked, read).content
            except BodyTooLarge:
                if limit == 1:
                    raise
                limit = max(limit // 10, 1)

    def download(self, file: LogFile) -> Content:
        """Download a file.

        Raises:
            ExpiredFile: If the API does not have it any more.
            RequestFailed: If it is not to be had for another reason.
            Interrupted: If the run is ending.
        """
        path = f"{self._path}/{quote(file.id, '')}"
        longest = max(_LEAST_ROOM, _ROOM_PER_BYTE * (file.size or 0))
        try:
            body = self._downloads.get_file(path, longest, partial(_checked, file))
        except ErrorResponse as error:
            says_gone = error.from_api and error.status in _GONE
            if says_gone and not self._is_listed(file):
                raise _expired(error) from None
            # A proxy, or the API at the moment: its events are not given up for it.
            raise
        return Content(body.content, sha256(body.content).hexdigest())

    def _is_listed(self, file: LogFile) -> bool:
        """Tell whether the API still lists a file that it does not hand out.

        Raises:
            RequestFailed: If it cannot be asked.
        """
        after = iso(file.second - 1)
        while True:
            page = self.page(after)
            if any(listed.id == file.id for listed in page.files):
                return True
            if not page.has_more:
                return False
            if not page.files or page.files[-1].at <= unix(after):
                return True  # nobody can tell
            if page.files[-1].at > file.at:
                return False
            after = page.files[-1].end_time

    @staticmethod
    def events(body: bytes | bytearray) -> Iterator[LogEvent | Unreadable]:
        """Read what a file holds, in its order."""
        return events_of(body)


def _checked(file: LogFile, body: bytearray) -> bytearray:
    """Take a body for a file, unless it is what a proxy sends in its place.

    Raises:
        BadBody: If it is neither as declared nor begins with an event.
    """
    begin = body[:64].removeprefix(MARK).lstrip()
    if len(body) == file.size or begin.startswith(b"{"):
        return body
    if file.sha256 is not None and sha256(body).hexdigest() == file.sha256:
        return body
    raise BadBody("an HTML page" if begin[:1] == b"<" else "a body that is no log file")


def _expired(error: ErrorResponse) -> ExpiredFile:
    return ExpiredFile(
        error.what, status=error.status, request_id=error.request_id, api=error.api
    )


def decode_page(body: bytes, event_type: str) -> FilePage:
    """Read a page of a listing. Several documents one after the other make one page.

    Raises:
        BadBody: If it is none, or holds files of another type.
    """
    found = envelope(body)
    if found.has_more is None:
        raise BadBody("a listing that does not say whether there are more files")
    return FilePage([_file(raw, event_type) for raw in found.data], found.has_more)


def _file(raw: msgspec.Raw, event_type: str) -> LogFile:
    try:
        listed = _decode(raw)
        at = unix(listed.end_time)
        utc(listed.end_time)
    except msgspec.DecodeError as error:
        raise BadBody(f"a file that cannot be read ({error})") from None
    except (ValueError, OverflowError):
        what = f"a file whose end_time is no time ({redacted(listed.end_time)})"
        raise BadBody(what) from None
    if listed.event_type != event_type:
        raise BadBody(
            f"a file of {redacted(listed.event_type)}, where only {event_type} was"
            " asked for"
        )
    size, checksum = listed.file_size, listed.file_sha256
    return LogFile(
        listed.id,
        listed.end_time,
        at,
        size if type(size) is int else None,
        checksum.lower() if isinstance(checksum, str) else None,
    )
