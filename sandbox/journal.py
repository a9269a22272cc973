"""What was asked of the API."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

_MOST = 10_000


@dataclass
class Request:
    """One request; the status is None until it is answered, 0 when it never is."""

    path: str
    query: str
    at: float
    status: int | None = None


@dataclass
class Journal:
    """Counts all requests and remembers the last 10,000."""

    count: int = 0
    _by_path: Counter[str] = field(default_factory=Counter)
    _log: deque[Request] = field(default_factory=lambda: deque(maxlen=_MOST))

    def note(self, path: str, query: str) -> Request:
        """Write down a request."""
        request = Request(path, query, time.time())
        self.count += 1
        self._by_path[path] += 1
        self._log.append(request)
        return request

    def as_dict(self) -> dict[str, Any]:
        """Return everything written down."""
        log = [asdict(request) for request in self._log]
        return {"count": self.count, "by_path": dict(self._by_path), "log": log}
