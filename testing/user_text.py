"""User-supplied texts, and what a function that makes them safe has to do with them.

The tap and the analyze package each have such a function, and no code in common. Both
are tested with the cases of `user_text.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Put together here, so that no file of the repository holds a key.
_PLACEHOLDERS = {
    "{KEY}": "sk-" + "proj-0123456789abcdefghij",
    "{LONG}": "word " * 20_000,
    "{LONG_WORD}": "x" * 100_000,
    "{NEARLY_LONG}": "word " * 55,
}


@dataclass(frozen=True)
class UserText:
    """A text, and what must and what must not be repeated of it.

    Attributes:
        name: What is special about it.
        text: The text.
        hidden: What no message repeats.
        kept: What has to remain, in this order.
    """

    name: str
    text: str
    hidden: tuple[str, ...]
    kept: tuple[str, ...]

    def check(self, safe: Callable[[str], str], longest: int) -> None:
        """Assert that a function makes it safe.

        Args:
            safe: The function.
            longest: The most characters that it may return.
        """
        result = safe(self.text)
        assert result.isprintable()
        assert result == " ".join(result.split())
        assert len(result) <= longest
        assert safe(result) == result
        assert [part for part in self.hidden if part in result] == []
        at = 0
        for part in self.kept:
            assert part in result[at:], result
            at = result.index(part, at) + len(part)


def user_texts() -> list[UserText]:
    """Return all cases."""
    path = Path(__file__).with_suffix(".json")
    cases = json.loads(path.read_text("utf-8"))["cases"]
    return [
        UserText(
            case["name"],
            _filled(case["text"]),
            tuple(map(_filled, case.get("hidden", ()))),
            tuple(map(_filled, case.get("kept", ()))),
        )
        for case in cases
    ]


def _filled(text: str) -> str:
    for placeholder, value in _PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return text
