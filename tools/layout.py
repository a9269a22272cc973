"""How what is made is written: YAML as people write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 88
"""Characters of a line."""

_LONG = 70
"""Characters of a text that a line of YAML has room for, beside name and indent."""


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks, as people do."""


def _text(dumper: _Dumper, value: str) -> Any:  # noqa: ANN401 - a node of PyYAML
    style = "|" if "\n" in value else ">" if len(value) > _LONG else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(content: Mapping[str, Any]) -> str:
    """Return a mapping as YAML, its keys in alphabetical order."""
    # PyYAML does not count the indentation of a block.
    return yaml.dump(content, Dumper=_Dumper, sort_keys=True, width=WIDTH - 5)
