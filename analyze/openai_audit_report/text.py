"""The one gate for what comes from the log and is shown: names, addresses, sentences.

Anybody may have chosen them. So each is bounded, holds no key, and what nobody sees, or
what turns the direction of writing, is replaced by a sign that is seen. The page
escapes it besides.
"""

from __future__ import annotations

from tap_openai_audit.redaction import redacted

LONGEST = 600
"""Characters of a text that are shown. Few sentences of the models are longer."""


def shown(value: object, longest: int = LONGEST) -> str:
    """Return a text as people may see it, at most so many characters long."""
    if value is None:
        return "not known"
    # What is far beyond the bound is cut first: the rest looks at each word.
    text = str(value)[: 4 * longest]
    seen = "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
    return redacted(seen, longest=longest)
