"""User-supplied text is made safe, and hides nothing beside it."""

from __future__ import annotations

import pytest

from openai_audit_analyze.text import LONGEST, safe
from testing.user_text import UserText, user_texts


@pytest.mark.parametrize("case", user_texts(), ids=lambda case: case.name)
def test_user_supplied_text_is_safe_to_show(case: UserText) -> None:
    case.check(safe, LONGEST)
    case.check(lambda text: safe(text, longest=300), 300)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\N{RIGHT-TO-LEFT OVERRIDE}moc.live", "�moc.live"),
        ("a\N{ZERO WIDTH SPACE}b\x1b[31m\x00c", "a�b�[31m�c"),
        ("one\ntwo\N{NO-BREAK SPACE}three", "one two three"),
        ("e" + 9 * "\N{COMBINING ACUTE ACCENT}", "e\u0301\u0301\u0301�"),
        ("\u3164a\u115fb\uffa0c\u2800d\u034f", "�a�b�c�d�"),
        ("a\U000e0100b\u180bc\u17b4d\u17b5", "a�b�c�d�"),
        ("ệ ụ\N{COMBINING ACUTE ACCENT} שָּׁ", "ệ ụ\N{COMBINING ACUTE ACCENT} שָּׁ"),
    ],
)
def test_invisible_characters_are_shown_as_a_sign(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_what_is_missing_is_not_known() -> None:
    assert safe(None) == "not known"


@pytest.mark.parametrize(
    "name",
    [
        *("x://y:", "x://y:z", "x://y?", "x://", "sk-", "Bearer ", "token:", "token="),
        *("password= ", "token='", 'secret="', "Authorization: Basic"),
    ],
)
def test_a_name_hides_nothing_beside_it(name: str) -> None:
    beside = "of Eve (eve@example) added “Mallory” (mallory@example) as an 'owner'"
    assert safe(f"key “{name}” {beside}").endswith(f"” {beside}")
    # A person's name has no quotes around it.
    assert safe(f"{name} added Mallory (mallory@example.com)").endswith(
        "added Mallory (mallory@example.com)"
    )


def test_no_part_of_a_password_is_in_an_error_of_the_database() -> None:
    error = 'connection to "db" failed: wrong option "B8wXrT"'
    assert safe(error, "Zk3VqTnB8wXrT") == (
        'connection to "db" failed: wrong option [key]'
    )


def test_an_email_address_that_begins_like_a_key_is_shown() -> None:
    address = f"{'sk-' + 'proj-0123456789abcdefghij'}@example.net"
    assert safe(address) == address
