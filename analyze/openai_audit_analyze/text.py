"""Make user-supplied text safe to show: names, addresses, sentences, database errors.

Users choose their name, e-mail address and user agent, and the names of the projects
and keys that they create. `safe` bounds such a text, puts it on one line, shows
invisible characters, and masks secrets. Escaping for HTML or for a chat is done by the
code that writes that medium.

A mask never covers more than the text that carries the secret: a name may not hide what
stands beside it in a sentence. Names stand in typographic quotes there, so no mask
reaches across one.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 600
"""Characters of a text that are shown. Few sentences of the models are longer."""

_MOST_MARKS = 3
"""Combining marks on one letter: as many as languages use. More would paint over other
lines."""

_SIGN = "\N{REPLACEMENT CHARACTER}"
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0000-\U000e0fff]"
)
"""Letters, marks and symbols that are invisible, as in dbt's macro `printable`."""

_LEFT_OUT = "[...]"
_KEY = re.compile(
    r"(?i)(?<![a-z0-9])sk-[a-z0-9_-]{20,}(?![a-z0-9_@-])",
)
"""An API key of OpenAI, but not the beginning of an e-mail address."""

_VALUE = r"""(?:\ ?"[^"“”]*"|\ ?'[^'“”]*'|[^\s"'“”]*\w[^\s“”]*)"""
_NAMED = re.compile(
    rf"""(?ix)(
    (?:password|passwd|passphrase|pwd|secret|token|sig|signature|api[_-]?key)
    (?:["']\ ?:|["']?\ ?=)
    ){_VALUE}"""
)
"""A value that is secret by the name in front of it, as in queries and JSON."""

_USER_INFO = re.compile(r"(?<=://)[^/\s?#“”]*@")
_QUERY = re.compile(r"(?<=://)([^\s?#“”]*[?#])[^\s“”]*\w[^\s“”]*")
"""What follows the path of a URL: it may be a signature."""

_FRAGMENT = 6
"""Characters in a row that identify a secret, as in the tap's `redacted`."""


def safe(value: object, *secrets: str, longest: int = LONGEST) -> str:
    """Return a text that may be shown, on one line; None is `not known`.

    Args:
        value: What came from the warehouse, a setting or a database's error.
        secrets: Passwords of which no part may be shown.
        longest: The most characters to return.
    """
    if value is None:
        return "not known"
    # Cut what is far too long first: the rest looks at every character.
    text = " ".join(_visible(str(value)[: 4 * longest]).split())
    text = _USER_INFO.sub("[user]@", text)
    text = _QUERY.sub(rf"\1{_LEFT_OUT}", text)
    text = _NAMED.sub(rf"\1{_LEFT_OUT}", text)
    text = _without(_KEY.sub("[key]", text), secrets)
    return text if len(text) <= longest else f"{text[: longest - 4].rstrip()} ..."


def _visible(text: str) -> str:
    """Replace what is invisible, or turns the direction of writing, by a sign."""
    seen, marks = [], 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > _MOST_MARKS:
            # One sign stands for all of them.
            if marks == _MOST_MARKS + 1:
                seen.append(_SIGN)
        elif character in "\t\n\r" or category.startswith("Z"):
            seen.append(" ")
        elif character.isprintable() and not _BLANK.match(character):
            seen.append(character)
        else:
            seen.append(_SIGN)
    return "".join(seen)


def _without(text: str, secrets: tuple[str, ...]) -> str:
    """Mask each word that holds a part of a secret."""
    parts = {
        word[at : at + _FRAGMENT]
        for secret in secrets
        for word in secret.casefold().split()
        for at in range(max(1, len(word) - _FRAGMENT + 1))
    }
    if not parts:
        return text
    return " ".join(
        "[key]" if any(part in word.casefold() for part in parts) else word
        for word in text.split()
    )
