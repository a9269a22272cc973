"""Where requests go, and with which key: all that tells one API from another.

A key goes to the host of its own endpoint, and to no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_openai_audit.http.causes import Api


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that are this machine. No network is between it and itself, so that requests to
it need not be encrypted."""


@dataclass(frozen=True)
class Endpoint:
    """An API, and what an operator sets for requests to it."""

    api: Api
    url: str
    """Without a slash at its end."""
    key: str = field(repr=False)
    user_agent: str
    timeout_seconds: int
    """How long one request may take."""
    max_retry_seconds: int
    """How long one request is tried again, or the API may refuse all."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What each request says besides."""
