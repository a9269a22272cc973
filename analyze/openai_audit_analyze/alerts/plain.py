"""Text of others, shown as text, whatever a receiver makes of it.

A finding's texts hold names that anybody may have chosen, and many receivers read text
as markup. So what would be a mention, a link or markup there is replaced here by signs
that look alike, and nothing is left to how well each receiver is asked for plain text.
Nothing else is left out than a key of OpenAI's, within one word: a name must not hide
what stands beside it.
"""

from __future__ import annotations

import re

_KEY = re.compile(r"(?i)(?<![a-z0-9])sk-[a-z0-9_-]{20,}(?![a-z0-9_@-])")
"""A key of OpenAI's, but not the beginning of an e-mail address."""

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
"""What begins an address, such as `mailto:`, but no time and no address of IPv6."""

_DOT = re.compile(r"(?<=\S)[.\u3002\uff0e\uff61](?=[^\W\d_])")
"""A dot as in the name of a host, which receivers link without any scheme."""

_IP_ADDRESS = re.compile(r"(?<!\d)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(?=\d)")

_MENTION = re.compile(r"(?i)(?<![a-z0-9])@|@(?=everyone|here|(?:channel|all|room)\b)")
"""What receivers take for a mention, but not the middle of an e-mail address."""


def plain(text: str, longest: int) -> str:
    """Return a text on one line, which is no more than a text anywhere.

    Args:
        text: What others wrote.
        longest: How many characters of it are shown.
    """
    # Unicode counts as not printable what controls the direction of text.
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    shown = _KEY.sub("[key]", " ".join(shown.split()))
    if len(shown) > longest:
        shown = f"{shown[: longest - 4]} ..."
    shown = _UNDERLINE.sub(_low_lines, shown.translate(_LOOK_ALIKE))
    # As analysts write addresses that nobody should open by accident.
    shown = _SCHEME.sub(r"\1[:]", shown)
    shown = _IP_ADDRESS.sub(r"\1[.]\2[.]\3[.]", shown)
    shown = _DOT.sub("[.]", shown)
    shown = _HASH.sub("\N{FULLWIDTH NUMBER SIGN}", shown).replace("](", "] (")
    return _MENTION.sub("\N{FULLWIDTH COMMERCIAL AT}", shown)


def _low_lines(found: re.Match[str]) -> str:
    return "\N{FULLWIDTH LOW LINE}" * len(found[0])
