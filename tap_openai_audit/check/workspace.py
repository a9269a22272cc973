"""What a check says of a ChatGPT workspace: whether a sync could read its logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_openai_audit.check.findings import Finding, Status
from tap_openai_audit.errors import RequestFailed
from tap_openai_audit.timestamps import utc
from tap_openai_audit.workspace.api import AUDIT_LOG, AUTH_LOG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_openai_audit.check.probes import Probes
    from tap_openai_audit.workspace.log_files import LogFile

FILES = "workspace_files"
LISTINGS = {"workspace_audit_logs": AUDIT_LOG, "workspace_auth_logs": AUTH_LOG}
NAMES = (*LISTINGS, FILES)


def about_workspace(probes: Probes) -> Iterator[Finding]:
    """Ask for a listing of each type, and for one file: its host is another one."""
    files: list[LogFile] = []
    for name, event_type in LISTINGS.items():
        try:
            page = probes.files(event_type)
        except RequestFailed as error:
            yield Finding.of(name, Status.FAILED, error)
            continue
        files += page
        text = "The workspace key may list them, but there is no file so far"
        if page:
            first = utc(page[0].end_time)
            text = f"The workspace key may list them, the first file ends at {first}"
        yield Finding(name, Status.OK, text)
    if not files:
        yield Finding(FILES, Status.SKIPPED, "There is no file to be downloaded")
        return
    smallest = min(files, key=lambda file: file.size or 0)
    try:
        probes.download(smallest)
    except RequestFailed as error:
        yield Finding.of(FILES, Status.FAILED, error)
    else:
        yield Finding(FILES, Status.OK, "A file can be downloaded")
