"""Text from outside is text, whatever a receiver makes of text."""

# ruff: noqa: RUF001 - signs that look alike are the point

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from openai_audit_analyze.alerts.delivery import deliver
from openai_audit_analyze.alerts.message import Message
from openai_audit_analyze.alerts.plain import plain


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
        ("\N{RIGHT-TO-LEFT OVERRIDE}moc.live", "moc[.]live"),
    ],
)
def test_what_others_wrote_is_neither_mention_nor_link_nor_markup(
    text: str, shown: str
) -> None:
    assert plain(text, 200) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Ada made Grace (grace@example) an owner, at 10:05:00 in R2: see",
        "gpt-4.1 from 2001:db8:abcd::1 of owner_added in openai_audit__findings",
        "key “x: y?” of Eve (eve@example) made “Mallory” (m@example) an owner",
        "key “token=' password=” of E…ve (e…e@example) and ... of “'”",
    ],
)
def test_what_is_none_of_that_is_shown_as_it_is(text: str) -> None:
    assert plain(text, 200) == text


@pytest.mark.parametrize("name", ["x://y:", "x://y:z", "sk-", "Bearer ", "token:"])
def test_a_name_hides_nothing_beside_it(name: str) -> None:
    of = "of Eve (eve@example) made “Mallory” (mallory@example) an owner"
    assert plain(f"key “{name}” {of}", 200).endswith(of)


def test_a_text_is_bounded_and_holds_no_key() -> None:
    assert len(plain("long " * 1000, 200)) <= 200
    key = "sk-" + "proj-0123456789abcdefghij"
    assert plain(f"named a project “{key}” (x)", 200) == "named a project “[key]” (x)"
    assert "[key]" not in plain(f"{key}@example.net", 200)


def test_what_apprise_decodes_is_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def post(*_: object, data: str, **__: object) -> requests.Response:
        sent.append(data)
        response = requests.Response()
        response.status_code = 200
        response._content = b"{}"
        return response

    monkeypatch.setattr(requests, "post", post)
    text = plain(
        "&lt;a href=&quot;https:&#47;&#47;example.net&quot;&gt; &#64;here", 200
    )
    message = Message("Title", text, "high", "key")
    deliver("tgram://123456789:abcdefg_hijklmnop/12315544", message)
    (body,) = sent
    told: dict[str, Any] = json.loads(body)
    assert told["parse_mode"] == "HTML"
    assert text in told["text"]
