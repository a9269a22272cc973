"""Escape text for chats, pagers and mail: no mention, link or markup is left in it.

Receivers differ in what they read as markup, and few can be asked for plain text. So
each sign that one of them may interpret is replaced by one that looks alike.
"""

from __future__ import annotations

import re

from openai_audit_analyze.text import safe

_LOOK_ALIKE = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        # For receivers of HTML, Apprise reads `&lt;` as `<`, and `&#64;` as `@`.
        "&": "\N{FULLWIDTH AMPERSAND}",
        "*": "\N{ASTERISK OPERATOR}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "~": "\N{TILDE OPERATOR}",
        "|": "\N{BROKEN BAR}",
    }
)
_UNDERLINE = re.compile(r"(?<!\w)_+|_+(?!\w)")
"""Where Markdown begins or ends italics: not within a word."""

_HASH = re.compile(r"#(?=\w)")
"""Some receivers link what follows, as the name of a channel or a subject."""

_SCHEME = re.compile(
    r"(?i)(?<![a-z0-9])(?![0-9a-f]+:)([a-z0-9+.-]+):(?=\S)" r"|:(?=//)"
)
"""The beginning of a URL, such as `mailto:`, but no time and no IPv6 address."""

_DOT = re.compile(r"(?<=\S)[.\u3002\uff0e\uff61](?=[^\W\d_])")
"""A dot as in a host name, which receivers link without any scheme."""

_IP_ADDRESS = re.compile(r"(?<!\d)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(?=\d)")

_MENTION = re.compile(r"(?i)(?<![a-z0-9])@|@(?=everyone|here|(?:channel|all|room)\b)")
"""What receivers read as a mention, but not the middle of an e-mail address."""


def escaped(text: str, longest: int) -> str:
    """Return a user-supplied text as one line that no receiver interprets.

    Args:
        text: The text.
        longest: The most characters of it to show. Escaping adds to them.
    """
    shown = safe(text, longest=longest).translate(_LOOK_ALIKE)
    shown = _UNDERLINE.sub(_low_lines, shown)
    # As analysts write addresses that should not be opened by accident.
    shown = _SCHEME.sub(r"\1[:]", shown)
    shown = _IP_ADDRESS.sub(r"\1[.]\2[.]\3[.]", shown)
    shown = _DOT.sub("[.]", shown)
    shown = _HASH.sub("\N{FULLWIDTH NUMBER SIGN}", shown).replace("](", "] (")
    return _MENTION.sub("\N{FULLWIDTH COMMERCIAL AT}", shown)


def _low_lines(found: re.Match[str]) -> str:
    return "\N{FULLWIDTH LOW LINE}" * len(found[0])
