"""What a response means that does not bring what was asked for."""

from __future__ import annotations

import json
import re
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from tap_openai_audit.errors import BadResponse, ErrorResponse, NoResponse
from tap_openai_audit.http.causes import (
    MEANING,
    MEANING_AT_WORKSPACE,
    Api,
    Cause,
    meaning,
)
from tap_openai_audit.http.error_responses import error_response
from tap_openai_audit.redaction import redacted

KEY = "sk-admin-Wq7Zr2Lt9Xv4Bn6K"
USER_KEY = "sk-Wq7Zr2Lt9Xv4Bn6KWq7Zr2"
NOW = 1_790_000_000
HTML = b"\n<!DOCTYPE html><html><body>Sign in to the network</body></html>"
SCOPES = (
    "You have insufficient permissions for this operation. Missing scopes:"
    " api.audit_logs.read. Check that you have the correct role in your organization."
)


def answered(
    status: int, body: bytes = b"", *, key: str = KEY, **headers: str
) -> ErrorResponse | BadResponse:
    """What a response means. Headers are given with _ for -."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    found = error_response(status, CaseInsensitiveDict(given), body, now=NOW, key=key)
    assert "\n" not in str(found)
    return found


def said(message: str, code: str | None = None, kind: str = "x") -> bytes:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json.dumps({"error": error}).encode()


# The cause


@pytest.mark.parametrize(
    ("status", "message", "code", "cause"),
    [
        (401, "Incorrect API key provided: abc.", "invalid_api_key", Cause.WRONG_KEY),
        (401, "You didn't provide an API key.", None, Cause.WRONG_KEY),
        (401, "Your API key has expired.", None, Cause.EXPIRED_KEY),
        (401, "No.", "api_key_expired", Cause.EXPIRED_KEY),
        (401, SCOPES, None, Cause.MISSING_SCOPE),
        (403, SCOPES, "missing_scope", Cause.MISSING_SCOPE),
        (
            401,
            "OpenAI-Organization header should match organization for API key",
            "mismatched_organization",
            Cause.WRONG_ORGANIZATION,
        ),
        (
            401,
            "No such organization: org-x.",
            "invalid_organization",
            Cause.WRONG_ORGANIZATION,
        ),
        (
            401,
            "You must be a member of an organization to use the API",
            None,
            Cause.WRONG_ORGANIZATION,
        ),
        (
            401,
            "Your IP is not authorized by the allowlist of your organization.",
            "ip_not_authorized",
            Cause.NOT_FROM_HERE,
        ),
        (
            403,
            "Country, region, or territory not supported",
            "unsupported_country_region_territory",
            Cause.NOT_FROM_HERE,
        ),
        (403, "You may not do this in this organization.", None, Cause.NOT_ALLOWED),
        (429, "Rate limit reached.", "rate_limit_exceeded", Cause.RATE_LIMIT),
        (
            429,
            "You exceeded your current quota, please check your plan.",
            "insufficient_quota",
            Cause.ACCOUNT,
        ),
        (
            403,
            "Audit logging is not enabled for this organization.",
            None,
            Cause.LOGGING_OFF,
        ),
        (403, "Audit logs are available to owners only.", None, Cause.NOT_ALLOWED),
        (400, "Invalid 'event_types'.", "invalid_value", Cause.BAD_REQUEST),
        (404, "Invalid URL (GET /v2)", None, Cause.NOT_FOUND),
        (503, "The server is overloaded.", None, Cause.SERVER_ERROR),
    ],
)
def test_what_the_api_says_tells_the_cause(
    status: int, message: str, code: str | None, cause: Cause
) -> None:
    assert answered(status, said(message, code)).cause is cause


def test_a_type_tells_the_cause_as_a_code_does() -> None:
    body = said("No.", kind="mismatched_organization")
    assert answered(401, body).cause is Cause.WRONG_ORGANIZATION


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (204, Cause.BAD_BODY),
        (301, Cause.REDIRECT),
        (308, Cause.REDIRECT),
        (400, Cause.BAD_REQUEST),
        (401, Cause.WRONG_KEY),
        (403, Cause.NOT_ALLOWED),
        (304, Cause.BAD_BODY),
        (402, Cause.ACCOUNT),
        (404, Cause.NOT_FOUND),
        (405, Cause.NOT_FOUND),
        (406, Cause.BLOCKED),
        (407, Cause.PROXY),
        (408, Cause.TIMEOUT),
        (409, Cause.SERVER_ERROR),
        (410, Cause.NOT_FOUND),
        (413, Cause.TOO_LONG),
        (414, Cause.TOO_LONG),
        (418, Cause.BAD_REQUEST),
        (421, Cause.NOT_THE_API),
        (431, Cause.TOO_LONG),
        (451, Cause.NOT_FROM_HERE),
        (499, Cause.TIMEOUT),
        (429, Cause.RATE_LIMIT),
        (500, Cause.SERVER_ERROR),
        (504, Cause.TIMEOUT),
        (511, Cause.BLOCKED),
        (599, Cause.SERVER_ERROR),
        (999, Cause.BAD_BODY),
    ],
)
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b'{"error": null}'])
def test_without_words_the_status_tells_the_cause(
    status: int, cause: Cause, body: bytes
) -> None:
    found = answered(status, body)
    assert found.cause is cause
    assert str(found).startswith(f"HTTP {status}")


@pytest.mark.parametrize("status", [401, 403])
def test_an_error_may_be_a_bare_text(status: int) -> None:
    found = answered(status, json.dumps({"error": SCOPES}).encode())
    assert found.cause is Cause.MISSING_SCOPE
    assert "Missing scopes: api.audit_logs.read" in str(found)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_no_admin_key_cannot_be_given_the_permission(status: int) -> None:
    found = answered(status, said(SCOPES), key=USER_KEY)
    assert found.cause is Cause.PROJECT_KEY


@pytest.mark.parametrize(
    ("status", "cause"),
    [(status, Cause.BLOCKED) for status in (400, 401, 402, 403, 406, 418, 451)]
    + [(status, Cause.NOT_THE_API) for status in (404, 405, 410, 421)],
)
def test_a_page_instead_of_an_error_is_not_the_api_that_refuses(
    status: int, cause: Cause
) -> None:
    found = answered(status, HTML)
    assert found.cause is cause
    assert found.what == f"HTTP {status} with an HTML page"


@pytest.mark.parametrize(
    ("body", "from_api"),
    [
        (said("No."), True),
        (b'{"error": "No."}', True),
        (b'{"error": {"code": "no"}}', True),
        (HTML, False),
        (b"", False),
        (b"No.", False),
        (b'{"message": "no Route matched"}', False),
        (b'{"error": null}', False),
        (b'[{"error": "No."}]', False),
    ],
)
def test_what_the_api_itself_says_is_told_from_what_a_proxy_says(
    *, body: bytes, from_api: bool
) -> None:
    for status in (400, 403, 404, 503):
        found = answered(status, body)
        assert isinstance(found, ErrorResponse)
        assert (found.status, found.from_api) == (status, from_api)


@pytest.mark.parametrize("status", [204, 302, 304, 600, 999])
def test_a_status_that_is_no_error_is_a_bad_response(status: int) -> None:
    assert isinstance(answered(status, said("No.")), BadResponse)


def test_a_status_that_nothing_asked_for_is_named() -> None:
    assert answered(304).what == "HTTP 304 (not modified), which nothing asked for"


def test_a_page_from_a_gateway_is_a_fault_that_passes() -> None:
    found = answered(502, HTML)
    assert (found.cause, found.retriable) == (Cause.SERVER_ERROR, True)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://login.example.com/a?b=c", "login.example.com"),
        ("//portal.example.com:8443/", "portal.example.com:8443"),
        ("https://someone:pa55word@portal.example.com/", "portal.example.com"),
        ("https://[2001:db8::1]:443/", "[2001:db8::1]:443"),
        ("/v1/elsewhere", "another path of the same host"),
        ("", "an address that is missing"),
        ("https://[2001:db8::1", "an address that cannot be read"),
        ("https://", "an address that cannot be read"),
        ("https://portal.example.com:none/", "an address that cannot be read"),
        ("javascript:alert(1)", "an address that cannot be read"),
    ],
)
def test_a_redirect_names_the_host_and_nothing_else(location: str, host: str) -> None:
    assert answered(302, Location=location).what == f"HTTP 302 redirects to {host}"


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_of_the_platform_is_named_at_a_workspace(status: int) -> None:
    for key, cause in ((KEY, Cause.PROJECT_KEY), ("sk-ws-Wq7Zr2Lt9", None)):
        found = error_response(
            status, {}, said("No."), now=NOW, key=key, api=Api.WORKSPACE
        )
        assert (found.cause is Cause.PROJECT_KEY) == (cause is not None)


# The text


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_says_in_one_line_what_to_do(cause: Cause) -> None:
    text = str(NoResponse("HTTP 400", cause, request_id="req_1"))
    assert text == f"HTTP 400, request id req_1: {MEANING[cause]}"
    assert "\n" not in text
    assert not text.endswith(".")


def test_no_two_causes_say_the_same() -> None:
    assert len(set(MEANING.values())) == len(MEANING) == len(Cause)
    at_workspace = {meaning(cause, Api.WORKSPACE) for cause in Cause}
    assert len(at_workspace) == len(Cause)


@pytest.mark.parametrize("cause", Cause)
def test_at_a_workspace_nothing_of_the_organization_is_to_be_set(cause: Cause) -> None:
    text = str(NoResponse("HTTP 400", cause, api=Api.WORKSPACE))
    assert not re.search(r"admin_key|organization_id", text)


def test_the_request_id_is_told_as_support_asks_for_it() -> None:
    found = answered(500, x_request_id="req_0123456789abcdef")
    assert str(found).startswith("HTTP 500, request id req_0123456789abcdef: ")


@pytest.mark.parametrize("sent", ["", "  "])
def test_without_a_request_id_none_is_told(sent: str) -> None:
    assert answered(500, x_request_id=sent).request_id is None
    assert "request id" not in str(answered(500))


def test_the_parameter_that_the_api_objects_to_is_known() -> None:
    body = b'{"error": {"message": "No.", "param": "tenant_only"}}'
    found = answered(400, body)
    assert isinstance(found, ErrorResponse)
    assert found.param == "tenant_only"
    found = answered(400, b'{"error": {"message": "No.", "param": 7}}')
    assert isinstance(found, ErrorResponse)
    assert found.param is None


@pytest.mark.parametrize(
    "message",
    [
        "Incorrect API key provided: sk-admin-Wq7Zr2Lt9Xv4Bn6K. Find it at the site.",
        "Incorrect API key provided: sk-admi***********Bn6K. Find it at the site.",
        "Incorrect API key provided: Wq7Zr2**********Bn6K. Find it at the site.",
        "Incorrect API key provided: Wq7Z...Bn6K. Find it at the site.",
        "Incorrect API key provided: Wq7Z\N{HORIZONTAL ELLIPSIS}Bn6K. Find it",
        "Incorrect API key provided: Bn6K. Find it at the site.",
        "Rejected (sk-admin-Wq7Zr2Lt9Xv4Bn6K), sorry.",
        "Bearer Wq7Zr2Lt9Xv4Bn6K is unknown.",
        "The key that begins with Wq7Zr2 is unknown.",
        "The key '2Lt9Xv4' is unknown.",
    ],
)
@pytest.mark.parametrize("bare", [True, False])
def test_no_part_of_a_key_comes_through(message: str, *, bare: bool) -> None:
    body = json.dumps({"error": message}).encode() if bare else said(message)
    text = str(answered(401, body, x_request_id=f"req-{KEY}"))
    for part in ("Wq7Z", "r2Lt9", "Xv4B", "Bn6K", "sk-admi"):
        assert part not in text.replace(MEANING[Cause.WRONG_KEY], "")
    assert "[key]" in text


@pytest.mark.parametrize("key", ["a-password-that-is-no-key", "hunter2"])
def test_a_password_in_place_of_a_key_does_not_come_through(key: str) -> None:
    body = said(f"Incorrect API key: {key}.")
    assert key not in str(answered(401, body, key=key))


def test_words_that_only_look_like_a_key_are_kept() -> None:
    text = "Wait... the task-id or the risk-level of https://example.com/admin-keys."
    assert redacted(text, KEY) == text


def test_a_text_is_one_line_of_bounded_length() -> None:
    text = redacted("first\r\nsecond\tthird\x1b[31m\x00 " + "word " * 200, KEY)
    assert text.startswith("first second third [31m word")
    assert text.isprintable()
    assert len(text) < 310


def test_a_body_nested_without_end_is_no_error_of_its_own() -> None:
    assert answered(500, b'{"error":' * 100_000).cause is Cause.SERVER_ERROR


# Whether, and when, to try again


@pytest.mark.parametrize(
    ("status", "retried"),
    [(s, True) for s in (408, 409, 425, 429, 500, 502, 503, 504, 529)]
    + [(s, False) for s in (302, 400, 401, 403, 404, 405, 407, 422)],
)
def test_the_status_tells_whether_to_try_again(*, status: int, retried: bool) -> None:
    assert answered(status).retriable is retried
    assert answered(status, x_should_retry="true").retriable is True
    assert answered(status, x_should_retry="false").retriable is False


def test_an_account_without_quota_is_not_asked_again() -> None:
    assert answered(429, said("No.", "insufficient_quota")).retriable is False


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.25"}, 0.25),
        ({"retry_after": " 7 "}, 7.0),
        ({"retry_after": "3600000000"}, 3.6e9),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "1500", "retry_after": "7"}, 1.5),
        ({"retry_after_ms": "soon", "retry_after": "7"}, 7.0),
        ({"retry_after": formatdate(NOW + 90, usegmt=True)}, 90.0),
        ({"retry_after": formatdate(NOW + 90)}, 90.0),
        ({"retry_after": formatdate(NOW - 90, usegmt=True)}, None),
        *(
            ({"retry_after": absurd}, None)
            for absurd in ("0", "-5", "nan", "inf", "-inf", "soon", "", "1, 1", "7 s")
        ),
        ({"retry_after": "9" * 301}, 1e301),
        ({"retry_after": "9" * 401}, None),
        ({"retry_after_ms": "9" * 5001}, None),
        ({"retry_after": f"Mon, {'9' * 301} Nov 2026 00:00:00 GMT"}, None),
        ({"retry_after": f"Mon, 02 Nov {'9' * 301} 00:00:00 GMT"}, None),
        ({"retry_after": "Mon, 99 Nov 2026 00:00:00 GMT"}, None),
        ({"retry_after": "Mon, 02 Nov 99999 00:00:00 GMT"}, None),
    ],
)
def test_the_api_tells_how_long_to_wait(
    headers: dict[str, Any], wait: float | None
) -> None:
    assert answered(429, **headers).retry_after == wait


def test_a_date_to_wait_for_is_by_the_clock_of_the_server() -> None:
    ahead = NOW + 5000
    found = answered(503, date=formatdate(ahead), retry_after=formatdate(ahead + 30))
    assert found.retry_after == 30


def test_the_page_on_troubleshooting_has_every_message() -> None:
    page = Path(__file__).parents[1] / "docs/troubleshooting.md"
    shown = page.read_text(encoding="utf-8")
    told = [*MEANING.items(), *MEANING_AT_WORKSPACE.items()]
    missing = [cause.value for cause, text in told if text not in shown]
    assert missing == []
