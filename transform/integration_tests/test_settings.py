"""A setting of the rules that is misspelt or of another type stops dbt in one line."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import yaml

from testing.warehouse import PROJECT

CARD = {
    "title": "A rule",
    "severity": "high",
    "kind": "monotone",
    "window": "day",
    "remediation": "Look",
}


class Refused(Exception):
    """What dbt raises."""


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    models = [
        model
        for path in (PROJECT / "models/rules").glob("*.yml")
        for model in yaml.safe_load(path.read_text("utf-8"))["models"]
    ]
    own = [
        {"name": "our_rule", "config": {"materialized": "ephemeral", "meta": CARD}},
        {"name": "our_table", "config": {"materialized": "table", "meta": CARD}},
        {"name": "our_guess", "config": {"meta": {**CARD, "severity": "urgent"}}},
        {"name": "our_domains", "config": {"meta": {}}},
    ]
    return {
        f"model.{package}.{model['name']}": {"package_name": package, **model}
        for package, described in (("openai_audit", models), ("own", own))
        for model in described
    }


def check(variables: dict[str, Any], nodes: dict[str, Any]) -> None:
    """Check variables as dbt does before a run."""

    def refuse(message: str) -> None:
        raise Refused(message)

    package = SimpleNamespace()
    context = {
        "exceptions": SimpleNamespace(raise_compiler_error=refuse),
        "execute": True,
        "graph": {"nodes": nodes},
        "modules": SimpleNamespace(re=re),
        "openai_audit": package,
        "project_name": "own",
        "var": variables.get,
    }
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])  # noqa: S701
    text = (PROJECT / "macros/settings.sql").read_text("utf-8")
    vars(package).update(vars(environment.from_string(text).make_module(context)))
    package.check_settings()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"openai_audit_rules": None, "openai_audit_suppressions": None},
        {
            "openai_audit_rules": {
                "mass_deletion": {"minutes": 1440, "enabled": False, "severity": "low"},
                "api_key_with_broad_scopes": {"scopes": ["api.all"]},
                "workspace_control_changed": {"sso_providers": []},
            }
        },
        {
            "openai_audit_suppressions": [
                {"rule": "unused_api_key"},
                {"entity": "key-1"},
            ]
        },
        {"openai_audit_suppressions": "security.suppressions"},
        {"openai_audit_own_domains": "our_domains"},
        {
            "openai_audit_own_rules": ["our_rule"],
            "openai_audit_rules": {"our_rule": {"enabled": False}},
            "openai_audit_suppressions": [{"rule": "our_rule"}],
        },
        {"openai_audit_own_domains": "security.domains"},
        {"openai_audit_own_networks": ["192.0.2.0/24", "2001:db8::/32", "::1"]},
        {"openai_audit_suppressions": [{"entity": "key-1", "until": "2027-01-31"}]},
        {"openai_audit_sources": [{"schema": "a"}, {"schema": "b", "database": "c"}]},
    ],
)
def test_what_the_docs_say_is_taken(
    variables: dict[str, Any], nodes: dict[str, Any]
) -> None:
    check(variables, nodes)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"openai_audit_rules": ["unused_api_key"]},
            "openai_audit_rules is not a mapping",
        ),
        (
            {"openai_audit_rules": {"unused_api_ky": {}}},
            "openai_audit_rules.unused_api_ky is no",
        ),
        (
            {"openai_audit_rules": {"unused_api_key": None}},
            "unused_api_key is not a mapping",
        ),
        (
            {"openai_audit_rules": {"unused_api_key": {"enable": False}}},
            "unused_api_key.enable is no setting of the rule, which has enabled, sever",
        ),
        (
            {"openai_audit_rules": {"unused_api_key": {"enabled": "false"}}},
            "unused_api_key.enabled is neither true nor false",
        ),
        (
            {"openai_audit_rules": {"unused_api_key": {"severity": "hgih"}}},
            "unused_api_key.severity is none of critical",
        ),
        (
            {"openai_audit_rules": {"unused_api_key": {"days": "90"}}},
            "unused_api_key.days is not a whole number",
        ),
        (
            {"openai_audit_rules": {"unused_api_key": {"days": 0}}},
            "unused_api_key.days is not a whole number",
        ),
        (
            {"openai_audit_rules": {"mass_deletion": {"minutes": 4320}}},
            "mass_deletion.minutes is more than 1440",
        ),
        (
            {"openai_audit_rules": {"api_key_with_broad_scopes": {"scopes": "a.b"}}},
            "scopes is not a list with at least one text",
        ),
        (
            {"openai_audit_rules": {"api_key_with_broad_scopes": {"scopes": []}}},
            "scopes is not a list with at least one text",
        ),
        (
            {"openai_audit_suppressions": {"rule": "unused_api_key"}},
            "neither a list nor",
        ),
        ({"openai_audit_own_rules": "our_rule"}, "is not a list of names of models"),
        ({"openai_audit_own_rules": ["their_rule"]}, "their_rule is no model of own"),
        (
            {"openai_audit_own_rules": ["our_domains"]},
            "our_domains lacks title, severity, kind, window, remediation",
        ),
        (
            {"openai_audit_own_rules": ["our_guess"]},
            "our_guess has a severity that is none of critical",
        ),
        (
            {"openai_audit_own_rules": ["our_table"]},
            "our_table is not materialized as ephemeral",
        ),
        ({"openai_audit_suppressions": [None]}, "has an item that is not made of rule"),
        (
            {"openai_audit_suppressions": [{"rul": "unused_api_key"}]},
            "has an item that is not made of rule",
        ),
        (
            {"openai_audit_suppressions": [{"reason": "holidays"}]},
            "without rule and entity, which would suppress everything",
        ),
        (
            {"openai_audit_suppressions": [{"rule": "unused_api_ky"}]},
            "unused_api_ky is no rule",
        ),
        (
            {"openai_audit_suppressions": [{"entity": "key-1", "until": "soon"}]},
            "until is not written as",
        ),
        ({"openai_audit_sources": {"schema": "a"}}, "openai_audit_sources is not a"),
        ({"openai_audit_sources": [{"database": "c"}]}, "an item without a schema"),
        ({"openai_audit_own_networks": ["foo"]}, "no address and no range"),
        ({"openai_audit_own_networks": ["192.0.2.0/99"]}, "no address and no range"),
        ({"openai_audit_own_domains": "example"}, "no model has that name"),
        ({"openai_audit_own_cloud_accounts": 123456789012}, "neither a list of texts"),
        ({"openai_audit_own_cloud_accounts": [123456789012]}, "write it in quotes"),
    ],
)
def test_what_would_have_no_effect_or_another_is_refused(
    variables: dict[str, Any], message: str, nodes: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        check(variables, nodes)
    said = str(refused.value)
    assert message in said
    assert "\n" not in said
    page = "answers" if "openai_audit_sources" in variables else "detections"
    assert said.endswith(f": correct the variable, see docs/{page}.md")
