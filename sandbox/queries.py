"""Reads the parameters of list requests, and refuses what the API refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from sandbox.replies import Reply, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTEGER = re.compile(r"-?[0-9]{1,19}")


class RefusedError(Exception):
    """A request the API answers with an error."""

    def __init__(self, reply: Reply) -> None:
        """Take the answer."""
        super().__init__(reply.status)
        self.reply = reply


class Query:
    """The parameters of one request; lists come with or without brackets."""

    def __init__(self, text: bytes) -> None:
        """Parse a query string."""
        self._values: dict[str, list[str]] = {}
        pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True)
        for name, value in pairs:
            self._values.setdefault(name.removesuffix("[]"), []).append(value)

    def many(self, name: str) -> list[str]:
        """Return every value of a list parameter."""
        return self._values.get(name, [])

    def one(self, name: str) -> str | None:
        """Return the last value of a parameter, or None."""
        values = self._values.get(name)
        return values[-1] if values else None

    def integer(self, name: str) -> int | None:
        """Return a whole number, or None.

        Raises:
            RefusedError: It is not a number.
        """
        text = self.one(name)
        if text is None:
            return None
        if not _INTEGER.fullmatch(text):
            raise RefusedError(invalid(name, f"Invalid type for '{name}': {text!r}."))
        return int(text)

    def limit(self, default: int, least: int, most: int) -> int:
        """Return the number of objects wanted.

        Raises:
            RefusedError: It is out of range.
        """
        limit = self.integer("limit")
        if limit is None:
            return default
        if not least <= limit <= most:
            side = "above_max" if limit > most else "below_min"
            message = f"Invalid 'limit': expected {least} to {most}, got {limit}."
            raise RefusedError(invalid("limit", message, f"integer_{side}_value"))
        return limit

    def flag(self, name: str) -> bool:
        """Return a true-or-false parameter; false when it is not given.

        Raises:
            RefusedError: It is neither.
        """
        text = (self.one(name) or "false").lower()
        if text not in ("true", "false"):
            raise RefusedError(invalid(name, f"Invalid type for '{name}': {text!r}."))
        return text == "true"

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        """Return a parameter that has a few possible values.

        Raises:
            RefusedError: It has another value.
        """
        text = self.one(name) or default
        if text not in options:
            message = f"Invalid value for '{name}': {text!r}."
            raise RefusedError(invalid(name, message, "invalid_value"))
        return text
