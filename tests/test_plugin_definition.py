"""`meltano.yml` and the definitions are what Meltano and its Hub accept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from testing.meltano_project import MELTANO, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the Hub takes of an extractor, apart from what it keeps about its own pages.
OF_A_PLUGIN = {
    "capabilities",
    "commands",
    "description",
    "executable",
    "label",
    "name",
    "namespace",
    "pip_url",
    "select",
    "settings",
    "settings_group_validation",
    "variant",
}
DEFINITIONS = ("plugins/tap-openai-audit.yaml", "plugins/tap-chatgpt-workspace.yaml")
OF_A_SETTING = {"description", "kind", "label", "name", "sensitive", "value"}


def content(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / name).read_text("utf-8")))


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    """The schema of `meltano.yml` that comes with Meltano."""
    packages = MELTANO.parents[1].glob("lib/python*/site-packages")
    (file,) = [path / "meltano/schemas/meltano.schema.json" for path in packages]
    return Draft202012Validator(json.loads(file.read_text("utf-8")))


def errors(schema: Draft202012Validator, project: dict[str, Any]) -> list[str]:
    return [f"{e.json_path}: {e.message}" for e in schema.iter_errors(project)]


def test_meltano_accepts_the_project(schema: Draft202012Validator) -> None:
    assert errors(schema, content("meltano.yml")) == []


@pytest.mark.parametrize("name", DEFINITIONS)
def test_meltano_accepts_a_definition_as_an_extractor(
    schema: Draft202012Validator, name: str
) -> None:
    definition = content(name)
    assert errors(schema, {"plugins": {"extractors": [definition]}}) == []
    definition["settings"][0]["kind"] = "number"
    assert errors(schema, {"plugins": {"extractors": [definition]}})


def test_no_plugin_needs_the_hub() -> None:
    locks = {path.stem for path in (ROOT / "plugins").glob("*/*.lock")}
    plugins = content("meltano.yml")["plugins"]
    everyone = [plugin for kind in plugins.values() for plugin in kind]
    needy = {
        plugin["name"]: plugin.get("variant")
        for plugin in everyone
        if not {"namespace", "inherit_from"} & plugin.keys()
    }
    assert {f"{name}--{variant}" for name, variant in needy.items()} == locks


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_has_every_key_of_the_hub_and_no_other(name: str) -> None:
    definition = content(name)
    assert set(definition) == OF_A_PLUGIN
    for setting in definition["settings"]:
        assert {"description", "kind", "label", "name"} <= set(setting) <= OF_A_SETTING


def test_each_tap_asks_for_an_account_and_its_key_alone() -> None:
    groups = [content(name)["settings_group_validation"] for name in DEFINITIONS]
    assert groups == [[["organization_id", "admin_key"]], [["workspace_id", "key"]]]


def test_no_variable_of_one_plugin_is_a_setting_of_the_other() -> None:
    """A plugin's name and its namespace are both prefixes of variables."""
    one, other = (content(name) for name in DEFINITIONS)
    for plugin, foreign in ((one, other), (other, one)):
        prefixes = {plugin["namespace"], plugin["name"].replace("-", "_")}
        others = {foreign["namespace"], foreign["name"].replace("-", "_")}
        assert not [p for p in prefixes for o in others if o.startswith(p)]
    extractors = content("meltano.yml")["plugins"]["extractors"]
    assert not [plugin for plugin in extractors if "inherit_from" in plugin]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_is_in_alphabetical_order(name: str) -> None:
    def mappings(value: object) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            yield value
            for inner in value.values():
                yield from mappings(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from mappings(inner)

    definition = content(name)
    assert [list(m) for m in mappings(definition) if list(m) != sorted(m)] == []
    assert definition["capabilities"] == sorted(definition["capabilities"])


@pytest.mark.parametrize(
    ("name", "key"), [*zip(DEFINITIONS, ["admin_key", "key"], strict=True)]
)
def test_only_the_key_is_a_secret(name: str, key: str) -> None:
    settings = content(name)["settings"]
    assert [s["name"] for s in settings if s.get("sensitive")] == [key]
    assert {s["kind"] for s in settings}.isdisjoint({"password", "hidden"})


def test_invented_events_never_go_where_real_ones_are() -> None:
    project = content("meltano.yml")

    def places(name: str) -> set[str]:
        (environment,) = [e for e in project["environments"] if e["name"] == name]
        variables = {**project["env"], **environment.get("env", {})}
        plugins = environment.get("config", {}).get("plugins", {})
        own = {
            loader["name"]: loader["config"] for loader in plugins.get("loaders", [])
        }
        loaders = project["plugins"]["loaders"]
        utilities = project["plugins"]["utilities"]
        settings = [s for utility in utilities for s in utility["settings"]]
        found = [str(setting["value"]) for setting in settings if "value" in setting]
        for loader in loaders:
            config = {**loader["config"], **own.get(loader["name"], {})}
            # DuckDB has a schema of one name in a file for each.
            keys = ("filepath", "destination_path", "default_target_schema")
            found.append(next(config[key] for key in keys if key in config))
        return {variables[v[1:]] for v in found if v[1:] in variables} | {
            v for v in found if v.startswith("$MELTANO_PROJECT_ROOT/output")
        }

    invented = places("sandbox")
    assert len(invented) == 5
    assert not invented & (places("dev") | places("prod")), (
        "a place of its own for each"
    )


def test_each_environment_has_files_that_meltano_and_duckdb_can_open() -> None:
    project = content("meltano.yml")
    # There Meltano puts in no value, and the path would begin with the variable's name.
    assert "$" not in str(project["env"])
    files = []
    for environment in project["environments"]:
        variables = {**project["env"], **environment["env"]}
        file = variables["AUDIT_DUCKDB"].removeprefix("$MELTANO_PROJECT_ROOT/")
        files.append(file)
        # DuckDB calls its catalog like the file; a schema of that name is ambiguous.
        assert file.removesuffix(".duckdb") not in variables.values()
        assert variables["AUDIT_REPORT"].startswith("$MELTANO_PROJECT_ROOT/output/")
    assert len(set(files)) == len(files)
