"""A run: it sends to all receivers side by side, and none waits for another."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from openai_audit_analyze.alerts.batch_size import BatchSize
from openai_audit_analyze.alerts.message import message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_audit_analyze.alerts.message import Message
    from openai_audit_analyze.alerts.outbox import Claim, Outbox
    from openai_audit_analyze.alerts.settings import Receiver

_TOO_LATE = (
    "it did not answer before the run's time was over: see whether it is slow, or allow"
    " more with ALERTS_TIMEOUT_SECONDS"
)


@dataclass
class Outcome:
    """How a run ended for one receiver.

    Attributes:
        sent: How many findings it got.
        unsent: How many it lacks, also those that another run sends now.
        error: Why the last message that failed did so. None: none failed.
    """

    sent: int = 0
    unsent: int = 0
    error: str | None = None


@dataclass
class Run:
    """One run. One thread uses the database, and one more sends each message.

    Attributes:
        outbox: What is to be sent, and what is known to be sent.
        deliver: Sends a message to a URL, and returns why that failed.
        deadline: When the run stops waiting, by the monotonic clock.
    """

    outbox: Outbox
    deliver: Callable[[str, Message], str | None]
    deadline: float
    _under_way: dict[str, Claim] = field(default_factory=dict)
    _results: SimpleQueue[tuple[Claim, str | None]] = field(default_factory=SimpleQueue)
    _outcomes: dict[str, Outcome] = field(default_factory=dict)
    _sizes: dict[str, BatchSize] = field(default_factory=dict)

    def send(self, receivers: Sequence[Receiver]) -> dict[str, Outcome]:
        """Send each receiver what it lacks, and return how that ended, by its name.

        What could not be sent is released for the next run.

        Raises:
            WarehouseFailed: The database cannot be reached, or refuses.
        """
        for receiver in receivers:
            self._outcomes[receiver.name] = Outcome()
            self._sizes[receiver.name] = BatchSize()
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
            self._outcomes[receiver.name].unsent = self.outbox.unsent(receiver)
        return self._outcomes

    def _start(self, receiver: Receiver) -> None:
        """Begin to send the next message to a receiver, if there is one."""
        size = self._sizes[receiver.name]
        claim = self.outbox.claim(receiver, size.at_most, size.refused)
        if claim is not None:
            self._under_way[receiver.name] = claim
            # The process ends without waiting for it, however long a receiver takes.
            Thread(target=self._send, args=(claim,), daemon=True).start()

    def _send(self, claim: Claim) -> None:
        try:
            error = self.deliver(claim.receiver.url, message(claim))
        except Exception as problem:  # noqa: BLE001 - one row must not stop the others
            error = f"its message could not be written: {type(problem).__name__}"
        self._results.put((claim, error))

    def _end(self, claim: Claim, error: str | None) -> bool:
        """Note how sending ended, and return whether to send to the receiver again."""
        del self._under_way[claim.receiver.name]
        outcome = self._outcomes[claim.receiver.name]
        size = self._sizes[claim.receiver.name]
        if error is None:
            self.outbox.sent(claim)
            outcome.sent += len(claim.findings)
            size.accepted()
            return True
        self.outbox.failed(claim, error)
        outcome.error = error
        return size.failed(claim)
