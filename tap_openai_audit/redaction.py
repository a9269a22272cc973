"""The one gate for what comes from outside and goes into a message.

A response, a header, an event's id, a state or a setting may hold a key, control
characters that forge lines of a log, or a million characters. Whatever of them is
repeated to an operator is masked, printable and bounded: it passes through here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 300
"""Characters of a text that are repeated: enough for any message of the API."""

_ADMIN_KEY = "sk-admin-"
_FRAGMENT = 6
"""Characters in a row that identify a secret. The API repeats ends of four or less."""

_SHORTEST_END = 3
"""Characters at either end of a secret that are masked where they make a whole word, as
in `ending in Zr4`. Shorter ones would mask ordinary words, and tell nothing."""

MASK = "[key]"
"""What stands for a key."""
_LEFT_OUT = "[...]"
"""What stands for a secret that is none of OpenAI's keys."""

_KEY = re.compile(r"(?i)sk-(?:(?:admin|proj|svcacct|none)-\S|[a-z0-9]{20})\S*")
"""Keys as OpenAI makes them, of any kind and age, wherever in a text they begin."""

_KEY_LIKE = re.compile(rf"{_KEY.pattern}|\bsk-\w\S*")
_SHORTENED = re.compile(r"\*\*|[\w*-](?:\N{HORIZONTAL ELLIPSIS}|\.{3}|\[\.{3}\])[\w*-]")
"""A part left out, as the API repeats keys that it refuses."""

_VALUE = (
    rf"(?!{re.escape(MASK)}[^\w\s]*(?:\s|$))(?=[^\w\s]*\w)"
    r"""(?:"[^"]*"\S*|'[^']*'\S*|\S+)"""
)
"""A value in quotes, or a word. What has no letter was left out already."""

_PROVIDED = re.compile(rf"(?i)(api key provided:|ending (?:in|with)) ?{_VALUE}")

_SCHEME = r"(?:basic|bearer|digest|negotiate|token)"
_NAMED = re.compile(
    rf"""(?ix)(
    \bauthorization["']?\ ?[:=]\ ?["']?{_SCHEME}\ # such as `Authorization: Basic`
    | \bbearer[\ :=](?!(?:auth\w*|tokens?)(?:[^\w\s]*(?:\ |$)))
    | \bauthorization["']?\ ?[:=]\ ?(?!["']?{_SCHEME}\b)
    | (?:password|passwd|passphrase|pwd|secret|token|sig|signature|api[_-]?key)
      (?:["']\ ?:|["']?\ ?=)\ ?
    ){_VALUE}"""
)
"""What is a secret by the name in front of it, as in queries, headers and JSON."""

_USER_INFO = re.compile(r"(?<=://)(?:[^/\s?#@:]*:[^/?#]*|[^/\s?#]*)@")
"""All up to the last `@` in front of a path: a password may hold blanks."""

_PASSES = 4
"""What is left out may bring together what a first pass could not see. A text made to
that end takes three; the bound is for one that is cleverer still."""

_LONGEST_REST = 40
"""Characters of a word that are left out rather than cut through."""

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def redacted(value: object, *secrets: str, longest: int = LONGEST) -> str:
    """Return a text that may stand in a message, whatever it was made of.

    What this returns may go through it again and stays the same.

    Args:
        value: What came from outside.
        secrets: Keys that no message may hold a part of.
        longest: The most characters to return.
    """
    # What is far beyond the bound is cut first: masking looks at each word.
    text = str(value)[: 20 * longest]
    # Unicode counts as not printable what controls a terminal or the direction of text.
    text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    # A text is searched word by word, so a secret that holds blanks is as well.
    words = " ".join(secrets).casefold().split()
    # Hosts become lower case on their way, and so does a key where a host should be.
    own = [word.removeprefix(_ADMIN_KEY) for word in words]
    parts = _parts(own)
    for _ in range(_PASSES):
        before, text = text, _masked(text, own, parts)
        if text == before:
            break
    return text if len(text) <= longest else f"{_begin(text, longest - 4)} ..."


def holds_key(text: str, secret: str = "") -> bool:
    """Tell whether a text holds a key, or this secret, where neither belongs."""
    # A shorter one may be a part of anything, as of an organization's id.
    return bool(_KEY.search(text)) or (len(secret) >= _FRAGMENT and secret in text)


def _masked(text: str, secrets: Sequence[str], parts: set[str]) -> str:
    text = _USER_INFO.sub("[user]@", text)
    text = _PROVIDED.sub(rf"\1 {MASK}", text)
    text = _KEY_LIKE.sub(MASK, text)
    text = _NAMED.sub(rf"\1{_LEFT_OUT}", text)
    return " ".join(
        MASK if _tells(word.casefold(), secrets, parts) else _without_query(word)
        for word in text.split()
    )


def _without_query(word: str) -> str:
    """Leave out what follows the path of a URL: it may be a signature."""
    _, _, after = word.partition("://")
    mark = re.search(r"[?#]", after)
    if mark is None:
        return word
    query = after[mark.end() :]
    # What has no letter is no query, or was left out already.
    if not re.search(r"\w", query):
        return word
    return f"{word.removesuffix(query)}{_LEFT_OUT}"


def _begin(text: str, length: int) -> str:
    """Return the beginning of a text, up to the end of a word if one is near."""
    end = text.rfind(" ", length - _LONGEST_REST, length + 1)
    return text[: length if end < 0 else end]


def _tells(word: str, secrets: Sequence[str], parts: set[str]) -> bool:
    """Whether a word tells something of a secret, both in lower case."""
    return (
        _SHORTENED.search(word) is not None
        or any(part in word for part in parts)
        or any(
            len(name) >= _SHORTEST_END
            and (secret.startswith(name) or secret.endswith(name))
            for name in _NAME.findall(word)
            for secret in secrets
        )
    )


def _parts(secrets: Sequence[str]) -> set[str]:
    """All parts of the secrets that are long enough to tell something of them."""
    parts: set[str] = set()
    for secret in secrets:
        size = min(_FRAGMENT, len(secret))
        parts |= {secret[at : at + size] for at in range(len(secret) - size + 1)}
    return parts - {""}
