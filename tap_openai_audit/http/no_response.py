"""What went wrong below HTTP, where there is no response.

The libraries wrap an error several times, and the text of the outermost holds the URL
and the proxy. So the cause is looked for in all of them, and only what is harmless is
repeated: the name of a host, the verdict on a certificate, the system's own words.
"""

from __future__ import annotations

import re
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, TypeVar

import requests
from urllib3.exceptions import (
    LocationValueError,
    NameResolutionError,
    ProxySchemeUnknown,
)

from tap_openai_audit.errors import NoResponse
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

_E = TypeVar("_E", bound=BaseException)

_PROXY_SETTINGS = (
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidSchema,
    ProxySchemeUnknown,
)
_URL = (requests.exceptions.InvalidURL, LocationValueError, UnicodeError)
_SETTLED = re.compile(
    r"WRONG_VERSION|HTTP_REQUEST|HANDSHAKE_FAILURE|PROTOCOL|CERT|_CA$"
)
"""Reasons of OpenSSL that the next try would meet again."""


def no_response(
    error: Exception, *, host: str, timeout: float, proxied: bool, key: str
) -> NoResponse:
    """Tell why a request was not answered.

    Args:
        error: What the request raised.
        host: The API's host, for the message.
        timeout: How long the request might have taken, in seconds.
        proxied: Whether it went through a proxy.
        key: The key that was sent, which no message may hold a part of.
    """
    chain = list(_chain(error))
    if proxied and (found := _of_proxy(chain, host, key)):
        return found
    if found := _of_tls(chain, host, key) or _of_name(chain, host):
        return found
    if any(isinstance(item, requests.Timeout | TimeoutError) for item in chain):
        what = f"No answer from {host} within {timeout} s"
        return NoResponse(what, Cause.TIMEOUT, retriable=True)
    what = f"The connection to {host} failed ({redacted(_reason(chain), key)})"
    return NoResponse(what, Cause.UNREACHABLE, retriable=True)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps or was raised from, outermost first."""
    pending: list[object] = [error]
    known: set[int] = set()
    while pending:
        item = pending.pop(0)
        if isinstance(item, BaseException) and id(item) not in known:
            known.add(id(item))
            yield item
            pending += [*item.args, item.__cause__, item.__context__]
            pending.append(getattr(item, "reason", None))


def _first(chain: list[BaseException], kind: type[_E]) -> _E | None:
    return next((item for item in chain if isinstance(item, kind)), None)


def _of_proxy(chain: list[BaseException], host: str, key: str) -> NoResponse | None:
    unusable = any(isinstance(item, _PROXY_SETTINGS) for item in chain)
    # The libraries do not say whose name is wrong: if not the API's, then the proxy's.
    misnamed = any(isinstance(item, _URL) for item in chain) and _can_be_a_host(host)
    if unusable or misnamed:
        return NoResponse("The proxy's URL cannot be used", Cause.PROXY)
    for item in chain:
        # The proxy's own words are not repeated: anything may be in them.
        if refused := re.match(r"Tunnel connection failed: (\d{3})\b", str(item)):
            status = refused[1]
            what = f"The proxy refused to connect to the API (HTTP {status})"
            return NoResponse(what, Cause.PROXY, retriable=status[0] == "5")
    if not _first(chain, requests.exceptions.ProxyError):
        return None
    if _first(chain, NameResolutionError):
        what = "The host of the proxy is unknown"
    else:
        what = f"The connection to the proxy failed ({redacted(_reason(chain), key)})"
    return NoResponse(what, Cause.PROXY, retriable=True)


def _can_be_a_host(name: str) -> bool:
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False


def _of_tls(chain: list[BaseException], host: str, key: str) -> NoResponse | None:
    if any("TLS CA certificate bundle" in str(item) for item in chain):
        what = "The file with certificate authorities is missing"
        return NoResponse(what, Cause.AUTHORITIES_FILE)
    if untrusted := _first(chain, ssl.SSLCertVerificationError):
        verdict = redacted(_verdict(untrusted), key)
        what = f"The certificate of {host} was refused ({verdict})"
        return NoResponse(what, Cause.TLS)
    # TLS ends with a close_notify. Without one the connection broke, and the next may
    # not: that is no fault of TLS.
    broken = _first(chain, ssl.SSLEOFError) or _first(chain, ssl.SSLZeroReturnError)
    failed = _first(chain, ssl.SSLError)
    if failed is None or broken:
        return None
    reason = failed.reason or "UNKNOWN_REASON"
    if reason == "NO_CERTIFICATE_OR_CRL_FOUND":
        what = "The file with certificate authorities holds none"
        return NoResponse(what, Cause.AUTHORITIES_FILE)
    what = f"No TLS connection to {host} ({_words(reason)})"
    settled = _SETTLED.search(reason) is not None
    return NoResponse(what, Cause.TLS_HANDSHAKE, retriable=not settled)


def _of_name(chain: list[BaseException], host: str) -> NoResponse | None:
    if _first(chain, NameResolutionError):
        what = f"The host {host} is unknown"
        return NoResponse(what, Cause.UNKNOWN_HOST, retriable=True)
    if any(isinstance(item, _URL) for item in chain):
        what = f"{host} cannot be the name of a host"
        return NoResponse(what, Cause.UNKNOWN_HOST)
    return None


def _reason(chain: list[BaseException]) -> str:
    """The innermost cause in a few words."""
    if untrusted := _first(chain, ssl.SSLCertVerificationError):
        return f"its certificate was refused, {_verdict(untrusted)}"
    for item in reversed(chain):
        if isinstance(item, ssl.SSLError) and item.reason:
            return _words(item.reason)
        if isinstance(item, OSError) and item.strerror:
            return item.strerror.lower()
    for item in reversed(chain):
        if isinstance(item, HTTPException | OSError):
            return _words(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(item).__name__))
    return "broken off"


def _verdict(error: ssl.SSLCertVerificationError) -> str:
    return error.verify_message.rstrip(".")


def _words(name: str) -> str:
    return name.lower().replace("_", " ")
