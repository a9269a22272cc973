"""How a test reads a page."""

from __future__ import annotations

import re


def section(page: str, name: str) -> str:
    """The text of a section, its markup left out."""
    (part,) = re.findall(
        rf'<section aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL
    )
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", part.replace("<wbr>", "")))
