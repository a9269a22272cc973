"""What came back over HTTP, with status 200."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Response(Generic[_T]):
    """A response that brings what was asked for."""

    content: _T
    """The body, or what was read out of it."""
    request_id: str | None = None
    """What OpenAI's support asks for."""
    date: int | None = None
    """The API's clock as its `Date` tells it, in Unix seconds."""
    served_at: int = 0
    """What that clock showed when the request was made, rather earlier than later."""
    retries: int = 0
    """How many times the request was repeated before it succeeded."""
