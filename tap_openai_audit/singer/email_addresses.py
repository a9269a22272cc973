"""Records without e-mail addresses, for warehouses that must not hold any.

A value that is an address becomes null, so that two people never look like one, and an
answer falls back to the id. In a longer text and in a list the address is replaced.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

REPLACEMENT = "[e-mail address]"
"""What stands for an address in a longer text."""

# Also as URLs and JSON within a text spell it.
_AT = re.compile(r"@|%(?:25)*40|\\u0040")

# What an address consists of: all but blanks and the "specials" of RFC 5322, which are
# allowed within quotes alone. Whatever has an @ counts, as nobody can tell all domains.
_WORD = re.compile(
    r'(?:"[^"]*"(?=@))?(?:[^\s()<>\[\]:;\\,"]+|\\u[0-9A-Fa-f]{4})+'
    r"(?:(?<=@)\[[^\]\s]{1,80}\])?"
)

# The only places of quotes in JSON are strings: one before a colon is a key, one after
# a colon a value, and any other one an item of an array.
_STRING = re.compile(rb'(:\s*)?("[^"\\]*(?:\\.[^"\\]*)*")(?=(\s*:)?)', re.DOTALL)

# Without one of these, a string of JSON spells no @.
_MAY_SPELL_AT = re.compile(rb"[@%\\]")

_FIRST_COLUMN = re.compile(rb'\{"[^"\\]*":"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def without_addresses_in_json(record: bytes) -> bytes:
    """Replace the e-mail addresses in a record that is JSON.

    Numbers keep all of their digits. The first column, which must be the key, is not
    changed: rows and digests are told apart by it.
    """
    if not _MAY_SPELL_AT.search(record):
        return record
    first = _FIRST_COLUMN.match(record)
    start = first.end() if first else 0
    texts = _Texts()

    def replaced(match: re.Match[bytes]) -> bytes:
        before, string, is_key = match.groups(b"")
        if not _MAY_SPELL_AT.search(string):
            return match[0]
        text = json.loads(string)
        new: str | None
        if is_key:
            new = texts.key(text)
        else:
            new = texts.value(text) if before else texts.item(text)
        return match[0] if new == text else before + json.dumps(new).encode()

    return record[:start] + _STRING.sub(replaced, record[start:])


def without_addresses(record: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Replace the e-mail addresses in a record.

    Args:
        record: The record. It is not changed.
        keys: The columns that rows are told apart by, which stay as they are.
    """
    texts = _Texts()

    def replaced(value: object) -> object:
        if isinstance(value, str):
            return texts.value(value)
        if isinstance(value, dict):
            return {texts.key(name): replaced(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [
                texts.item(inner) if isinstance(inner, str) else replaced(inner)
                for inner in value
            ]
        return value

    return {
        name if name in keys else texts.key(name): (
            value if name in keys else replaced(value)
        )
        for name, value in record.items()
    }


class _Texts:
    """Replaces addresses in the texts of one record."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def item(self, text: str) -> str:
        """Return an item of an array without addresses: its type may be text alone."""
        return _WORD.sub(_in_text, text) if _AT.search(text) else text

    def value(self, text: str) -> str | None:
        """Return a value without addresses, None where it is nothing else."""
        new = self.item(text)
        return None if new != text and new.strip() == REPLACEMENT else new

    def key(self, text: str) -> str:
        """Return a key without addresses. Keys that differ differ then too."""
        if not _AT.search(text):
            return text
        number = len(self._keys) + 1
        return self._keys.setdefault(text, f"{self.item(text)} {number}")


def _in_text(word: re.Match[str]) -> str:
    return REPLACEMENT if _AT.search(word[0]) else word[0]
