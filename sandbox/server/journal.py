"""What was asked of the API."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

_MOST = 10_000  # entries of some 200 bytes: a benchmark makes more requests


@dataclass
class Entry:
    """One request.

    Attributes:
        host: `organization`, `workspace` or `files`.
        key: Which key it carries: `admin`, `workspace`, `other`, or None; never itself.
        path: What is asked for.
        query: The parameters; those of a signed URL too, so that a test can look for
            them where they must not be.
        at: When it came, Unix seconds by this machine's clock.
        status: None until it is answered, 0 when it never is.
    """

    host: str
    key: str | None
    path: str
    query: str
    at: float
    status: int | None = None


@dataclass
class Journal:
    """Counts all requests and remembers the last 10,000.

    Attributes:
        leaks: How many requests brought a key to the host of the files, where none may
            arrive.
        count: How many requests there were.
    """

    leaks: int = 0
    count: int = 0
    _entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_MOST))

    def note(self, host: str, key: str | None, path: str, query: str) -> Entry:
        """Write down a request, see `Entry`."""
        entry = Entry(host, key, path, query, time.time())
        self.count += 1
        self.leaks += host == "files" and key is not None
        self._entries.append(entry)
        return entry

    def as_dict(self) -> dict[str, Any]:
        """Return everything written down."""
        log = [asdict(entry) for entry in self._entries]
        return {"count": self.count, "leaks": self.leaks, "log": log}
