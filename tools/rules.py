"""The cards of the rules as dbt's seed and as a page of the docs."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tools.contract import severities
from tools.seed import seed as seed_of_types

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = "transform/seeds/openai_audit__rules.csv"
PAGE = "docs/detections.md"
CHECKSUM = "transform/macros/rules_checksum.sql"

_ROOT = Path(__file__).parents[1]
_PREFIX = "rule_openai_audit__"
_MADE_OF = (
    "macros/*.sql",
    "models/rules/*.sql",
    "models/intermediate/int_openai_audit__events.sql",
    "models/intermediate/int_openai_audit__watched.sql",
    "models/intermediate/int_openai_audit__matches.sql",
    "models/staging/*_logs.sql",
)
"""Below `transform/`: what decides, with the catalogue, what a rule finds."""

_WINDOWS = {
    "day": "one a day for each entity",
    "week": "one a week for each entity",
    "month": "one a month for each entity",
    "ever": "one for each entity, once",
}


@dataclass(frozen=True)
class Card:
    """What the description of a rule's model says of it.

    Attributes:
        window: The calendar window in which all matches are one finding.
        needs: The streams without which the rule is silent.
        parameters: Each with its default, the most that it may be, and its meaning.
    """

    rule: str
    description: str
    title: str
    severity: str
    kind: str
    window: str
    meaning: str
    mitre: str
    false_positives: str
    what_to_do: str
    is_enabled: bool = True
    needs: tuple[str, ...] = ()
    parameters: tuple[tuple[str, Any, int | None, str], ...] = ()


def cards() -> list[Card]:
    """Return the cards of all rules, the most severe first."""
    found = [
        _card(model)
        for path in (_ROOT / "transform/models/rules").glob("*.yml")
        for model in yaml.safe_load(path.read_text("utf-8"))["models"]
    ]
    order = severities()
    return sorted(found, key=lambda c: (order.index(c.severity), c.rule))


def _card(model: dict[str, Any]) -> Card:
    meta = dict(model["config"]["meta"])
    parameters = tuple(
        (name, about["default"], about.get("at_most"), about["meaning"])
        for name, about in meta.pop("parameters", {}).items()
    )
    return Card(
        rule=model["name"].removeprefix(_PREFIX),
        description=model["description"],
        needs=tuple(meta.pop("needs", ())),
        parameters=parameters,
        **meta,
    )


def seed() -> str:
    """Return the CSV file: a row for each rule."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(
        [
            "rule", "title", "severity", "kind", "calendar_window", "is_enabled",
            "meaning", "mitre", "false_positives", "what_to_do",
        ]
    )  # fmt: skip
    for card in sorted(cards(), key=lambda c: c.rule):
        writer.writerow(
            [
                card.rule, card.title, card.severity, card.kind, card.window,
                str(card.is_enabled).lower(), card.meaning, card.mitre,
                card.false_positives, card.what_to_do,
            ]
        )  # fmt: skip
    return written.getvalue()


def checksum() -> str:
    """Return the macro by which a run knows that the rules are other ones.

    dbt shows models to a macro, but no macros, and rules are made of both.
    """
    made_of = hashlib.sha256(seed_of_types().encode())
    transform = _ROOT / "transform"
    for pattern in _MADE_OF:
        for path in sorted(transform.glob(pattern)):
            if path != _ROOT / CHECKSUM:
                made_of.update(path.read_bytes())
    return (
        "{#- What the rules are made of, written by `make generate`. -#}\n"
        "{% macro checksum_of_rules() -%}"
        f" {{{{ return('{made_of.hexdigest()}') }}}} "
        "{%- endmacro %}\n"
    )


def page() -> str:
    """Return the part of the page that lists all rules."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield ""
    yield "| rule | severity | finds |"
    yield "|---|---|---|"
    for card in cards():
        off = "" if card.is_enabled else " (off)"
        yield (
            f"| [`{card.rule}`](#{card.rule}) | {card.severity}{off}"
            f" | {card.description} |"
        )
    yield ""
    for card in cards():
        yield from _section(card)


def _section(card: Card) -> Iterator[str]:
    yield f"### {card.rule}"
    yield ""
    yield f"{card.description} {card.meaning}"
    yield ""
    if not card.is_enabled:
        yield "- **Off**, until `openai_audit_rules` enables it"
    at_most = "" if card.severity == "info" else " at most"
    yield f"- **Severity**: {card.severity}{at_most}"
    yield f"- **Findings**: {_WINDOWS[card.window]}; `{card.kind}`"
    yield f"- **MITRE ATT&CK**: {card.mitre}"
    for name, default, most, meaning in card.parameters:
        limit = f", at most {most}" if most else ""
        yield f"- **`{name}`** ({default}{limit}): {meaning}"
    if card.needs:
        streams = ", ".join(f"`{stream}`" for stream in card.needs)
        yield f"- **Needs**: {streams}; without it the rule is silent"
    yield f"- **False positives**: {card.false_positives}"
    yield f"- **What to do**: {card.what_to_do}"
    yield ""
