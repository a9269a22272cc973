"""Messages on stdout, whole lines whatever happens."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from typing_extensions import override

from tap_openai_audit.errors import TargetStopped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.singerlib.encoding.simple import Message

_BYTES_AT_ONCE = 1 << 19
"""What is joined for one write: all usual lines of a batch, as each write hands the
interpreter to another thread, but large ones are not in memory twice."""

_BROKEN = frozenset({errno.EPIPE, errno.ESHUTDOWN, errno.EBADF})
"""What the system says where nobody reads: a pipe, a socket, a closed file."""


class LineWriter(MsgSpecWriter):
    """The SDK's msgspec writer, which also takes lines that are encoded already."""

    @override
    def write_message(self, message: Message) -> None:
        """Write a message.

        Raises:
            TargetStopped: If it cannot be written.
        """
        self.write_lines([self.format_message(message)])

    def write_lines(self, parts: Iterable[bytes | bytearray]) -> None:
        """Write lines, each ended by a line feed, given in parts.

        Raises:
            TargetStopped: If they cannot be written.
        """
        waiting: list[bytes | bytearray] = []
        size = 0
        try:
            for part in parts:
                waiting.append(part)
                size += len(part)
                if size >= _BYTES_AT_ONCE:
                    _write(b"".join(waiting))
                    waiting, size = [], 0
            _write(b"".join(waiting))
            sys.stdout.flush()
        except OSError as error:
            if error.errno in _BROKEN:
                raise TargetStopped from None
            why = error.strerror or type(error).__name__
            raise TargetStopped(
                f"Messages cannot be written to stdout ({why})",
                "give the place where stdout goes room, or another one",
            ) from None
        except (AttributeError, ValueError):
            # Python has no stdout where the process was started without one.
            raise TargetStopped(
                "stdout is closed", "start the tap with a stdout that a target reads"
            ) from None


def _write(data: bytes) -> None:
    # With PYTHONUNBUFFERED set, as in many containers, a write that a signal interrupts
    # may have written only the beginning of a message.
    left = memoryview(data)
    while left:
        left = left[sys.stdout.buffer.write(left) :]
