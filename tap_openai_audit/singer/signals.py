"""SIGTERM and SIGINT: an end that an orchestrator sees as one.

The signal only leaves a note, because a handler may run in the middle of a message.
The run looks at the note between messages, writes its state and ends with 128 plus the
number of the signal. If it is stuck, on a loader that does not read, it is ended all
the same: what was not confirmed by a STATE is emitted again by the next run.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from tap_openai_audit.errors import Terminated

if TYPE_CHECKING:
    from types import FrameType

_GRACE_SECONDS = 4.0
"""For the last batch and its STATE: well within the ten seconds after which Docker, and
others like it, kill what they asked to end."""


class Signals:
    """Listens for the signals that end a run."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Set when a signal has come: nothing waits any longer."""
        self._number: int | None = None

    def listen(self) -> None:
        """Let the signals leave a note from now on."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._handle)
            signal.signal(signal.SIGINT, self._handle)

    def check(self) -> None:
        """End the run here if a signal has come.

        Raises:
            Terminated: If one has.
        """
        if self._number is not None:
            raise Terminated(self._number)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._number is None:
            self._number = number
            timer = threading.Timer(_GRACE_SECONDS, os._exit, [128 + number])
            timer.daemon = True
            timer.start()
            self.stop.set()
