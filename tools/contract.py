"""The columns, severities and verdicts of the dbt package, for what reads its models.

The columns are those of the models' contracts, which dbt enforces in each run.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

CONTRACT = "analyze/openai_audit_analyze/contract.json"

_TRANSFORM = Path(__file__).parents[1] / "transform"
_TYPES = {"jsonb": "json", "double": "float"}
"""A type that differs by warehouse, by a word in its template."""


def severities() -> list[str]:
    """Return the severities that dbt accepts, the most severe first.

    Raises:
        ValueError: The macro that checks them has changed.
    """
    text = (_TRANSFORM / "macros/settings.sql").read_text("utf-8")
    found = re.search(r"== 'severity' -%\}\s*\{%- if value not in \[(.+?)\]", text)
    if found is None:
        raise ValueError("macros/settings.sql names no severities")
    return re.findall(r"'(\w+)'", found[1])


def contract() -> str:
    """Return the file."""
    marts = _models("models/marts/_marts.yml", "models")
    models = {
        name: {
            column["name"]: _type(column["data_type"]) for column in model["columns"]
        }
        for name, model in marts.items()
    }
    content = {
        "models": models,
        "severities": severities(),
        "verdicts": _accepted(marts["openai_audit__coverage"], "verdict"),
    }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _models(name: str, kind: str) -> dict[str, Any]:
    listed = yaml.safe_load((_TRANSFORM / name).read_text("utf-8"))[kind]
    return {model["name"]: model for model in listed}


def _type(template: str) -> str:
    if "{{" not in template:
        return template
    return next((t for word, t in _TYPES.items() if word in template), "text")


def _accepted(model: dict[str, Any], name: str) -> list[str]:
    """Return the values that a column's test accepts, in alphabetical order."""
    (column,) = [c for c in model["columns"] if c["name"] == name]
    (values,) = [
        test["accepted_values"]["arguments"]["values"]
        for test in column["data_tests"]
        if "accepted_values" in test
    ]
    return sorted(values)
