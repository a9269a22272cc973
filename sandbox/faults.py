"""Which requests go wrong, and how: the plan, not the deed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields
from typing import Any

KINDS = (
    "status",
    "retry_after_date",
    "reset",
    "close",
    "close_mid_body",
    "truncated",
    "html",
    "text",
    "empty",
    "multi_document",
    "hang",
    "drip",
    "drip_headers",
)
BODIES = ("json", "string_error", "html", "empty")


@dataclass(frozen=True)
class Fault:
    """One way for requests to go wrong. Without a condition it hits every request.

    Attributes:
        kind: One of KINDS.
        at: Numbers of the requests it hits; the first since the plan was made is 0.
        every: It hits each n-th request.
        probability: It hits a request with this probability.
        seed: Makes the probability repeatable.
        times: Most requests it hits.
        path: It hits only paths that begin so, ``/v1`` included.
        status: Status of the answer, for `status` and `retry_after_date`.
        headers: Further headers of that answer.
        body: What that answer consists of, one of BODIES.
        seconds: How long to hang, or how far the Retry-After date is away.
        bytes_per_second: How fast to drip.
        parts: Number of documents, for `multi_document`.
    """

    kind: str
    at: tuple[int, ...] | None = None
    every: int | None = None
    probability: float | None = None
    seed: int = 0
    times: int | None = None
    path: str | None = None
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "json"
    seconds: float = 1.0
    bytes_per_second: float = 1000.0
    parts: int = 2


def fault(description: dict[str, Any]) -> Fault:
    """Read a fault.

    Raises:
        ValueError: It has an unknown kind, body or field.
    """
    known = {field.name for field in fields(Fault)}
    unknown = set(description) - known
    if unknown:
        raise ValueError(f"a fault has no {sorted(unknown)}")
    if description.get("kind") not in KINDS:
        raise ValueError(f"no fault is called {description.get('kind')!r}")
    if description.get("body", "json") not in BODIES:
        raise ValueError(f"no body is called {description['body']!r}")
    at = description.get("at")
    found = {**description, "at": None if at is None else tuple(at)}
    if found["kind"] == "retry_after_date":
        found.setdefault("status", 429)
    return Fault(**found)


class FaultPlan:
    """Decides for each request which fault hits it."""

    def __init__(self, faults: list[Fault]) -> None:
        """Start a plan; the next request is number 0."""
        self._faults = faults
        self._random = [random.Random(f.seed) for f in faults]
        self._left = [f.times for f in faults]
        self._number = 0

    def next(self, path: str) -> Fault | None:
        """Return what happens to the next request: the first fault that hits it."""
        number = self._number
        self._number += 1
        for index, planned in enumerate(self._faults):
            if planned.path is not None and not path.startswith(planned.path):
                continue
            left = self._left[index]
            if left == 0 or not self._hits(index, number):
                continue
            if left is not None:
                self._left[index] = left - 1
            return planned
        return None

    def _hits(self, index: int, number: int) -> bool:
        planned = self._faults[index]
        if planned.at is not None and number not in planned.at:
            return False
        if planned.every is not None and (number + 1) % planned.every:
            return False
        if planned.probability is not None:
            return self._random[index].random() < planned.probability
        return True
