"""The one gate for what comes from the log and is shown: names, addresses, sentences.

Anybody may have chosen them. So each is bounded, holds no key, and what nobody sees, or
what turns the direction of writing, is replaced by a sign that is seen. The page
escapes it besides.
"""

from __future__ import annotations

import re
import unicodedata

from tap_openai_audit.redaction import redacted

LONGEST = 600
"""Characters of a text that are shown. Few sentences of the models are longer."""

_MOST_MARKS = 3
"""Marks on one letter, as many as languages have. More would paint over other lines."""

_SIGN = "�"
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0000-\U000e0fff]"
)
"""What counts as a letter, a mark or a sign and is not seen, mostly as dbt's macro
`printable` has it."""


def shown(value: object, longest: int = LONGEST) -> str:
    """Return a text as people may see it, at most so many characters long."""
    if value is None:
        return "not known"
    # What is far beyond the bound is cut first: the rest looks at each word.
    text = str(value)[: 4 * longest]
    return redacted(_visible(text), longest=longest)


def _visible(text: str) -> str:
    seen, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks > _MOST_MARKS:
            # One sign for all of them.
            if marks == _MOST_MARKS + 1:
                seen.append(_SIGN)
        elif character in "\n\t" or _is_seen(character):
            seen.append(character)
        else:
            seen.append(_SIGN)
    return "".join(seen)


def _is_seen(character: str) -> bool:
    return character.isprintable() and not _BLANK.match(character)
