"""How much a message tells a receiver at once: less after each that it did not take.

A receiver may refuse a message for one sentence in it, such as one that looks like an
attack to a firewall, and the sentence may have been made to that end. So what was
refused is told again in smaller messages, until that sentence stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai_audit_analyze.alerts.outbox import Claim


@dataclass
class Pace:
    """How a run gets on with one receiver.

    Attributes:
        at_most: How many findings the next message may tell of. None: of all.
        refused: Ids of findings that were not taken even alone: not tried again now.
    """

    at_most: int | None = None
    refused: set[str] = field(default_factory=set)
    _failures: int = 0

    def taken(self) -> None:
        """Take in that a message was taken: the next may tell of more."""
        self._failures = 0
        if self.at_most is not None:
            self.at_most *= 2

    def failed(self, claim: Claim) -> bool:
        """Take in that a message was not taken, and return whether to send another.

        Halving gets from all findings to one in log2 steps. If the one is not taken
        either, nor another, the receiver is down: it gets all at once when it is back.
        """
        self._failures += 1
        told = len(claim.findings)
        if told == 1:
            self.refused.add(claim.findings[0].finding_id)
        self.at_most = max(1, told // 2)
        return told > 0 and self._failures <= (told + claim.left).bit_length()
