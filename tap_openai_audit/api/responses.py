"""What a response means that does not bring what was asked for.

The API says `{"error": {"message", "type", "param", "code"}}` or `{"error": "a text"}`,
and a proxy in between an HTML page. Texts of the API are known from its documents and
from what users report of them. None of them may carry a part of a key into a log.
"""

from __future__ import annotations

import json
import re
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tap_openai_audit.api.refusals import Cause, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

_RETRIED = frozenset({408, 409, 425, 429})
_LONGEST_DETAIL = 300
_LONGEST_ID = 100
_FRAGMENT = 6
_ADMIN_KEY = "sk-admin-"

_SHORTENED = re.compile(
    r"\bsk-\S+|\S*\*{2,}\S*|\S+(?:\N{HORIZONTAL ELLIPSIS}|\.{3})\S+"
)

_BY_STATUS = {
    401: Cause.WRONG_KEY,
    403: Cause.NOT_ALLOWED,
    404: Cause.NOT_FOUND,
    407: Cause.PROXY,
    408: Cause.TIMEOUT,
    409: Cause.SERVER_ERROR,
    425: Cause.SERVER_ERROR,
    429: Cause.RATE_LIMIT,
    504: Cause.TIMEOUT,
    511: Cause.BLOCKED,
}
_BY_CLASS = {
    2: Cause.BAD_BODY,
    3: Cause.REDIRECT,
    4: Cause.BAD_REQUEST,
    5: Cause.SERVER_ERROR,
}
_OF_PROJECT_KEYS = frozenset({Cause.MISSING_SCOPE, Cause.NOT_ALLOWED})
_TEXTS: Mapping[Cause, str] = {
    Cause.MISSING_SCOPE: r"missing scope|insufficient permission",
    Cause.WRONG_ORGANIZATION: (
        r"mismatched_organization|invalid_organization|no such organization"
        r"|openai-organization header|member of an organization"
    ),
    Cause.NOT_FROM_HERE: (
        r"ip_not_authorized|ip (address )?(is )?not authorized"
        r"|unsupported_country|country, region"
    ),
    Cause.EXPIRED_KEY: r"\bexpired|_expired",
    Cause.ACCOUNT: (
        r"insufficient_quota|exceeded your current quota|billing_|billing details"
        r"|account_deactivated|account (is|has been) (not active|deactivated)"
    ),
    Cause.LOGGING_OFF: (
        r"audit log(s|ging)? (is|are|has|have)( been)?"
        r" (not (been |yet )?(enabled|activated)|disabled|(switched|turned) off)"
    ),
}
"""What the API's code or message says, by cause. The first that fits is taken."""

_KEY = frozenset({401, 403})
_STATUSES: Mapping[Cause, frozenset[int]] = {
    Cause.ACCOUNT: _KEY | {402, 429},
    Cause.LOGGING_OFF: _KEY | {400, 404},
}
"""With which status that is said, if not with those that refuse a key."""


def of_response(
    status: int, headers: Mapping[str, str], body: bytes, *, now: float, key: str = ""
) -> Refusal:
    """Read a refusal out of a response.

    Args:
        status: The HTTP status, which is not 200.
        headers: The response headers; names in any case.
        body: What came as the error.
        now: The current time, in Unix seconds, for a `Retry-After` that is a date.
        key: The key that was sent. It tells what kind of key was refused.
    """
    detail, code, param = _error(body)
    html = body.lstrip()[:1] == b"<"
    cause = _cause(status, f"{code} {detail}".lower(), html=html)
    # The API names a missing permission to a project key too, which cannot get it.
    if cause in _OF_PROJECT_KEYS and key and not key.startswith(_ADMIN_KEY):
        cause = Cause.PROJECT_KEY
    what = f"HTTP {status}"
    if cause is Cause.REDIRECT:
        what += f" redirects to {_host(headers.get('Location', ''))}"
    elif detail:
        what += f" ({masked(detail, key)})"
    elif html:
        what += " with an HTML page"
    should_retry = headers.get("x-should-retry", "").lower()
    retried = cause is not Cause.ACCOUNT and (status in _RETRIED or status >= 500)  # noqa: PLR2004 - a class of status
    return Refusal(
        cause,
        what,
        # The official clients obey this header in both directions.
        retried=should_retry == "true" or (retried and should_retry != "false"),
        wait=_wait(headers, now),
        status=status,
        param=param,
        request_id=masked(headers.get("x-request-id", ""), key)[:_LONGEST_ID] or None,
    )


def masked(text: str, key: str = "") -> str:
    """A server's text in one line, without anything that could be part of a key.

    The API repeats both ends of a key that it refuses, and all of a short one.
    """
    text = "".join(c if c.isprintable() else " " for c in text)
    text = re.sub(r"(?i)(api key provided:)\s*\S+", r"\1 [key]", text)
    text = _SHORTENED.sub("[key]", text)
    own = key.removeprefix(_ADMIN_KEY)
    size = min(_FRAGMENT, len(own))
    fragments = {own[at : at + size] for at in range(len(own) - size + 1)} - {""}
    text = " ".join(
        "[key]" if any(fragment in word for fragment in fragments) else word
        for word in text.split()
    )
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
    code = " ".join(str(error[name]) for name in ("code", "type") if error.get(name))
    param = error.get("param")
    return (
        str(error.get("message") or code),
        code,
        param if isinstance(param, str) else None,
    )


def _cause(status: int, text: str, *, html: bool) -> Cause:
    if html and status in _KEY:
        return Cause.BLOCKED
    for cause, pattern in _TEXTS.items():
        if status in _STATUSES.get(cause, _KEY) and re.search(pattern, text):
            return cause
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, Cause.BAD_BODY)


def _host(location: str) -> str:
    match = re.match(
        r"(?:[a-z]+:)?//(?:[^/@]*@)?([\w.:\[\]-]+)", location, re.IGNORECASE
    )
    return match[1] if match else "another path of the same host"


def _wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds to wait, from `retry-after-ms` or either form of `Retry-After`.

    None if there are none: a server that asks to come back at once, or in the past,
    does not know either.
    """
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            wait = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if 0 < wait < float("inf"):
            return wait
    at = moment(headers.get("retry-after"))
    # Both dates are the server's: its clock may not be this machine's.
    served_at = moment(headers.get("date"))
    wait = 0.0 if at is None else at - (now if served_at is None else served_at)
    return wait if wait > 0 else None


def moment(date: str | None) -> float | None:
    """Unix seconds of a date as HTTP writes it, None if it is none."""
    try:
        at = parsedate_to_datetime(date or "")
        # A date without a zone would be taken for the local time.
        return at.replace(tzinfo=at.tzinfo or timezone.utc).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
