"""Files that are replaced together, as far as a file system lets one do that."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEFT_SECONDS = 3600
"""Age of what a run that was killed has left. Another one may be writing just now."""


def write(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Replace files, or leave all of them as they were if one cannot be written.

    Between two of the replacements the program may be killed. So the last file should
    have what shows whether it belongs to the others.

    Args:
        directory: Where they are.
        contents: What each holds, in the order in which they are replaced.

    Raises:
        OSError: One cannot be written.
    """
    for name in contents:
        place = directory / name
        if place.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        for left in directory.glob(f".{name}-*"):
            if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                left.unlink(missing_ok=True)
    created: dict[str, Path] = {}
    try:
        for name, content in contents.items():
            handle, path = tempfile.mkstemp(dir=directory, prefix=f".{name}-")
            created[name] = Path(path)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for name, new in created.items():
            new.replace(directory / name)
    except BaseException:
        for new in created.values():
            new.unlink(missing_ok=True)
        raise
