"""Which files there are, page by page.

A page continues after the end time of a file, and several files may share one. So where
more is promised, the files of the page's last time are left to the next page, which
lists all of that time again: none can fall between two pages.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tap_openai_audit.errors import BrokenPaging
from tap_openai_audit.redaction import redacted
from tap_openai_audit.timestamps import unix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_openai_audit.workspace.log_files import FileSource, LogFile


def listed(
    source: FileSource,
    after: str,
    before: str | None,
    is_known: Callable[[LogFile], bool],
) -> Iterator[LogFile]:
    """List files in the order of their end.

    Collectors see the file again at which a page ended. So one that is known may come
    again, and on the first page any of the very time that is asked after: no page has
    brought that time before.

    Args:
        source: Where files come from.
        after: ISO 8601: only files that end later are listed.
        before: ISO 8601: only files that end earlier. None for all.
        is_known: Whether a file needs no reading. It is left out.

    Raises:
        BrokenPaging: If pages do not fit together: who goes on would miss files.
        RequestFailed: If a page is not to be had.
    """
    taken: set[str] = set()
    reached, is_first = unix(after), True
    while True:
        page = source.page(after, before)
        _check_order(page.files)
        once = {file.id: file for file in page.files if file.id not in taken}
        fresh = [*once.values()]
        for file in fresh:
            is_new_time = is_first and file.at == reached
            if file.at <= reached and not is_new_time and not is_known(file):
                raise BrokenPaging(
                    f"The listing after {redacted(after)} has a file of"
                    f" {redacted(file.end_time)}"
                )
        if page.has_more:
            fresh = [file for file in fresh if file.at < page.files[-1].at]
            if not fresh:
                raise BrokenPaging(
                    f"The listing after {redacted(after)} promises more, but brings"
                    " no file of an earlier time than its last"
                )
        yield from (file for file in fresh if not is_known(file))
        if not page.has_more:
            return
        taken.update(file.id for file in fresh)
        after, reached, is_first = fresh[-1].end_time, fresh[-1].at, False


def _check_order(files: Sequence[LogFile]) -> None:
    for earlier, later in pairwise(files):
        if later.at < earlier.at:
            raise BrokenPaging(
                f"A listing has {redacted(later.end_time)} after"
                f" {redacted(earlier.end_time)}"
            )
