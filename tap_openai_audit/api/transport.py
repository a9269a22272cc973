"""One HTTP request.

The key travels in one header to one host: redirects are not followed, and neither
cookies nor a `.netrc` are used. Certificates are always verified. Proxies and private
certificate authorities come from the usual environment variables. A request is over
in time, however slowly the bytes of its answer come.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from tap_openai_audit.api.deadline import DeadlineAdapter
from tap_openai_audit.api.failures import of_exception
from tap_openai_audit.api.responses import moment, of_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_openai_audit.settings import Settings

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
        url = urlsplit(settings.api_url)
        self._url = settings.api_url
        self._host = url.hostname or ""
        self._key = settings.admin_key
        self._timeout = settings.request_timeout_seconds
        self._headers = {
            "Authorization": f"Bearer {settings.admin_key}",
            "OpenAI-Organization": settings.organization_id,
            "User-Agent": settings.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        # http is for this machine alone: no proxy may see the key unencrypted.
        self._proxies = get_environ_proxies(self._url) if url.scheme == "https" else {}
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
        try:
            with self._session().get(
                self._url + path,
                params=params,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = response.raw.read(decode_content=True)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # The original is not chained: its text may hold the URL and headers.
            raise of_exception(error, host=self._host, timeout=self._timeout) from None
        headers = response.headers
        if response.status_code != requests.codes.ok:
            raise of_response(
                response.status_code, headers, body, now=time.time(), key=self._key
            )
        served_at = moment(headers.get("date"))
        return Reply(
            body,
            headers.get("x-request-id"),
            None if served_at is None else int(served_at),
        )

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # Otherwise a .netrc entry for the host would replace the key.
            session.trust_env = False
            session.headers.update(self._headers)
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            session.proxies.update(self._proxies)
            session.verify = self._verify
            adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=1)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session = session
        return session
