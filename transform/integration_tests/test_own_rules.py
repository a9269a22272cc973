"""Rules of a project that installs the package stand beside those of the package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
import yaml

from testing.messages import event, events, stream_of
from testing.warehouse import PROJECT, Warehouse

if TYPE_CHECKING:
    from pathlib import Path

RULE = """
select
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    '{severity}' as severity,
    '{{actor}} deleted a user by hand' as sentence
from {{{{ ref('int_openai_audit__watched') }}}}
where event_type = 'user.deleted'
"""
LISTED = """
select
    organization_id as account_id,
    since as occurred_at,
    principal_id as entity,
    'low' as severity,
    'it is listed' as sentence,
    access_kind as object_kind,
    principal_id as object_id
from {{ ref('openai_audit__access') }}
"""
KEYS = {"id": str, "organization_id": str, "created_at": datetime}
CARD = {"title": "User deleted by hand", "severity": "high", "window": "day"}
CARDS = {
    "user_deleted_by_hand": {
        **CARD,
        "kind": "monotone",
        "mitre": "T1531",
        "false_positives": "A person who left.",
        "remediation": "Delete users in the directory.",
    },
    "anything_listed": {
        **CARD,
        "kind": "snapshot",
        "window": "ever",
        "remediation": "Nothing.",
    },
}


@dataclass(frozen=True)
class OwnProject:
    """A dbt project called `own` that depends on the package."""

    warehouse: Warehouse
    directory: Path

    def write(self, severity: str = "high") -> None:
        """Write its rules, that of events with a severity."""
        models = self.directory / "models"
        models.mkdir(exist_ok=True)
        (models / "user_deleted_by_hand.sql").write_text(RULE.format(severity=severity))
        (models / "anything_listed.sql").write_text(LISTED)
        described = [
            {
                "name": name,
                "description": f"What {name} is for.",
                "config": {"materialized": "ephemeral", "meta": card},
            }
            for name, card in CARDS.items()
        ]
        content = {"version": 2, "models": described}
        (models / "rules.yml").write_text(yaml.safe_dump(content))

    def build(self) -> None:
        select = "+openai_audit__findings"
        self.warehouse.build(select, openai_audit_own_rules=[*CARDS])


@pytest.fixture
def project(own: Warehouse, tmp_path: Path) -> OwnProject:
    content = {
        "name": "own",
        "profile": "openai_audit",
        "flags": {"send_anonymous_usage_stats": False},
    }
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump(content))
    packages = {"packages": [{"local": str(PROJECT)}]}
    (tmp_path / "packages.yml").write_text(yaml.safe_dump(packages))
    warehouse = replace(own, project=tmp_path)
    warehouse.dbt("deps")
    return OwnProject(warehouse, tmp_path)


def test_a_rule_of_your_own_becomes_findings_with_its_card(project: OwnProject) -> None:
    warehouse = project.warehouse
    key = {
        "id": "key-1",
        "organization_id": "org-1",
        "created_at": "2026-01-01T00:00:00Z",
    }
    warehouse.load(
        [
            *events(event("a", type="user.deleted")),
            *stream_of("admin_api_keys", ["organization_id", "id"], KEYS, [key]),
        ]
    )
    project.write()
    project.build()
    found = warehouse.rows(
        "select rule, severity, title, remediation, mitre, sentence"
        " from {answers}.openai_audit__findings"
        " where rule in ('user_deleted_by_hand', 'anything_listed') order by rule"
    )
    card = CARDS["user_deleted_by_hand"]
    assert found == [
        ("anything_listed", "low", CARD["title"], "Nothing.", None, "it is listed"),
        (
            "user_deleted_by_hand",
            "high",
            card["title"],
            card["remediation"],
            "T1531",
            "ada@example.com deleted a user by hand",
        ),
    ]
    described = warehouse.rows(
        "select description, false_positives, calendar_window, is_enabled"
        " from {answers}.openai_audit__rules where rule = 'user_deleted_by_hand'"
    )
    text = "What user_deleted_by_hand is for."
    assert described == [(text, "A person who left.", "day", True)]
    # What it compiles to has changed, so what was judged before is judged again.
    project.write(severity="critical")
    project.build()
    query = (
        "select severity from {answers}.int_openai_audit__matches"
        " where rule = 'user_deleted_by_hand'"
    )
    assert warehouse.rows(query) == [("critical",)]
