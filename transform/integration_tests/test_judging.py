"""All events are judged again where rules compile to something else, and only then."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.conftest import in_duckdb
from testing.messages import event, events
from testing.warehouse import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from testing.warehouse import Warehouse

RULES = "models/rules/rule_openai_audit__"


@pytest.fixture
def copied(own: Warehouse, tmp_path: Path) -> Warehouse:
    """The warehouse with a copy of the package that a test may change."""
    project = tmp_path / "transform"
    leave = shutil.ignore_patterns("integration_tests", "target", "logs")
    shutil.copytree(PROJECT, project, ignore=leave)
    return replace(own, project=project)


def build(warehouse: Warehouse, **variables: Any) -> list[str]:
    """Build up to the matches, and return the keys for which a match was written."""
    warehouse.run("+int_openai_audit__matches", **variables)
    rows = warehouse.rows(
        "select entity from {answers}.int_openai_audit__matches"
        " where rule = 'customer_managed_key_removed'"
    )
    warehouse.execute(
        "delete from {answers}.int_openai_audit__matches where event_id is not null"
    )
    return [entity for (entity,) in rows]


def edit(warehouse: Warehouse, name: str, before: str, after: str) -> None:
    path = warehouse.project / name
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


@in_duckdb
def test_judging_anew_follows_what_rules_compile_to(copied: Warehouse) -> None:
    removed = {"type": "external_key.removed", "details": {"id": "key-1"}}
    copied.load(events(event("a", **removed)))
    assert build(copied) == ["key-1"]

    rule = f"{RULES}customer_managed_key_removed"
    edit(copied, f"{rule}.sql", "select\n", "{# why #}\n/* why */\nselect  -- why\n\n")
    edit(copied, f"{rule}.yml", "remediation: ", "remediation: Do not wait. ")
    edit(copied, "macros/rules.sql", "{#- ", "{#- Another comment. ")
    assert build(copied) == []

    edit(copied, f"{rule}.sql", "'critical'", "'high'")
    assert build(copied) == ["key-1"]

    variables = {"openai_audit_own_networks": ["192.0.2.0/24"]}
    assert build(copied, **variables) == ["key-1"]

    catalogue = "seeds/openai_audit__event_types.csv"
    edit(copied, catalogue, "external_key.removed,", "external_key.gone,")
    assert build(copied, **variables) == ["key-1"]
    assert build(copied, **variables) == []
