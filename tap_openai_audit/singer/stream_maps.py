"""Stream maps that change nothing of what they name: the SDK does not say so."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_REMOVES = (None, "__NULL__")
_NESTED = "__"
"""What a flattened name has between its parts. The SDK's own options begin with it."""


def without_effect(
    maps: Mapping[str, Any], columns: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Say which names in stream maps match nothing, a line each.

    Args:
        maps: The setting `stream_maps`.
        columns: The names of the columns of each stream.
    """
    for stream, rules in maps.items():
        if stream.startswith(_NESTED):
            continue
        found = [own for name, own in columns.items() if fnmatch(name, stream)]
        # A stream may be a copy of another one.
        copies = isinstance(rules, dict) and "__source__" in rules
        if not found and not copies:
            yield (
                f"stream_maps names {_shown(stream)}, which is no stream of this tap:"
                " this part has no effect"
            )
        elif found and isinstance(rules, dict):
            known = {column for own in found for column in own}
            for column, rule in rules.items():
                if not column.startswith(_NESTED) and column not in known:
                    yield from _of_column(stream, column, rule, known)


def _of_column(
    stream: str, column: str, rule: object, known: Collection[str]
) -> Iterator[str]:
    """Say what a rule for a column that is none does not do. A new one may be meant."""
    first = column.split(_NESTED, maxsplit=1)[0]
    nested = first != column and first in known
    if rule in _REMOVES or nested:
        where = f": columns are not flattened, the column is {first}" if nested else ""
        what = "removes" if rule in _REMOVES else "changes"
        yield (
            f"stream_maps {what} {_shown(column)}, which is no column of"
            f" {_shown(stream)}, so that nothing is left out or changed{where}"
        )


def _shown(name: object) -> str:
    return redacted(name, longest=80)
