"""Values nested deeper than loaders can follow.

Loaders walk through a value by recursion, and one event that is nested too deeply
would stop the batch of all others. What lies below the last level is kept, as the text
of its JSON.
"""

from __future__ import annotations

import json
import re

MOST_LEVELS = 64
"""Levels of objects and arrays in an event. Documented events have six; Python gives up
at 1,000 calls within each other, of which a loader may need several for a level."""

# A string, in which brackets mean nothing, or a bracket.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def shallow(body: bytes) -> bytes:
    """Replace what is nested too deeply by its JSON as a text."""
    out, copied, level, begun = [], 0, 0, 0
    for token in _TOKEN.finditer(body):
        if token[0] in (b"{", b"["):
            level += 1
            if level == MOST_LEVELS + 1:
                begun = token.start()
        elif token[0] in (b"}", b"]"):
            if level == MOST_LEVELS + 1:
                out += [body[copied:begun], _as_text(body[begun : token.end()])]
                copied = token.end()
            level -= 1
    return b"".join([*out, body[copied:]])


def _as_text(value: bytes) -> bytes:
    return json.dumps(value.decode(), ensure_ascii=False).encode()
