"""Text from outside is text, whatever a receiver makes of text."""

# ruff: noqa: RUF001 - signs that look alike are the point

from __future__ import annotations

import pytest

from openai_audit_alerts.message import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ada@example.com logged in", "ada@example.com logged in"),
        ("@channel and <!everyone>", "＠channel and ‹!everyone›"),
        ("<@U123> a@everyone", "‹＠U123› a＠everyone"),
        ("[free](https://example.net/x)", "[free] (https[:]//example.net/x)"),
        ("<a href='x'>*b* `c` ~~d~~ ||e||", "‹a href='x'›∗b∗ ˋcˋ ∼∼d∼∼ ¦¦e¦¦"),
        ("one\nWhat to do: nothing", "one What to do: nothing"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}moc.live", "moc.live"),
    ],
)
def test_what_others_wrote_is_neither_mention_nor_markup(text: str, shown: str) -> None:
    assert plain(text, 200) == shown


def test_a_text_is_bounded_and_holds_no_key() -> None:
    assert len(plain("long " * 1000, 200)) <= 200
    key = "sk-" + "proj-0123456789abcdefghij"
    assert key not in plain(f"named a project {key}", 200)
