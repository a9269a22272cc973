"""What was asked of the API."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

_MOST = 10_000  # entries of some 200 bytes: a benchmark makes more requests


@dataclass
class Entry:
    """One request; the status is None until it is answered, 0 when it never is."""

    path: str
    query: str
    at: float
    status: int | None = None


@dataclass
class Journal:
    """Counts all requests and remembers the last 10,000."""

    count: int = 0
    _entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_MOST))

    def note(self, path: str, query: str) -> Entry:
        """Write down a request."""
        entry = Entry(path, query, time.time())
        self.count += 1
        self._entries.append(entry)
        return entry

    def as_dict(self) -> dict[str, Any]:
        """Return everything written down."""
        return {"count": self.count, "log": [asdict(entry) for entry in self._entries]}
