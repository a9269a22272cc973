"""How many findings the next message to a receiver holds: fewer after each failure.

A receiver may refuse a message for one sentence in it, such as one that a firewall
reads as an attack, and a user may have chosen a name to that end. So the findings of a
refused message are sent again in smaller messages, until that sentence stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai_audit_analyze.alerts.outbox import Claim


@dataclass
class BatchSize:
    """The size of the messages that one run sends to one receiver.

    Attributes:
        at_most: The most findings in the next message. None: all.
        refused: Ids of findings that were refused even alone: not tried again in this
            run.
    """

    at_most: int | None = None
    refused: set[str] = field(default_factory=set)
    _failures: int = 0

    def accepted(self) -> None:
        """Note that a message was accepted: the next may hold twice as many."""
        self._failures = 0
        if self.at_most is not None:
            self.at_most *= 2

    def failed(self, claim: Claim) -> bool:
        """Note that a message was not accepted, and return whether to send another.

        Halving gets from all findings to one in log2 steps. If that one is not accepted
        either, nor another, the receiver is down: the next run sends it all at once.
        """
        self._failures += 1
        size = len(claim.findings)
        if size == 1:
            self.refused.add(claim.findings[0].finding_id)
        self.at_most = max(1, size // 2)
        return size > 0 and self._failures <= (size + claim.left).bit_length()
