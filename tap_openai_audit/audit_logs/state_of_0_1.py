"""The ids in a state of version 0.1.0: six bytes of a BLAKE2 hash each, by second.

They cannot be turned into the hashes of the sketch, so they are kept as they are until
the time that they are of was read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from tap_openai_audit.varints import VarintReader, unzigzag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_openai_audit.audit_logs.events import Event

_HASH_BYTES = 6


@dataclass(frozen=True)
class IdsOf01:
    """Ids that were emitted, by the second of their event."""

    hashes: Mapping[int, frozenset[bytes]]

    def __contains__(self, event: Event) -> bool:
        """Tell whether an event was emitted."""
        hashes = self.hashes.get(event.effective_at)
        if hashes is None:
            return False
        return blake2b(event.id.encode(), digest_size=_HASH_BYTES).digest() in hashes


def ids_of_0_1(text: str) -> IdsOf01:
    """Read ids: of each second the distance to the one before, the count, the hashes.

    Raises:
        ValueError: If the text holds something else.
    """
    data = VarintReader(text)
    hashes: dict[int, frozenset[bytes]] = {}
    second = 0
    while not data.at_end:
        second += unzigzag(data.varint())
        count = data.varint()
        hashes[second] = frozenset(
            data.fixed(_HASH_BYTES).to_bytes(_HASH_BYTES, "big") for _ in range(count)
        )
    return IdsOf01(hashes)
