"""What it means when the API does not answer as it should, and what to do.

Every way in which a request can fail has one cause here, with one text. A sync that
fails and the diagnosis use the same words.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING

from tap_openai_audit.settings import KEYS_PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPE = "api.audit_logs.read"

_RETRIED = frozenset({408, 409, 425, 429})
_LONGEST_DETAIL = 300


class Cause(str, Enum):
    """Why a request failed."""

    WRONG_KEY = "wrong_key"
    PROJECT_KEY = "project_key"
    EXPIRED_KEY = "expired_key"
    MISSING_SCOPE = "missing_scope"
    WRONG_ORGANIZATION = "wrong_organization"
    NOT_ALLOWED = "not_allowed"
    BAD_REQUEST = "bad_request"
    NOT_FOUND = "not_found"
    REDIRECT = "redirect"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    BAD_BODY = "bad_body"
    TIMEOUT = "timeout"
    UNKNOWN_HOST = "unknown_host"
    PROXY = "proxy"
    TLS = "tls"
    UNREACHABLE = "unreachable"


MEANING: Mapping[Cause, str] = {
    Cause.WRONG_KEY: (
        "the admin key is wrong or was revoked: check admin_key, or have an"
        f" organization owner make a new one at {KEYS_PAGE}"
    ),
    Cause.PROJECT_KEY: (
        "the key is a project key, which cannot administer: an organization owner makes"
        f" an admin key at {KEYS_PAGE}"
    ),
    Cause.EXPIRED_KEY: (
        "the admin key has expired: an organization owner makes a new one at"
        f" {KEYS_PAGE}"
    ),
    Cause.MISSING_SCOPE: (
        f"the admin key lacks a permission: give it 'Audit Logs: Read' ({SCOPE}) and,"
        f" for reference streams, read access to their objects, at {KEYS_PAGE}"
    ),
    Cause.WRONG_ORGANIZATION: (
        "the admin key belongs to another organization: set organization_id to the"
        " organization of the key, or use a key of this organization"
    ),
    Cause.NOT_ALLOWED: (
        "the admin key may not do this: check that an organization owner made it, and"
        f" that it has 'Audit Logs: Read' ({SCOPE}) at {KEYS_PAGE}"
    ),
    Cause.BAD_REQUEST: (
        "the API does not accept the request: check the filters in the settings"
    ),
    Cause.NOT_FOUND: (
        "the API does not know this address: check api_url, which ends in /v1"
    ),
    Cause.REDIRECT: (
        "a redirect was refused, because it would send the admin key elsewhere: check"
        " api_url, and any proxy or captive portal in between"
    ),
    Cause.RATE_LIMIT: (
        "the API limits the rate of requests: lower concurrency, or run less often"
    ),
    Cause.SERVER_ERROR: "the API has a fault: run again later, the sync resumes",
    Cause.BAD_BODY: (
        "what came back is not what the API sends: check api_url, and any proxy in"
        " between; if neither is at fault run again later, the sync resumes"
    ),
    Cause.TIMEOUT: (
        "the API did not answer in time: run again later, the sync resumes; on a slow"
        " network raise request_timeout_seconds"
    ),
    Cause.UNKNOWN_HOST: (
        "the name of the API's host cannot be resolved: check api_url and the DNS of"
        " this machine"
    ),
    Cause.PROXY: (
        "the proxy could not be used: check HTTPS_PROXY and NO_PROXY, and that the"
        " proxy lets the API's host through"
    ),
    Cause.TLS: (
        "the API's certificate could not be verified: if a proxy inspects TLS, set"
        " REQUESTS_CA_BUNDLE to a file with its certificate authority"
    ),
    Cause.UNREACHABLE: (
        "the connection to the API failed: check api_url, the network and the firewall;"
        " when it was a passing fault run again, the sync resumes"
    ),
}


@dataclass
class Refusal(Exception):  # noqa: N818 - it is named for what happened
    """A request that did not bring what was asked for."""

    cause: Cause
    what: str
    """What happened, in a few words, without anything secret."""
    retried: bool = False
    """Whether asking again can help."""
    wait: float | None = None
    """How many seconds the API asks to wait."""
    status: int | None = None
    param: str | None = None
    """The parameter that the API objects to."""
    request_id: str | None = None
    """What OpenAI's support asks for."""

    def __str__(self) -> str:
        """What happened, what it means, what to do, in one line."""
        identity = f", request id {self.request_id}" if self.request_id else ""
        return f"{self.what}{identity}: {MEANING[self.cause]}"


def of_response(
    status: int, headers: Mapping[str, str], body: bytes, *, now: float
) -> Refusal:
    """Read a refusal out of a response.

    Args:
        status: The HTTP status, which is not 200.
        headers: The response headers.
        body: What came as the error.
        now: The current time, in Unix seconds, for a `Retry-After` that is a date.
    """
    detail, code, param = _error(body)
    cause = _cause(status, f"{code} {detail}".lower())
    what = f"HTTP {status}"
    if cause is Cause.REDIRECT:
        what += f" redirects to {_host(headers.get('Location', ''))}"
    elif detail:
        what += f" ({masked(detail)})"
    should_retry = headers.get("x-should-retry", "").lower()
    retried = status in _RETRIED or status >= 500  # noqa: PLR2004 - a class of status
    return Refusal(
        cause,
        what,
        # The official clients obey this header in both directions.
        retried=should_retry == "true" or (retried and should_retry != "false"),
        wait=_wait(headers, now),
        status=status,
        param=param,
        request_id=headers.get("x-request-id"),
    )


def masked(text: str) -> str:
    """A server's text in one line, without anything that could be part of a key."""
    text = re.sub(r"\S*sk-\S+|\S*\*{2,}\S*", "[key]", text)
    text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_DETAIL else text[:_LONGEST_DETAIL] + "..."


def _error(body: bytes) -> tuple[str, str, str | None]:
    """Message, code and parameter of `{"error": {...}}` or `{"error": "..."}`."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", "", None
    if isinstance(error, str):
        return error, "", None
    if not isinstance(error, dict):
        return "", "", None
    code = f"{error.get('code') or ''} {error.get('type') or ''}"
    param = error.get("param")
    return (
        str(error.get("message") or code),
        code,
        param if isinstance(param, str) else None,
    )


def _cause(status: int, text: str) -> Cause:  # noqa: PLR0911 - a table in code
    if 300 <= status < 400:  # noqa: PLR2004 - a class of status
        return Cause.REDIRECT
    if status in {401, 403}:
        if "missing scope" in text or "insufficient permission" in text:
            return Cause.MISSING_SCOPE
        if "mismatched_organization" in text or "organization" in text:
            return Cause.WRONG_ORGANIZATION
        if "expired" in text:
            return Cause.EXPIRED_KEY
        return Cause.WRONG_KEY if status == 401 else Cause.NOT_ALLOWED  # noqa: PLR2004
    if status == 404:  # noqa: PLR2004
        return Cause.NOT_FOUND
    if status == 429:  # noqa: PLR2004
        return Cause.RATE_LIMIT
    if status == 407:  # noqa: PLR2004
        return Cause.PROXY
    if status in {408, 504}:
        return Cause.TIMEOUT
    return Cause.BAD_REQUEST if status < 500 else Cause.SERVER_ERROR  # noqa: PLR2004


def _host(location: str) -> str:
    match = re.match(
        r"(?:[a-z]+:)?//(?:[^/@]*@)?([\w.:\[\]-]+)", location, re.IGNORECASE
    )
    return match[1] if match else "another path of the same host"


def _wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds to wait, from `retry-after-ms` or either form of `Retry-After`."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            wait = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if 0 <= wait < float("inf"):
            return wait
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - now)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return None
