"""User-supplied text is text, whatever a receiver interprets."""

# ruff: noqa: RUF001 - signs that look alike are the point

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from openai_audit_analyze.alerts.delivery import deliver
from openai_audit_analyze.alerts.escaping import escaped
from openai_audit_analyze.alerts.message import Message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@channel and <!everyone>", "＠channel and ‹!everyone›"),
        ("<@U123> a@everyone", "‹＠U123› a＠everyone"),
        ("x_@here é@here .@here", "x＿＠here é＠here .＠here"),
        ("[free](https://example.net/x)", "[free] (https[:]//example[.]net/x)"),
        ("<a href='x'>*b* `c` ~~d~~ ||e||", "‹a href='x'›∗b∗ ˋcˋ ∼∼d∼∼ ¦¦e¦¦"),
        ("_it_ __bold__ #head", "＿it＿ ＿＿bold＿＿ ＃head"),
        ("&lt;https:&#47;&#47;a &#64;here", "＆lt;https[:]＆＃47;＆＃47;a ＆＃64;here"),
        ("www.example.net example.net/x", "www[.]example[.]net example[.]net/x"),
        ("example．net 例え。net", "example[.]net 例え[.]net"),
        ("203.0.113.7/x", "203[.]0[.]113[.]7/x"),
        ("mailto:eve@example.net", "mailto[:]eve@example[.]net"),
        ("[x]mailto:(y) tel:+1 data://x", "[x]mailto[:] (y) tel[:]+1 data[:]//x"),
        ("one\nWhat to do: nothing", "one What to do: nothing"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}moc.live", "�moc[.]live"),
    ],
)
def test_user_supplied_text_is_neither_mention_nor_link_nor_markup(
    text: str, shown: str
) -> None:
    assert escaped(text, 200) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Ada changed the role of Grace (grace@example) to owner, at 10:05:00: see",
        "gpt-4.1 from 2001:db8:abcd::1 of owner_added in openai_audit__findings",
        "key “x: y?” of Eve (eve@example) invited “Mallory” (m@example) as owner",
        "key “token=' password=” of E…ve (e…e@example) and ... of “'”",
    ],
)
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert escaped(text, 200) == text


def test_a_key_is_masked_and_the_text_is_bounded() -> None:
    assert len(escaped("long " * 1000, 200)) <= 200
    key = "sk-" + "proj-0123456789abcdefghij"
    assert escaped(f"named “{key}” (x)", 200) == "named “[key]” (x)"


def test_what_apprise_decodes_is_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def post(*_: object, data: str, **__: object) -> requests.Response:
        sent.append(data)
        response = requests.Response()
        response.status_code = 200
        response._content = b"{}"
        return response

    monkeypatch.setattr(requests, "post", post)
    text = escaped(
        "&lt;a href=&quot;https:&#47;&#47;example.net&quot;&gt; &#64;here", 200
    )
    message = Message("Title", text, "high", "key")
    deliver("tgram://123456789:abcdefg_hijklmnop/12315544", message)
    (body,) = sent
    request: dict[str, Any] = json.loads(body)
    assert request["parse_mode"] == "HTML"
    assert text in request["text"]
