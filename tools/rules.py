"""The names of the rules as a macro of dbt, and their cards as a page of the docs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tools.contract import severities

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = "transform/macros/rules_of_this_package.sql"
PAGE = "docs/detections.md"

_ROOT = Path(__file__).parents[1]
_PREFIX = "rule_openai_audit__"
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
        parameters: Each with its default, the most that it may be, and its description.
    """

    rule: str
    description: str
    title: str
    severity: str
    kind: str
    window: str
    mitre: str
    false_positives: str
    remediation: str
    is_enabled: bool = True
    needs: tuple[str, ...] = ()
    parameters: tuple[tuple[str, Any, int | None, str], ...] = ()

    @property
    def summary(self) -> str:
        """The first sentence of the description: what the rule finds."""
        return re.split(r"(?<=[.])\s", self.description, maxsplit=1)[0]


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
        (name, about["default"], about.get("at_most"), about["description"])
        for name, about in meta.pop("parameters", {}).items()
    )
    return Card(
        rule=model["name"].removeprefix(_PREFIX),
        description=model["description"].strip(),
        needs=tuple(meta.pop("needs", ())),
        parameters=parameters,
        **meta,
    )


def names() -> str:
    """Return the macro that lists the rules: while dbt parses, it shows no models."""
    listed = "".join(f"    '{name}',\n" for name in sorted(c.rule for c in cards()))
    return (
        "{#- The models in models/rules, listed by `make generate`. -#}\n"
        "{% macro rules_of_this_package() -%}\n"
        f"{{%- set names = [\n{listed}] -%}}\n"
        "{{ return(names) }}\n"
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
            f"| [`{card.rule}`](#{card.rule}) | {card.severity}{off} | {card.summary} |"
        )
    yield ""
    for card in cards():
        yield from _section(card)


def _section(card: Card) -> Iterator[str]:
    yield f"### {card.rule}"
    yield ""
    yield card.description
    yield ""
    if not card.is_enabled:
        yield "- **Off**, until `openai_audit_rules` enables it"
    at_most = "" if card.severity == "info" else " at most"
    yield f"- **Severity**: {card.severity}{at_most}"
    yield f"- **Findings**: {_WINDOWS[card.window]}; `{card.kind}`"
    yield f"- **MITRE ATT&CK**: {card.mitre}"
    for name, default, most, description in card.parameters:
        limit = f", at most {most}" if most else ""
        yield f"- **`{name}`** ({default}{limit}): {description}"
    if card.needs:
        streams = ", ".join(f"`{stream}`" for stream in card.needs)
        yield f"- **Needs**: {streams}; without it the rule is silent"
    yield f"- **False positives**: {card.false_positives}"
    yield f"- **Remediation**: {card.remediation}"
    yield ""
