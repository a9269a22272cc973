"""Messages on stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter

if TYPE_CHECKING:
    from collections.abc import Iterable


class LineWriter(MsgSpecWriter):
    """The SDK's msgspec writer, which also takes lines that are encoded already."""

    def write_lines(self, parts: Iterable[bytes]) -> None:
        """Write lines, each ended by a line feed, given in parts."""
        sys.stdout.buffer.write(b"".join(parts))
        sys.stdout.flush()
