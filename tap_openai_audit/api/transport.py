"""One HTTP request.

The key travels in one header to one host: redirects are not followed, and neither
cookies nor a `.netrc` are used. Certificates are always verified. Proxies and private
certificate authorities come from the usual environment variables. A response is bounded
in time, however slowly its bytes come, and in size, however small they were compressed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import DecodeError, HTTPError

from tap_openai_audit.api.deadline import DeadlineAdapter
from tap_openai_audit.api.error_responses import error_response, moment
from tap_openai_audit.api.not_answered import not_answered
from tap_openai_audit.api.response import Response
from tap_openai_audit.causes import Cause
from tap_openai_audit.errors import BadResponse, BodyTooLarge
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from urllib3 import BaseHTTPResponse

    from tap_openai_audit.settings import Settings

_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")

_MiB = 1024 * 1024
_LONGEST_BODY = 16 * _MiB
"""Bytes of a page, decompressed: a hundred events of 160 KiB each, where a few KiB are
usual. A page of fewer events may fit; a body that never does is a mistake, or meant to
exhaust this machine's memory."""

_USUAL_BODY = 2 * _MiB
"""Bytes up to which bodies are read at the same time; longer ones one by one."""

_LONGEST_ERROR = _MiB // 4
"""Bytes of an error, of which 300 characters are repeated."""

_PIECE = _MiB
"""Bytes that are read at once: a usual page as a whole."""


class Transport:
    """Makes requests. Each thread has connections of its own."""

    def __init__(self, settings: Settings) -> None:
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
        self._proxied = select_proxy(self._url, self._proxies) is not None
        self._verify = next(
            (path for name in _CERTIFICATES if (path := os.environ.get(name))), True
        )
        self._local = threading.local()
        self._large_body = threading.Lock()
        # It logs URLs and broken headers as they came. Errors and DEBUG lines of this
        # tap tell what matters of them, through the gate.
        logging.getLogger("urllib3").setLevel(logging.ERROR)

    def get(self, path: str, params: Sequence[tuple[str, str]]) -> Response[bytes]:
        """Make one GET request.

        Args:
            path: The path below the API's URL, with a leading slash.
            params: The query, in order.

        Raises:
            NotAnswered: If there is no response.
            ErrorResponse: If the response is an error.
            BodyTooLarge: If it is larger than what memory should hold.
            BadResponse: If it is neither an error nor what was asked for.
        """
        try:
            with self._session().get(
                self._url + path,
                params=params,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                status, headers = response.status_code, response.headers
                usual = status == requests.codes.ok
                longest = _LONGEST_BODY if usual else _LONGEST_ERROR
                body, flaw = self._read(response.raw, longest)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # The original is not chained: its text may hold the URL and headers.
            raise not_answered(
                error,
                host=self._host,
                timeout=self._timeout,
                proxied=self._proxied,
                key=self._key,
            ) from None
        if not usual:
            raise error_response(status, headers, body, now=time.time(), key=self._key)
        request_id = redacted(headers.get("x-request-id", ""), self._key) or None
        if flaw is not None:
            raise replace(flaw, request_id=request_id)
        date = moment(headers.get("date"))
        return Response(body, request_id, None if date is None else int(date))

    def _read(
        self, raw: BaseHTTPResponse, longest: int
    ) -> tuple[bytes, BadResponse | None]:
        """Read a body in pieces: urllib3 decompresses no more than each asks for.

        Args:
            raw: Where it comes from.
            longest: The most bytes to read, decompressed.

        Returns:
            The body, and what is wrong with it. If something is, it is the beginning.
        """
        pieces: list[bytes] = []
        size = 0
        with ExitStack() as stack:
            try:
                while piece := raw.read(min(_PIECE, longest), decode_content=True):
                    pieces.append(piece)
                    if size <= _USUAL_BODY < size + len(piece):
                        stack.enter_context(self._large_body)
                    size += len(piece)
                    if size > longest:
                        # The first piece tells an error, and memory may be short.
                        what = (
                            f"HTTP 200 with a body of more than {longest // _MiB} MiB"
                        )
                        return pieces[0], BodyTooLarge(what)
            except DecodeError:
                what = "HTTP 200 with a body that cannot be decompressed"
                return b"", BadResponse(what, Cause.BAD_BODY, retriable=True)
            return b"".join(pieces), None

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
