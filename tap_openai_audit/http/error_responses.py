"""What a response means that does not bring what was asked for.

The API says `{"error": {"message", "type", "param", "code"}}` or `{"error": "a text"}`,
and a proxy in between an HTML page. Texts of the API are known from its documents and
from what users report of them. None of them may carry a part of a key into a log.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_openai_audit.errors import BadResponse, ErrorResponse
from tap_openai_audit.http.causes import Api, Cause
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

_RETRIED = frozenset({408, 409, 421, 425, 429, 499})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_FIRST_ERROR, _FIRST_SERVER_ERROR, _NO_STATUS = 400, 500, 600
_ADMIN_KEY = "sk-admin-"
_PLATFORM_KEYS = (_ADMIN_KEY, "sk-proj-", "sk-svcacct-", "sk-None-")
"""How keys of the API platform begin. How those of a workspace do is not documented."""

_LONGEST_HOST = 100
"""Characters of the host that a redirect leads to: enough to recognize a portal."""

_BY_STATUS = {
    401: Cause.WRONG_KEY,
    402: Cause.ACCOUNT,
    403: Cause.NOT_ALLOWED,
    404: Cause.NOT_FOUND,
    405: Cause.NOT_FOUND,
    406: Cause.BLOCKED,  # said by firewalls; nothing is asked for that an API may lack
    407: Cause.PROXY,
    408: Cause.TIMEOUT,
    409: Cause.SERVER_ERROR,
    410: Cause.NOT_FOUND,
    413: Cause.TOO_LONG,
    414: Cause.TOO_LONG,
    421: Cause.NOT_THE_API,
    425: Cause.SERVER_ERROR,
    429: Cause.RATE_LIMIT,
    431: Cause.TOO_LONG,
    451: Cause.NOT_FROM_HERE,
    499: Cause.TIMEOUT,  # nginx: the client, here a proxy in between, went away
    504: Cause.TIMEOUT,
    511: Cause.BLOCKED,
}
_BY_STATUS |= dict.fromkeys(_REDIRECTS, Cause.REDIRECT)
_BY_CLASS = {4: Cause.BAD_REQUEST, 5: Cause.SERVER_ERROR}
_SAID_BY_A_PAGE = {
    Cause.WRONG_KEY: Cause.BLOCKED,
    Cause.NOT_ALLOWED: Cause.BLOCKED,
    Cause.NOT_FROM_HERE: Cause.BLOCKED,
    Cause.ACCOUNT: Cause.BLOCKED,
    Cause.BAD_REQUEST: Cause.BLOCKED,
    Cause.NOT_FOUND: Cause.NOT_THE_API,
}
"""What a status means that comes with an HTML page: the API itself sends none."""

_OF_ANOTHER_KIND: Mapping[Api, frozenset[Cause]] = {
    # The API names a missing permission to a project key too, which cannot get it.
    Api.ORGANIZATION: frozenset({Cause.MISSING_SCOPE, Cause.NOT_ALLOWED}),
    Api.WORKSPACE: frozenset({Cause.WRONG_KEY, Cause.MISSING_SCOPE, Cause.NOT_ALLOWED}),
}
"""What an API may say of a key that is of another kind than it takes."""

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


def error_response(  # noqa: PLR0913 - what a response is made of, and who asked
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    key: str = "",
    api: Api = Api.ORGANIZATION,
) -> ErrorResponse | BadResponse:
    """Tell what is wrong with a response.

    Args:
        status: The HTTP status, which is not 200.
        headers: The response headers; names in any case.
        body: What came as the error, or its beginning.
        now: The current time, in Unix seconds, for a `Retry-After` that is a date.
        key: The key that was sent. It tells what kind of key was refused.
        api: Which API was asked.
    """
    said = _Said.of(body)
    html = body.lstrip()[:1] == b"<"
    cause = _cause(status, said, html=html)
    if cause in _OF_ANOTHER_KIND[api] and _is_of_another_kind(key, api):
        cause = Cause.PROJECT_KEY
    what = f"HTTP {status}"
    if cause is Cause.REDIRECT:
        target = redacted(_target(headers), key, longest=_LONGEST_HOST)
        what += f" redirects to {target}"
    elif status == _NOT_MODIFIED:
        what += " (not modified), which nothing asked for"
    elif said.message:
        what += f" ({redacted(said.message, key)})"
    elif html:
        what += " with an HTML page"
    should_retry = headers.get("x-should-retry", "").lower()
    retried = status in _RETRIED or status >= _FIRST_SERVER_ERROR
    retried = retried and cause is not Cause.ACCOUNT
    # The official clients obey this header in both directions.
    retriable = should_retry == "true" or (retried and should_retry != "false")
    retry_after = _retry_after(headers, now)
    request_id = redacted(headers.get("x-request-id", ""), key) or None
    if not _FIRST_ERROR <= status < _NO_STATUS:
        return BadResponse(
            what,
            cause,
            retriable=retriable,
            retry_after=retry_after,
            request_id=request_id,
        )
    return ErrorResponse(
        what,
        cause,
        retriable=retriable,
        retry_after=retry_after,
        request_id=request_id,
        status=status,
        from_api=said.from_api,
        param=None if said.param is None else redacted(said.param, key),
    )


def error_in_list(error: object, *, key: str, request_id: str | None) -> BadResponse:
    """Tell what is wrong with a response that has an error, and status 200.

    The status does not say whether asking again can help, so that is taken from what
    the error says. One that says nothing known is like a status 500.

    Args:
        error: What the API gives as `error`.
        key: The key that was sent, which no message may hold a part of.
        request_id: That of the response.
    """
    said = _Said.of_error(error)
    cause = _cause_in(said, _TEXTS) or Cause.SERVER_ERROR
    what = "HTTP 200 with an error"
    if said.message:
        what += f" ({redacted(said.message, key)})"
    return BadResponse(
        what, cause, retriable=cause is Cause.SERVER_ERROR, request_id=request_id
    )


def _is_of_another_kind(key: str, api: Api) -> bool:
    if api is Api.WORKSPACE:
        return key.startswith(_PLATFORM_KEYS)
    return bool(key) and not key.startswith(_ADMIN_KEY)


@dataclass(frozen=True)
class _Said:
    """What an error of the API says. Empty if the body is no error of the API."""

    message: str = ""
    code: str = ""
    param: str | None = None
    from_api: bool = False

    @classmethod
    def of(cls, body: bytes) -> _Said:
        try:
            return cls.of_error(json.loads(body)["error"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return cls()

    @classmethod
    def of_error(cls, error: Any) -> _Said:  # noqa: ANN401 - JSON may be anything
        if isinstance(error, str):
            return cls(error, from_api=bool(error))
        if not isinstance(error, dict):
            return cls()
        codes = (_text(error.get(name)) for name in ("code", "type"))
        code = " ".join(filter(None, codes))
        message, param = _text(error.get("message")), error.get("param")
        return cls(
            message or code,
            code,
            param if isinstance(param, str) else None,
            from_api=bool(error),
        )


def _text(value: Any) -> str:  # noqa: ANN401 - JSON may be anything
    """A text, or a number as one. What is nested may be so without end."""
    return str(value) if isinstance(value, str | int | float) else ""


def _cause(status: int, said: _Said, *, html: bool) -> Cause:
    cause = _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, Cause.BAD_BODY)
    if html:
        return _SAID_BY_A_PAGE.get(cause, cause)
    said_with = {
        named: pattern
        for named, pattern in _TEXTS.items()
        if status in _STATUSES.get(named, _KEY)
    }
    return _cause_in(said, said_with) or cause


def _cause_in(said: _Said, texts: Mapping[Cause, str]) -> Cause | None:
    """Return the first cause whose text fits what the API says."""
    text = f"{said.code} {said.message}".lower()
    return next((named for named, p in texts.items() if re.search(p, text)), None)


def _target(headers: Mapping[str, str]) -> str:
    """Where a redirect leads to: the host and nothing else, which may be secret."""
    location = headers.get("Location", "").strip()
    if not location:
        return "an address that is missing"
    try:
        url = urlsplit(location)
        host = url.netloc.rpartition("@")[2]
        _ = url.port  # raises as well
    except ValueError:
        return "an address that cannot be read"
    if not url.scheme and not url.netloc:
        return "another path of the same host"
    if url.scheme in ("", "http", "https") and re.fullmatch(r"[\w.:\[\]-]+", host):
        return host
    return "an address that cannot be read"


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
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
