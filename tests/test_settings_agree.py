"""A setting is declared once, and shown the same wherever it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from singer_sdk.helpers.capabilities import (
    STREAM_MAPS_CONFIG,
    PluginCapabilities,
    TapCapabilities,
)

from tools.definition import PLUGINS, Plugin
from tools.generate import files

ROOT = Path(__file__).resolve().parents[1]
FILES = files()


@pytest.mark.parametrize(("name", "content"), FILES.items(), ids=FILES)
def test_what_is_committed_is_what_is_generated(name: str, content: str) -> None:
    assert (ROOT / name).read_text("utf-8") == content, "run `make generate`"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_the_schema_holds_the_settings_of_stream_maps_and_no_others_of_the_sdk(
    plugin: Plugin,
) -> None:
    own = set(plugin.own_settings)
    listed = set(plugin.tap.config_jsonschema["properties"])
    assert listed == {*own, *STREAM_MAPS_CONFIG["properties"]}
    assert not own & set(STREAM_MAPS_CONFIG["properties"])


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_every_setting_that_a_run_takes_is_in_the_definition(plugin: Plugin) -> None:
    # The tap does not bring what this one needs.
    listed = plugin.tap.config_jsonschema["properties"]
    expected = [name for name in listed if name != "faker_config"]
    assert [s["name"] for s in plugin.definition()["settings"]] == expected


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_the_definition_has_the_capabilities_of_the_tap(plugin: Plugin) -> None:
    assert set(plugin.definition()["capabilities"]) == {
        str(capability.value)
        for capability in plugin.tap.capabilities
        if isinstance(capability, PluginCapabilities | TapCapabilities)
    }


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_every_bound_of_a_number_is_shown_to_people(plugin: Plugin) -> None:
    places = {
        ".env.example",
        "docs/settings.md",
        f"hub/{plugin.name}.yml",
        f"plugins/{plugin.name}.yaml",
        f"plugins/extractors/{plugin.name}--original.lock",
    }
    for schema in plugin.own_settings.values():
        if "integer" in schema["type"]:
            bounds = f"From {schema['minimum']} to {schema['maximum']}."
            shown = {path for path, content in FILES.items() if bounds in content}
            assert places <= shown
