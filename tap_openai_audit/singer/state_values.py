"""Values as a state keeps them: each is what it should be, or is refused.

All raise `TypeError` or `ValueError`, which whoever reads a state puts into words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_openai_audit.redaction import redacted
from tap_openai_audit.timestamps import iso, unix
from tap_openai_audit.windows import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def allow_only(names: Iterable[str], fields: Mapping[str, Any]) -> None:
    """Refuse fields of other names: what is ignored would be lost without a word."""
    for name in fields.keys() - set(names):
        raise ValueError(f"it has {redacted(name, longest=40)}, which is not known")


def text_of(value: object) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} where a text should be")
    return value


def list_of(value: object) -> list[Any]:
    """Read a list."""
    if not isinstance(value, list):
        raise TypeError(f"a {type(value).__name__} where a list should be")
    return value


def number_of(value: object) -> int:
    """Read a whole number that is not negative."""
    if type(value) is not int or value < 0:
        raise TypeError(f"{redacted(value, longest=40)} where a number should be")
    return value


def maybe_second(value: object) -> int | None:
    """Read a time, or null."""
    return None if value is None else int(unix(text_of(value)))


def or_beginning(value: object) -> int:
    """Read a time; null stands for the beginning of everything."""
    return BEGINNING if value is None else int(unix(text_of(value)))


def maybe_iso(second: int | None) -> str | None:
    """Write a time, or null."""
    return None if second is None else iso(second)


def unless_beginning(second: int) -> str | None:
    """Write a time; null stands for the beginning of everything."""
    return None if second == BEGINNING else iso(second)
