"""Faults: which requests go wrong, and how."""

from __future__ import annotations

import asyncio
import json
import random
import zlib
from dataclasses import dataclass, field, fields, replace
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sandbox.server.http import Query, Response, error, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.server.connection import Exchange

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
    "error_in_list",
    "other_object",
    "data_object",
    "without",
    "swell",
    "hang",
    "drip",
    "drip_headers",
)
BODIES = ("json", "string_error", "html", "empty", "invalid_cursor")
_DRIPS_PER_SECOND = 20
_GZIP = 31  # zlib's way to ask for gzip with its largest window
_CHUNK = b" " * 1_000_000  # so that no swollen body is ever whole in memory
_INSTEAD = {
    "html": Response(200, b"").with_html(),
    "text": Response(200, b"upstream connect error", content_type="text/plain"),
    "empty": Response(200, b""),
}
_EMPTY = {"object": "list", "data": [], "has_more": False}
_NO_LISTS: dict[str, dict[str, Any]] = {
    "error_in_list": {
        **_EMPTY,
        "error": {
            "message": "The server had an error while processing your request.",
            "type": "server_error",
            "param": None,
            "code": None,
        },
    },
    "other_object": {**_EMPTY, "object": "error"},
    "data_object": {**_EMPTY, "data": {}},
}
"""What is answered, with status 200, where a list is asked for."""


@dataclass(frozen=True)
class Fault:
    """One way for requests to go wrong. Without a condition it hits every request.

    Attributes:
        kind: One of KINDS.
        path: It hits only paths that begin so, ``/v1`` included.
        workspace: It hits only requests to the workspace's API and to the host of its
            files, or only those to the organization's API.
        tenant: It hits only requests with `tenant_only=true`, or only those without.
        with_cursor: It hits only requests with `after`, or only those without.
        at: Numbers of the requests it hits. Counted are those that the four conditions
            above let through, since the plan was made, from 0.
        probability: It hits a request with this probability.
        seed: Makes the probability repeatable.
        times: Most requests it hits.
        status: Status of the answer, for `status` and `retry_after_date`.
        headers: Further headers of that answer.
        body: What that answer consists of, one of BODIES.
        seconds: How long to hang, or how far the Retry-After date is away.
        bytes_per_second: How fast to drip.
        bytes: What the body swells to when it is decompressed, for `swell`.
        parts: Number of documents, for `multi_document`.
        id: What is not listed any more, for `without`.
    """

    kind: str
    path: str | None = None
    workspace: bool | None = None
    tenant: bool | None = None
    with_cursor: bool | None = None
    at: tuple[int, ...] | None = None
    probability: float | None = None
    seed: int = 0
    times: int | None = None
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "json"
    seconds: float = 1.0
    bytes_per_second: float = 1000.0
    bytes: int = 400_000_000
    parts: int = 2
    id: str = ""

    @classmethod
    def of(cls, description: dict[str, Any]) -> Fault:
        """Read a fault.

        Raises:
            ValueError: It has an unknown kind, body or field.
        """
        unknown = set(description) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"a fault has no {sorted(unknown)}")
        if description.get("kind") not in KINDS:
            raise ValueError(f"no fault is called {description.get('kind')!r}")
        if description.get("body", "json") not in BODIES:
            raise ValueError(f"no body is called {description['body']!r}")
        found = dict(description)
        if found.get("at") is not None:
            found["at"] = tuple(found["at"])
        if found["kind"] == "retry_after_date":
            found.setdefault("status", 429)
        return cls(**found)

    def concerns(self, host: str, path: str, query: Query) -> bool:
        """Tell whether a request is of those that this may hit."""
        workspace = host != "organization"
        tenant = query.one("tenant_only") == "true"
        with_cursor = query.one("after") is not None
        return (
            path.startswith(self.path or "")
            and self.workspace in (None, workspace)
            and self.tenant in (None, tenant)
            and self.with_cursor in (None, with_cursor)
        )


class _Planned:
    """A fault, and what it has seen of the requests that it may hit."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        if fault.kind == "swell":
            _white_space(fault.bytes)  # so that no request waits for it
        self._random = random.Random(fault.seed)
        self._left = float("inf") if fault.times is None else fault.times
        self._number = -1

    def hits_next(self) -> bool:
        self._number += 1
        at, probability = self.fault.at, self.fault.probability
        if (
            not self._left
            or (at is not None and self._number not in at)
            or (probability is not None and self._random.random() >= probability)
        ):
            return False
        self._left -= 1
        return True


class Faults:
    """Decides for each request which fault hits it."""

    def __init__(self, *faults: Fault) -> None:
        self._planned = [_Planned(fault) for fault in faults]

    def next(self, host: str, path: str, query: Query) -> Fault | None:
        """Return what happens to the next request: the first fault that hits it."""
        concerned = [p for p in self._planned if p.fault.concerns(host, path, query)]
        return next((p.fault for p in concerned if p.hits_next()), None)


async def suffer(
    fault: Fault, answer: Callable[[], Response], exchange: Exchange
) -> int:
    """Let a fault happen to a request.

    Args:
        fault: What happens.
        answer: Makes what would have been answered.
        exchange: The request.

    Returns:
        The status that was sent, 0 for none.
    """
    if fault.kind == "reset":
        await exchange.reset()
        return 0
    if fault.kind == "close":
        await exchange.close()
        return 0
    if fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
    response = _altered(fault, answer, exchange.now)
    head, body = exchange.head(response), response.body
    if fault.kind == "close_mid_body":
        exchange.write(head + body[: len(body) // 2])
    elif fault.kind == "drip":
        exchange.write(head)
        await _drip(body, fault.bytes_per_second, exchange)
    elif fault.kind == "drip_headers":
        await _drip(head, fault.bytes_per_second, exchange)
        exchange.write(body)
    else:
        await exchange.respond(response)
        return response.status
    await exchange.close()
    return response.status


def _altered(fault: Fault, answer: Callable[[], Response], now: float) -> Response:
    """Return what is answered instead."""
    if fault.kind in _INSTEAD:
        return _INSTEAD[fault.kind]
    if fault.kind == "status":
        return _status(fault)
    if fault.kind == "retry_after_date":
        date = formatdate(now + fault.seconds, usegmt=True)
        return _status(replace(fault, headers={**fault.headers, "retry-after": date}))
    response = answer()
    if fault.kind == "swell":
        return _swollen(response, fault.bytes)
    body = response.body
    if fault.kind == "truncated":
        body = body[: len(body) * 2 // 3]
    elif fault.kind == "multi_document" and response.page is not None:
        body = response.page.split(fault.parts)
    elif fault.kind == "without" and response.page is not None:
        body = response.page.without(fault.id).body()
    elif fault.kind in _NO_LISTS and response.page is not None:
        body = json.dumps(_NO_LISTS[fault.kind]).encode()
    return replace(response, body=body)


def _status(fault: Fault) -> Response:
    phrase = f"The sandbox was told to answer with status {fault.status}."
    kind = "invalid_request_error"
    if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = "rate_limit_exceeded"
    elif fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = "server_error"
    response = error(fault.status, phrase, error_type=kind)
    if fault.body == "string_error":
        response = replace(response, body=json.dumps({"error": phrase}).encode())
    elif fault.body == "invalid_cursor":
        body = invalid("after", "Invalid 'after': it is gone.", "invalid_cursor").body
        response = replace(response, body=body)
    elif fault.body == "html":
        response = response.with_html()
    elif fault.body == "empty":
        response = replace(response, body=b"")
    return replace(response, headers=dict(fault.headers))


def _swollen(response: Response, size: int) -> Response:
    """Put white space of so many bytes before a body, and compress both."""
    compressed, compressor = _white_space(size)
    rest = compressor.copy()
    body = compressed + rest.compress(response.body) + rest.flush()
    return replace(response, body=body, headers={"content-encoding": "gzip"})


@lru_cache(maxsize=1)  # compressing 400 MB takes a second
def _white_space(size: int) -> tuple[bytes, zlib._Compress]:
    compressor = zlib.compressobj(wbits=_GZIP)
    parts = [compressor.compress(_CHUNK) for _ in range(size // len(_CHUNK))]
    return b"".join(parts), compressor


async def _drip(data: bytes, bytes_per_second: float, exchange: Exchange) -> None:
    """Send data bit by bit, until the client is gone."""
    size = max(1, int(bytes_per_second / _DRIPS_PER_SECOND))
    for at in range(0, len(data), size):
        if exchange.ended:
            return
        exchange.write(data[at : at + size])
        await asyncio.sleep(1 / _DRIPS_PER_SECOND)
