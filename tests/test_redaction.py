"""The gate: what may be repeated of a text that came from outside."""

from __future__ import annotations

import random

import pytest

from tap_openai_audit.redaction import LONGEST, redacted
from testing.user_text import UserText, user_texts

KEY = "sk-admin-Wq7Zr2Lt9Xv4Bn6K"


@pytest.mark.parametrize(
    "text",
    [
        f"a key {KEY} here",
        f"a key ({KEY}).",
        "Bearer Wq7Zr2Lt9Xv4Bn6K",
        "a part 2Lt9Xv4 here",
        "ending in Bn6K",
        "ending in 6K",
        "ends with 'n6K'",
        "beginning with Wq7.",
        "it begins Wq7Zr and ends v4Bn6K",
        "last=6Bn6K;first=Wq7Zr2",
        "Wq7Z...Bn6K",
        "Wq7Z****",
        f"https://user:{KEY}@example.com/",
    ],
)
def test_no_part_of_a_key_passes(text: str) -> None:
    passed = redacted(text, KEY)
    for part in ("Wq7", "2Lt9", "Bn6", "n6K", " 6K"):
        assert part not in passed


@pytest.mark.parametrize("case", user_texts(), ids=lambda case: case.name)
def test_user_supplied_text_is_safe_to_repeat(case: UserText) -> None:
    case.check(redacted, LONGEST)


def test_a_password_in_a_url_does_not_pass() -> None:
    assert redacted("http://me:pa55word@a:1") == "http://[user]@a:1"


@pytest.mark.parametrize(
    "text",
    [
        "Wait... the task-id or the risk-level of https://example.com/admin-keys.",
        "audit_log-jCFF3yZfGy4jNBTsuH5V3XRL",
        "Missing scopes: api.audit_logs.read.",
        "a key which ends in /v1",
        "Größe, 大きさ, שלום",
    ],
)
def test_ordinary_words_pass(text: str) -> None:
    assert redacted(text, KEY) == text


@pytest.mark.parametrize("number", [*range(0x20), 0x7F, 0x85, 0x9B, 0xAD, 0xFEFF])
def test_control_characters_do_not_pass(number: int) -> None:
    assert redacted(f"a{chr(number)}b") == "a b"


@pytest.mark.parametrize(
    "number",
    [0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xD800],
)
def test_what_breaks_or_reorders_a_line_does_not_pass(number: int) -> None:
    assert redacted(f"a{chr(number)}b") == "a b"


def test_a_text_is_bounded_however_long_it_is() -> None:
    passed = redacted("word " * 1_000_000, KEY)
    assert len(passed) <= LONGEST
    assert passed.endswith(" ...")


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: {KEY}. Find it. " + "word " * 100,
        f"ending in {KEY[-4:]} (" + "x" * 1000 + ")",
        f"http://a:b@c/ {KEY}",
        "Wq7Z...Bn6K\x1b[0m",
    ],
)
def test_what_passed_once_passes_again(text: str) -> None:
    once = redacted(text, KEY)
    assert redacted(f"HTTP 400 ({once})", KEY, longest=500) == f"HTTP 400 ({once})"


def test_anything_can_be_made_a_text() -> None:
    assert redacted([("after", f"a\n{KEY}")], KEY) == "[('after', 'a\\n[key]"
    assert redacted(ValueError("no\tnumber")) == "no number"


@pytest.mark.parametrize("text", [KEY.upper(), KEY.lower(), f"a.{KEY[9:].lower()}.com"])
def test_a_key_does_not_pass_in_another_case(text: str) -> None:
    assert redacted(text, KEY) == "[key]"


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("at https://h/a/b?se=2&sig=Zm9v.", "at https://h/a/b?[...]"),
        ("at (https://h/a#Zm9v), https://i?b", "at (https://h/a#[...] https://i?[...]"),
        ("Is it https://h/a?", "Is it https://h/a?"),
    ],
)
def test_a_url_passes_without_what_may_be_its_signature(text: str, passed: str) -> None:
    assert redacted(text) == passed


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("password=hunter2 of me", "password=[...] of me"),
        ("passwd = hunter2", "passwd = [...]"),
        ("client_secret=hunter2&a=b", "client_secret=[...]"),
        ("access_token='hun ter2' b", "access_token=[...] b"),
        ("X-Amz-Signature=hunter2", "X-Amz-Signature=[...]"),
        ('{"password": "hun ter2"}', '{"password": [...]'),
        ("sig=hunter2", "sig=[...]"),
        ("Authorization: Bearer hunter2.", "Authorization: Bearer [...]"),
        ("authorization: Basic hunter2", "authorization: Basic [...]"),
        ("Authorization: hunter2 b", "Authorization: [...] b"),
        ("with Bearer hunter2", "with Bearer [...]"),
        ("using Bearer auth", "using Bearer auth"),
        ("The token is expired", "The token is expired"),
    ],
)
def test_what_is_a_secret_by_its_name_does_not_pass(text: str, passed: str) -> None:
    assert redacted(text) == passed


def test_a_password_with_a_blank_does_not_pass() -> None:
    assert redacted("at http://me:pa ss@h/x a@b") == "at http://[user]@h/x a@b"


PIECES = [
    "password=", "Authorization: ", "Bearer ", "token", "https://h/", "?", "#", "a=b",
    '"', "'", ":", "@", " ", "...", "[...]", "[key]", KEY, "ending in ", "://",
    "x" * 50, ")", "sk-", "sig = ", "bn6k", "[", "=",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(200))
def test_whatever_passed_once_passes_again(seed: int) -> None:
    pick = random.Random(seed)  # noqa: S311 - no secret depends on it
    text = "".join(pick.choices(PIECES, k=pick.randrange(40)))
    once = redacted(text, KEY)
    assert redacted(once, KEY) == once
    assert redacted(f"HTTP 400 ({once})", KEY, longest=500) == f"HTTP 400 ({once})"


@pytest.mark.parametrize("piece", PIECES)
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    # Twice the text takes twice the work: this would not end if it took its square.
    redacted(piece * 50_000, KEY, longest=20_000)
