"""A file that is what it should be: a transfer that is cut must never look like one.

Content that is not as declared is downloaded again. Where two downloads agree byte for
byte, and can be read to their end, what is declared is wrong. Only fewer bytes than
declared are never taken for the file: two transfers may be cut at the same place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_openai_audit.errors import BadResponse, ExpiredFile
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.redaction import redacted
from tap_openai_audit.workspace.log_files import LogEvent

if TYPE_CHECKING:
    from tap_openai_audit.workspace.log_files import (
        Content,
        FileSource,
        LogFile,
    )


@dataclass(frozen=True)
class Download:
    """What came of a file."""

    file: LogFile
    content: Content | None
    """None if the API does not have it any more."""
    as_declared: bool = True
    """Whether the checksum is that of the listing."""


def verified(source: FileSource, file: LogFile) -> Download:
    """Download a file, twice if the first download is not as declared.

    Raises:
        BadResponse: If nobody can say what the file holds.
        RequestFailed: If it is not to be had.
    """
    try:
        content = source.download(file)
        if content.is_as_declared(file):
            return Download(file, content)
        size, sha256 = len(content.body), content.sha256
        # Two of them would take twice the memory.
        del content
        content = source.download(file)
    except ExpiredFile:
        return Download(file, None)
    if content.is_as_declared(file):
        return Download(file, content)
    came = f"{size:,} bytes"
    if (len(content.body), content.sha256) != (size, sha256):
        again = len(content.body)
        raise _broken(file, f"came as {came}, then as {again:,} other ones")
    if content.may_be_cut(file):
        raise _broken(file, f"came twice as {came} only")
    if not _can_be_read(source, content):
        raise _broken(file, f"came twice as {came} that cannot be read to their end")
    return Download(file, content, as_declared=False)


def _can_be_read(source: FileSource, content: Content) -> bool:
    found = [isinstance(item, LogEvent) for item in source.events(content.body)]
    return bool(found) and all(found)


def _broken(file: LogFile, how: str) -> BadResponse:
    size = "no size" if file.size is None else f"{file.size:,} bytes"
    return BadResponse(
        f"The file {redacted(file.id)} of {redacted(file.end_time)}, declared with"
        f" {size}, {how}",
        Cause.BROKEN_FILE,
    )
