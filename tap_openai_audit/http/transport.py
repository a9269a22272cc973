"""One HTTP request.

The key travels in one header to one host: neither cookies nor a `.netrc` are used, and
a redirect is followed only where it leads to a file, once, without the key. All
certificates are verified. Proxies and private certificate authorities come from the
usual environment variables. A response is bounded in time, however slowly its bytes
come, and in size, however small they were compressed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import DecodeError, HTTPError

from tap_openai_audit.errors import BadResponse, BodyTooLarge, ErrorResponse
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.http.deadline import DeadlineAdapter
from tap_openai_audit.http.endpoint import LOOPBACK
from tap_openai_audit.http.error_responses import error_response, moment
from tap_openai_audit.http.no_response import no_response
from tap_openai_audit.http.response import Response
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from urllib3 import BaseHTTPResponse

    from tap_openai_audit.http.endpoint import Endpoint

_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")

_MiB = 1024 * 1024
_LONGEST_BODY = 16 * _MiB
"""Bytes of a page, decompressed: a hundred events of 160 KiB each, where a few KiB are
usual. A page of fewer events may fit; a body that never does is a mistake, or meant to
exhaust this machine's memory."""

_LONGEST_FILE = 64 * _MiB
"""Bytes of a log file: documented are 15 MB at the most."""

_TO_A_FILE = frozenset({302, 303, 307, 308})
"""Statuses that lead to a file. 307 is documented."""

_USUAL_BODY = 2 * _MiB
"""Bytes up to which bodies are read at the same time; longer ones one by one."""

_LONGEST_ERROR = _MiB // 4
"""Bytes of an error, of which 300 characters are repeated."""

_PIECE = _MiB
"""Bytes that are read at once: a usual page as a whole."""


@dataclass(frozen=True)
class _Answer:
    """What came back, whatever it is."""

    status: int
    headers: Mapping[str, str]
    body: bytearray
    flaw: BadResponse | None
    """What is wrong with the body, which is its beginning then."""


class Transport:
    """Makes requests. Each thread has connections of its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._api = endpoint.api
        self._url = endpoint.url
        self._key = endpoint.key
        self._timeout = endpoint.timeout_seconds
        self._with_key = {
            **endpoint.headers,
            "Authorization": f"Bearer {endpoint.key}",
            "User-Agent": endpoint.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        self._without_key = {
            "User-Agent": endpoint.user_agent,
            "Accept-Encoding": "gzip, deflate",
        }
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
            NoResponse: If there is no response.
            ErrorResponse: If the response is an error.
            BodyTooLarge: If it is larger than what memory should hold.
            BadResponse: If it is neither an error nor what was asked for.
        """
        answer = self._ask(path, params)
        request_id = self._checked(answer)
        date = moment(answer.headers.get("date"))
        return Response(
            bytes(answer.body), request_id, None if date is None else int(date)
        )

    def get_file(self, path: str, longest: int) -> Response[bytearray]:
        """Make one GET request that is redirected to a file, and get that without key.

        The address of a file is a secret as well: whoever has it can read the file.

        Args:
            path: The path below the API's URL, with a leading slash.
            longest: The most bytes that it may have, of 64 MiB.

        Raises:
            NoResponse: If there is no response.
            ErrorResponse: If one of the two responses is an error.
            BodyTooLarge: If the file is larger than what memory should hold.
            BadResponse: If it is neither an error nor a file.
        """
        longest = min(longest, _LONGEST_FILE)
        answer = self._ask(path, (), longest=longest)
        address = self._address_in(answer)
        if address is None:
            request_id = self._checked(answer)
        else:
            request_id = redacted(answer.headers.get("x-request-id", ""), self._key)
            answer = self._send("file", address, longest=longest)
            _check_file(answer, request_id or None)
        return Response(answer.body, request_id or None)

    def _ask(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        longest: int = _LONGEST_BODY,
    ) -> _Answer:
        """Ask the API."""
        return self._send("api", self._url + path, params, longest=longest)

    def _checked(self, answer: _Answer) -> str | None:
        """Return the request id of an answer that brings what was asked for.

        Raises:
            RequestFailed: If it does not.
        """
        if answer.status != requests.codes.ok:
            raise error_response(
                answer.status,
                answer.headers,
                bytes(answer.body),
                now=time.time(),
                key=self._key,
                api=self._api,
            )
        request_id = redacted(answer.headers.get("x-request-id", ""), self._key) or None
        if answer.flaw is not None:
            raise replace(answer.flaw, request_id=request_id)
        return request_id

    def _address_in(self, answer: _Answer) -> str | None:
        """Return where a redirect leads that may be followed."""
        if answer.status not in _TO_A_FILE:
            return None
        try:
            address = urljoin(self._url, answer.headers.get("Location", "").strip())
            url = urlsplit(address)
            host, _ = url.hostname, url.port
        except ValueError:
            return None
        # Plain http never leaves this machine, nor leads into it from outside.
        is_local = {host, urlsplit(self._url).hostname} <= LOOPBACK
        if not host or not (
            url.scheme == "https" or (url.scheme == "http" and is_local)
        ):
            return None
        return address

    def _send(
        self,
        kind: str,
        url: str,
        params: Sequence[tuple[str, str]] = (),
        *,
        longest: int,
    ) -> _Answer:
        """Make a request.

        Args:
            kind: `api`, which gets the key, or `file`, which does not.
            url: Where to.
            params: The query, in order.
            longest: The most bytes of a body, decompressed.

        Raises:
            NoResponse: If there is no response.
        """
        # http is for this machine alone: no proxy may see the key unencrypted.
        proxies = get_environ_proxies(url) if url.startswith("https:") else {}
        try:
            with self._session(kind).get(
                url,
                params=params,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
                proxies=proxies,
            ) as response:
                usual = response.status_code == requests.codes.ok
                # How many files are read at the same time is bounded elsewhere.
                body, flaw = self._read(
                    response.raw,
                    longest if usual else _LONGEST_ERROR,
                    several=kind == "api",
                )
                return _Answer(response.status_code, response.headers, body, flaw)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # The original is not chained: its text may hold the URL and headers.
            raise no_response(
                error,
                host=urlsplit(url).hostname or "",
                timeout=self._timeout,
                proxied=select_proxy(url, proxies) is not None,
                key=self._key,
            ) from None

    def _read(
        self, raw: BaseHTTPResponse, longest: int, *, several: bool
    ) -> tuple[bytearray, BadResponse | None]:
        """Read a body in pieces: urllib3 decompresses no more than each asks for.

        Args:
            raw: Where it comes from.
            longest: The most bytes to read, decompressed.
            several: Whether many may be read at the same time: large ones one by one.

        Returns:
            The body, and what is wrong with it. If something is, it is the beginning.
        """
        body = bytearray()
        with ExitStack() as stack:
            try:
                while piece := raw.read(min(_PIECE, longest), decode_content=True):
                    if several and len(body) <= _USUAL_BODY < len(body) + len(piece):
                        stack.enter_context(self._large_body)
                    body += piece
                    if len(body) > longest:
                        # The first piece tells an error, and memory may be short.
                        what = (
                            f"HTTP 200 with a body of more than {longest // _MiB} MiB"
                        )
                        return body[:_PIECE], BodyTooLarge(what)
            except DecodeError:
                what = "HTTP 200 with a body that cannot be decompressed"
                flaw = BadResponse(what, Cause.BAD_BODY, retriable=True)
                return bytearray(), flaw
            return body, None

    def _session(self, kind: str) -> requests.Session:
        session: requests.Session | None = getattr(self._local, kind, None)
        if session is None:
            session = requests.Session()
            # Otherwise a .netrc entry for the host would replace the key.
            session.trust_env = False
            session.headers.update(
                self._with_key if kind == "api" else self._without_key
            )
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            session.verify = self._verify
            adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=1)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            setattr(self._local, kind, session)
        return session


def _check_file(answer: _Answer, request_id: str | None) -> None:
    """Check what the host of the files answers.

    Raises:
        RequestFailed: If it is no file. A link expires soon, so asking again for one
            can help, and nothing that it says is repeated: the address may be in it.
    """
    if answer.status != requests.codes.ok:
        found = error_response(answer.status, answer.headers, b"", now=time.time())
        if isinstance(found, ErrorResponse):
            found = replace(
                found,
                what=f"HTTP {answer.status} from the host of the files",
                cause=Cause.FILE_HOST,
                retriable=True,
            )
        raise replace(found, request_id=request_id)
    if answer.flaw is not None:
        raise replace(answer.flaw, retriable=True, request_id=request_id)
