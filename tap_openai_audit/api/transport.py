"""One HTTP request.

The key travels in one header to one host: redirects are not followed, and neither
cookies nor a `.netrc` are used. Certificates are always verified. Proxies and private
certificate authorities come from the usual environment variables.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, NameResolutionError

from tap_openai_audit.api.refusals import Cause, Refusal, of_response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_openai_audit.settings import Settings

_CHUNK = 1 << 16
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Reply:
    """An answer with status 200."""

    body: bytes
    request_id: str | None
    served_at: int | None
    """The API's clock, in Unix seconds."""


class Transport:
    """Makes requests. Each thread has connections of its own."""

    def __init__(self, settings: Settings) -> None:
        """Prepare for requests to `settings.api_url`."""
        self._url = settings.api_url
        self._timeout = settings.request_timeout_seconds
        self._headers = {
            "Authorization": f"Bearer {settings.admin_key}",
            "OpenAI-Organization": settings.organization_id,
            "User-Agent": settings.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        self._proxies = get_environ_proxies(self._url)
        self._verify = next(
            (path for name in _CERTIFICATES if (path := os.environ.get(name))), True
        )
        self._local = threading.local()

    def get(self, path: str, params: Sequence[tuple[str, str]]) -> Reply:
        """Make one GET request.

        Args:
            path: The path below the API's URL, with a leading slash.
            params: The query, in order.

        Raises:
            Refusal: If it brings anything but an answer with status 200.
        """
        deadline = time.monotonic() + self._timeout
        try:
            with self._session().get(
                self._url + path,
                params=params,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response, deadline)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # The original is not chained: its text may hold the URL and headers.
            raise _of_exception(error, self._timeout) from None
        if response.status_code != requests.codes.ok:
            raise of_response(
                response.status_code, response.headers, body, now=time.time()
            )
        return Reply(
            body, response.headers.get("x-request-id"), _date(response.headers)
        )

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # Otherwise a .netrc entry for the host would replace the key.
            session.trust_env = False
            session.headers.update(self._headers)
            session.proxies.update(self._proxies)
            session.verify = self._verify
            adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session = session
        return session

    @staticmethod
    def _read(response: requests.Response, deadline: float) -> bytes:
        """Read the body. A server that drips may not hold the worker for ever."""
        chunks = []
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise requests.Timeout
        return b"".join(chunks)


def _date(headers: Mapping[str, str]) -> int | None:
    try:
        return int(parsedate_to_datetime(headers["Date"]).timestamp())
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _of_exception(error: Exception, timeout: int) -> Refusal:
    """Read a refusal out of what went wrong below HTTP."""
    chain: list[BaseException] = []
    pending: list[object] = [error]
    while pending:
        item = pending.pop()
        if isinstance(item, BaseException) and item not in chain:
            chain.append(item)
            pending += [*item.args, item.__cause__, item.__context__]
            pending.append(getattr(item, "reason", None))
    if any(isinstance(item, requests.exceptions.ProxyError) for item in chain):
        return Refusal(Cause.PROXY, "The proxy refused the connection", retried=True)
    if any(isinstance(item, requests.exceptions.SSLError) for item in chain):
        return Refusal(Cause.TLS, "The TLS connection failed")
    if any(isinstance(item, NameResolutionError) for item in chain):
        return Refusal(Cause.UNKNOWN_HOST, "The host is unknown", retried=True)
    if any(isinstance(item, requests.Timeout | TimeoutError) for item in chain):
        return Refusal(Cause.TIMEOUT, f"No answer within {timeout} s", retried=True)
    name = type(chain[-1]).__name__
    return Refusal(Cause.UNREACHABLE, f"The connection failed ({name})", retried=True)
