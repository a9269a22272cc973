"""Messages on stdout, whole lines whatever happens."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.singerlib.encoding.simple import Message


class LineWriter(MsgSpecWriter):
    """The SDK's msgspec writer, which also takes lines that are encoded already."""

    def write_message(self, message: Message) -> None:
        """Write a message."""
        self.write_lines([self.format_message(message)])

    def write_lines(self, parts: Iterable[bytes | bytearray]) -> None:
        """Write lines, each ended by a line feed, given in parts."""
        left = memoryview(b"".join(parts))
        # With PYTHONUNBUFFERED set, as in many containers, a write that a signal
        # interrupts may have written only the beginning of a message.
        while left:
            left = left[sys.stdout.buffer.write(left) :]
        sys.stdout.flush()
