"""The catalogue of event types as dbt's seed: `make generate` writes it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

SEED = "transform/seeds/openai_audit__event_types.csv"

_CATALOGUE = (
    Path(__file__).parents[1] / "tap_openai_audit" / "audit_logs" / "event_types.json"
)


def seed() -> str:
    """Return the CSV file: a row for each event type, empty for what is not known.

    The actions of a workspace are event types as well.
    """
    catalogue = json.loads(_CATALOGUE.read_text("utf-8"))
    rows = [
        _row(name, entry, catalogue["objects"])
        for block in ("types", "workspace_audit", "workspace_auth")
        for name, entry in catalogue[block].items()
    ]
    written = io.StringIO()
    writer = csv.DictWriter(written, [*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def _row(name: str, entry: dict[str, Any], nouns: dict[str, str]) -> dict[str, str]:
    kind = entry.get("object", "")
    return {
        "event_type": name,
        "category": entry["category"],
        "object_kind": kind,
        "object_noun": nouns.get(kind, ""),
        "sentence": entry["sentence"],
        "otherwise": entry.get("otherwise", ""),
        "in_project": str(entry.get("in_project", False)).lower(),
    }
