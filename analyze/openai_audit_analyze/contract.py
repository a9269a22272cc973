"""What dbt promises: the columns of its models, the severities and the verdicts.

`make generate` writes `contract.json` from the dbt package.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTRACT = json.loads(
    resources.files("openai_audit_analyze").joinpath("contract.json").read_text("utf-8")
)

MODELS: Mapping[str, Mapping[str, str]] = _CONTRACT["models"]
"""The columns of each public model, with their types."""

SEVERITIES: tuple[str, ...] = tuple(_CONTRACT["severities"])
"""From the most severe down."""

VERDICTS: frozenset[str] = frozenset(_CONTRACT["verdicts"])
"""What `openai_audit__coverage` may say of a day or a file."""


def rank(severity: str) -> int:
    """Return the place of a severity, 0 for the most severe.

    One that is unknown is as severe as any: a message too many harms less than none.
    """
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def below(minimum: str) -> list[str]:
    """Return the severities that do not reach a minimum."""
    return list(SEVERITIES[rank(minimum) + 1 :])


def types(model: str, *columns: str) -> dict[str, str]:
    """Return columns of a model with their types, in this order.

    Raises:
        KeyError: The model has no such column.
    """
    return {column: MODELS[model][column] for column in columns}
