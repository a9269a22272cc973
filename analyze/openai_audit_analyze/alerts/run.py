"""A run: each receiver is told, side by side, and none waits for another."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from openai_audit_analyze.alerts.message import message
from openai_audit_analyze.alerts.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_audit_analyze.alerts.message import Message
    from openai_audit_analyze.alerts.outbox import Claim, Outbox
    from openai_audit_analyze.alerts.settings import Receiver

_TOO_LATE = (
    "it was not done in the time of a run: see whether it is slow, or allow more with"
    " ALERTS_TIMEOUT_SECONDS"
)


@dataclass
class Told:
    """How a run ended for one receiver.

    Attributes:
        sent: How many findings it was told of.
        unsent: How many it lacks, also those that another run sends it now.
        error: Why the last that was not taken was not, None if there is none.
    """

    sent: int = 0
    unsent: int = 0
    error: str | None = None


@dataclass
class Run:
    """One run. The database is asked by one thread, and each message sent by another.

    Attributes:
        outbox: What receivers are to be told of, and what is known to be sent.
        deliver: Sends a message to a URL, and returns why that failed.
        deadline: When no message is waited for any more, by the monotonic clock.
    """

    outbox: Outbox
    deliver: Callable[[str, Message], str | None]
    deadline: float
    _under_way: dict[str, Claim] = field(default_factory=dict)
    _results: SimpleQueue[tuple[Claim, str | None]] = field(default_factory=SimpleQueue)
    _outcome: dict[str, Told] = field(default_factory=dict)
    _paces: dict[str, Pace] = field(default_factory=dict)

    def tell(self, receivers: Sequence[Receiver]) -> dict[str, Told]:
        """Tell each receiver of what it was not told, and return how that ended.

        What could not be sent is given back to the outbox, for the next run.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        for receiver in receivers:
            self._outcome[receiver.name] = Told()
            self._paces[receiver.name] = Pace()
            self.outbox.enqueue(receiver)
            self._start(receiver)
        while self._under_way:
            left = self.deadline - time.monotonic()
            try:
                claim, error = self._results.get(timeout=max(0, left))
            except Empty:
                break
            if self._end(claim, error):
                self._start(claim.receiver)
        for claim in list(self._under_way.values()):
            self._end(claim, _TOO_LATE)
        for receiver in receivers:
            self._outcome[receiver.name].unsent = self.outbox.unsent(receiver)
        return self._outcome

    def _start(self, receiver: Receiver) -> None:
        """Begin to send the next message to a receiver, if there is one."""
        pace = self._paces[receiver.name]
        claim = self.outbox.claim(receiver, pace.at_most, pace.refused)
        if claim is not None:
            self._under_way[receiver.name] = claim
            # The process ends without waiting for it, however long a receiver takes.
            Thread(target=self._send, args=(claim,), daemon=True).start()

    def _send(self, claim: Claim) -> None:
        try:
            error = self.deliver(claim.receiver.url, message(claim))
        except Exception as problem:  # noqa: BLE001 - no other may suffer from one row
            error = f"no message could be made of it: {type(problem).__name__}"
        self._results.put((claim, error))

    def _end(self, claim: Claim, error: str | None) -> bool:
        """Note how sending ended, and return whether to send to the receiver again."""
        del self._under_way[claim.receiver.name]
        told = self._outcome[claim.receiver.name]
        pace = self._paces[claim.receiver.name]
        if error is None:
            self.outbox.sent(claim)
            told.sent += len(claim.findings)
            pace.taken()
            return True
        self.outbox.failed(claim, error)
        told.error = error
        return pace.failed(claim)
