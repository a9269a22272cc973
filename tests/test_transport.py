"""One request: how it ends, whatever the network does, and where the key goes."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
import tracemalloc
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from local_server import OK, LocalServer, closed_port, response, self_signed

from tap_openai_audit.errors import BodyTooLarge, RequestFailed
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.http.transport import Transport
from tap_openai_audit.settings import Settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_openai_audit.http.response import Response

KEY = "sk-admin-Wq7Zr2Lt9Xv4"
PARAMS = [("limit", "1"), ("event_types[]", "user.added")]
NETWORK = (
    "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC",
)  # fmt: skip


HANGS_SECONDS = 60  # bounds a hang, and nothing else: no test is about speed


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies or certificates of the machine that the tests run on."""
    for name in NETWORK:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def certified(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, ssl.SSLContext]:
    return self_signed(tmp_path_factory.mktemp("certificate"))


def transport(url: str, *, timeout: int = HANGS_SECONDS) -> Transport:
    config: dict[str, Any] = {
        "organization_id": "org-abc123",
        "admin_key": KEY,
        "lookback_seconds": 0,
        "tenant_events": True,
        "concurrency": 1,
        "request_timeout_seconds": timeout,
        "max_retry_seconds": 0,
        "api_url": f"{url}/v1",
        "user_agent": "tap-openai-audit/test",
    }
    return Transport(Settings.of(config).endpoint)


def get(url: str, *, timeout: int = HANGS_SECONDS) -> Response[bytes]:
    return transport(url, timeout=timeout).get("/organization/audit_logs", PARAMS)


def failed(url: str, *, timeout: int = HANGS_SECONDS) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        get(url, timeout=timeout)
    error = caught.value
    text = str(error)
    assert "\n" not in text
    assert KEY not in text
    assert KEY[-6:] not in text
    # A traceback of what was below would show headers and proxies.
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    return error


# What is asked, and with which credentials


def test_a_request_asks_for_what_it_was_told_and_shows_the_key() -> None:
    with LocalServer(OK) as server:
        assert get(server.url).content == b"{}"
    (head,) = server.requests
    line, *headers = head.decode().split("\r\n")
    path = "/v1/organization/audit_logs?limit=1&event_types%5B%5D=user.added"
    assert line == f"GET {path} HTTP/1.1"
    assert f"Authorization: Bearer {KEY}" in headers
    assert "OpenAI-Organization: org-abc123" in headers
    assert "User-Agent: tap-openai-audit/test" in headers


def test_a_netrc_does_not_replace_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with LocalServer(OK) as server:
        get(server.url)
    assert f"Authorization: Bearer {KEY}\r\n".encode() in server.requests[0]


def test_a_redirect_is_refused_and_its_host_named() -> None:
    with LocalServer(OK) as elsewhere:
        moved = response(302, f"Location: {elsewhere.url}/v1?secret=1")
        with LocalServer(moved) as server:
            error = failed(server.url)
    assert error.cause is Cause.REDIRECT
    assert f"redirects to 127.0.0.1:{elsewhere.port}:" in str(error)
    assert elsewhere.connections == 0, "the key would have gone to another host"


def test_a_proxy_does_not_see_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalServer(response(403), closing=True) as proxy:
        monkeypatch.setenv(
            "HTTPS_PROXY", f"http://user:pa55word@127.0.0.1:{proxy.port}"
        )
        error = failed("https://api.example.com")
    assert error.cause is Cause.PROXY
    assert "pa55word" not in str(error)
    (head,) = proxy.requests
    assert head.startswith(b"CONNECT api.example.com:443 ")
    assert KEY.encode() not in head
    assert b"\r\nAuthorization:" not in head


def test_http_to_this_machine_goes_through_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LocalServer(OK) as server, LocalServer(OK) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        get(server.url)
    assert proxy.connections == 0, "the key would cross the network unencrypted"


def test_cookies_are_not_sent_back() -> None:
    with LocalServer(response(200, "Set-Cookie: visitor=1; Path=/", body=b"{}")) as s:
        asked = transport(s.url)
        asked.get("/a", [])
        asked.get("/b", [])
    assert len(s.requests) == 2
    assert b"Cookie" not in s.requests[1]


def test_requests_of_a_thread_share_a_connection() -> None:
    with LocalServer(OK) as server:
        asked = transport(server.url)
        for _ in range(3):
            asked.get("/a", [])
    assert server.connections == 1


def test_the_api_tells_its_time_and_the_id_of_the_request() -> None:
    headers = ("Date: Mon, 02 Nov 2026 00:00:10 GMT", "x-request-id: req_1")
    with LocalServer(response(200, *headers, body=b"{}")) as server:
        found = get(server.url)
    assert (found.date, found.request_id) == (1793577610, "req_1")


def test_a_date_that_is_none_is_no_time() -> None:
    with LocalServer(response(200, "Date: yesterday", body=b"{}")) as server:
        assert get(server.url).date is None


# Time


def endless(begin: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.chain([begin], itertools.repeat(b"x"))


def assert_over_in_time(url: str) -> None:
    error = failed(url, timeout=1)
    assert error.cause is Cause.TIMEOUT
    assert error.retriable
    assert "within 1 s" in str(error)


HEADERS = b"HTTP/1.1 200 OK\r\nX-Long: "
BODY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "pause"),
    [(HEADERS, 0.05), (BODY, 0.05), (BODY, 0.0)],
    ids=["headers", "body", "body in a hurry"],
)
def test_a_server_that_drips_does_not_hold_a_request(
    begin: bytes, pause: float
) -> None:
    with LocalServer(endless(begin), pause=pause) as server:
        assert_over_in_time(server.url)


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass at once."""
    ahead, monotonic = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(ahead))
    return ahead.append


def test_a_server_that_drips_and_falls_silent_does_not_hold_a_request(
    passing: Callable[[float], None],
) -> None:
    def drip_and_fall_silent() -> Iterator[bytes]:
        yield HEADERS
        passing(HANGS_SECONDS - 0.5)
        yield b"x"

    with LocalServer(drip_and_fall_silent, pause=0.05) as server:
        began = time.perf_counter()
        assert failed(server.url).cause is Cause.TIMEOUT
    # Counted from the last byte it would be all of them.
    assert time.perf_counter() - began < HANGS_SECONDS / 2


def test_a_server_that_never_answers_does_not_hold_a_request() -> None:
    with LocalServer() as server:
        assert_over_in_time(server.url)


def test_a_server_that_is_silent_in_the_handshake_does_not_hold_a_request() -> None:
    with LocalServer() as server:
        assert_over_in_time(f"https://127.0.0.1:{server.port}")


def test_a_proxy_that_drips_does_not_hold_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LocalServer(endless(b"HTTP/1.1 200 OK\r\nX: "), pause=0.05) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = failed("https://api.example.com", timeout=1)
    assert error.cause in {Cause.TIMEOUT, Cause.PROXY}


def test_an_answer_that_is_slow_and_in_time_is_read() -> None:
    answer = response(200, "X-Slow: yes", body=b"[1, 2, 3]")
    drops = [answer[at : at + 1] for at in range(len(answer))]
    with LocalServer(lambda: drops, pause=0.005) as server:
        assert get(server.url).content == b"[1, 2, 3]"


def test_the_time_of_one_request_is_not_taken_from_the_next(
    passing: Callable[[float], None],
) -> None:
    def slow() -> Iterator[bytes]:
        yield OK[:20]
        passing(HANGS_SECONDS * 0.6)
        yield OK[20:]

    with LocalServer(slow) as server:
        asked = transport(server.url)
        assert asked.get("/a", []).content == b"{}"
        assert asked.get("/b", []).content == b"{}"
    assert server.connections == 1


# What is wrong with the network


def test_a_host_that_has_no_address_is_told_apart() -> None:
    error = failed("https://nonexistent.invalid")
    assert error.cause is Cause.UNKNOWN_HOST
    assert str(error).startswith("The host nonexistent.invalid is unknown: ")
    assert error.retriable


def test_a_name_that_no_host_can_have_is_not_tried_again() -> None:
    error = failed("https://a..example.com")
    assert (error.cause, error.retriable) == (Cause.UNKNOWN_HOST, False)


def test_a_port_that_is_closed_is_told_apart() -> None:
    with closed_port() as port:
        error = failed(f"http://127.0.0.1:{port}")
    assert error.cause is Cause.UNREACHABLE
    assert "The connection to 127.0.0.1 failed (connection refused)" in str(error)


@pytest.mark.parametrize(
    "proxy",
    [
        "socks9://127.0.0.1:1",
        "http://:80",
        "http://proxy.example.com:port",
        "http://proxy.example.com:99999",
        "http://[2001:db8::1",
        "http://proxy..example.com:80",
        "http://proxy example com:80",
        "://",
    ],
)
def test_a_proxy_that_is_written_wrongly_is_told_apart(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = failed("https://api.example.com")
    assert (error.cause, error.retriable) == (Cause.PROXY, False)


def test_a_proxy_that_is_down_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pa55word@127.0.0.1:{port}")
        error = failed("https://api.example.com")
    assert error.cause is Cause.PROXY
    assert "(connection refused)" in str(error)
    assert "pa55word" not in str(error)


def test_a_proxy_without_an_address_is_not_taken_for_the_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://nonexistent.invalid:3128")
    error = failed("https://api.example.com")
    assert error.cause is Cause.PROXY
    assert "The host of the proxy is unknown" in str(error)


@pytest.mark.parametrize("status", [403, 407, 503])
def test_a_proxy_that_refuses_says_with_which_status(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalServer(response(status), closing=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = failed("https://api.example.com")
    assert (error.cause, error.retriable) == (Cause.PROXY, status == 503)
    assert f"(HTTP {status})" in str(error)


def test_an_unknown_certificate_is_refused(
    certified: tuple[Path, ssl.SSLContext],
) -> None:
    with LocalServer(OK, tls=certified[1]) as server:
        error = failed(server.url)
    assert (error.cause, error.retriable) == (Cause.TLS, False)
    assert "certificate of 127.0.0.1 was refused (self-signed cert" in str(error)
    assert not server.requests


def test_a_certificate_for_another_host_is_refused(
    certified: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, tls = certified
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with LocalServer(OK, tls=tls) as server:
        error = failed(f"https://localhost:{server.port}")
    assert error.cause is Cause.TLS
    assert "Hostname mismatch" in str(error)
    assert not server.requests


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_private_authority_is_trusted_when_it_is_named(
    name: str,
    certified: tuple[Path, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate, tls = certified
    monkeypatch.setenv(name, str(certificate))
    with LocalServer(OK, tls=tls) as server:
        assert get(server.url).content == b"{}"


@pytest.mark.parametrize("content", [None, ""], ids=["missing", "empty"])
def test_a_file_without_authorities_is_told_apart(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with LocalServer(OK) as server:
        error = failed(f"https://127.0.0.1:{server.port}")
    assert (error.cause, error.retriable) == (Cause.AUTHORITIES_FILE, False)


def test_a_port_without_tls_is_told_apart() -> None:
    with LocalServer(greeting=b"220 mail.example.com ready\r\n") as server:
        error = failed(f"https://127.0.0.1:{server.port}")
    assert (error.cause, error.retriable) == (Cause.TLS_HANDSHAKE, False)


def test_a_handshake_that_breaks_off_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)

        thread = threading.Thread(target=hang_up)
        thread.start()
        error = failed(f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert (error.cause, error.retriable) == (Cause.UNREACHABLE, True)


@pytest.mark.parametrize(
    "answer",
    [b"", OK[:9], response(200, body=b"{}")[:-1], b"SSH-2.0-server\r\n"],
    ids=["nothing", "half a head", "half a body", "no http"],
)
def test_a_connection_that_breaks_is_tried_again(answer: bytes) -> None:
    with LocalServer(answer, closing=True) as server:
        error = failed(server.url)
    assert (error.cause, error.retriable) == (Cause.UNREACHABLE, True)
    assert "The connection to 127.0.0.1 failed (" in str(error)


def test_a_compressed_body_is_read() -> None:
    body = gzip.compress(b'{"data": []}')
    with LocalServer(response(200, "Content-Encoding: gzip", body=body)) as server:
        assert get(server.url).content == b'{"data": []}'


def test_a_body_that_cannot_be_decompressed_is_tried_again() -> None:
    with LocalServer(response(200, "Content-Encoding: gzip", body=b"{}")) as server:
        error = failed(server.url)
    assert (error.cause, error.retriable) == (Cause.BAD_BODY, True)


@cache
def swollen(encoding: str) -> bytes:
    """400 MiB of blanks, in a few hundred KiB or less."""
    packer = zlib.compressobj(wbits=31 if encoding.startswith("gzip") else 15)
    blanks = b" " * (1 << 20)
    body = b"".join([*(packer.compress(blanks) for _ in range(400)), packer.flush()])
    return gzip.compress(body) if encoding == "gzip, gzip" else body


ENCODINGS = ["gzip", "deflate", "gzip, gzip"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("status", [200, 503])
def test_a_body_that_swells_takes_no_memory(encoding: str, status: int) -> None:
    body = swollen(encoding)
    with LocalServer(response(status, f"Content-Encoding: {encoding}", body=body)) as s:
        asked = transport(s.url)
        tracemalloc.start()
        try:
            with pytest.raises(RequestFailed) as caught:
                asked.get("/a", [])
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 100 * (1 << 20)
    # The same page would swell again; a smaller one may not.
    assert caught.value.retriable == (status != 200)
    if status == 200:
        assert isinstance(caught.value, BodyTooLarge)
        assert caught.value.what == "HTTP 200 with a body of more than 16 MiB"
    else:
        assert caught.value.what == "HTTP 503"


def test_a_body_without_end_takes_no_memory() -> None:
    piece = b"x" * (1 << 20)
    with LocalServer(lambda: itertools.chain([BODY], itertools.repeat(piece))) as s:
        assert failed(s.url, timeout=60).what == (
            "HTTP 200 with a body of more than 16 MiB"
        )


def test_a_long_page_is_read() -> None:
    body = gzip.compress(b'["' + b"x" * (12 << 20) + b'"]')
    with LocalServer(response(200, "Content-Encoding: gzip", body=body)) as server:
        assert len(get(server.url).content) == (12 << 20) + 4


@pytest.mark.parametrize("body", [b"no gzip", b""])
def test_an_error_whose_body_cannot_be_read_is_told_by_its_status(body: bytes) -> None:
    with LocalServer(response(503, "Content-Encoding: gzip", body=body)) as server:
        assert failed(server.url).what == "HTTP 503"


def test_a_page_of_any_length_is_told_from_an_error_of_the_api() -> None:
    page = b"<html>" + b" " * (1 << 20)
    with LocalServer(response(403, body=page)) as server:
        assert failed(server.url).cause is Cause.BLOCKED


def test_a_captive_portal_is_told_apart() -> None:
    page = b"<html><body>Please log in to this network</body></html>"
    with LocalServer(response(403, "Content-Type: text/html", body=page)) as server:
        error = failed(server.url)
    assert error.cause is Cause.BLOCKED
    assert "HTTP 403 with an HTML page" in str(error)
