"""A setting is declared once, and shown the same wherever it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from tap_openai_audit.configuration import CONFIGURATION, OWN
from tap_openai_audit.tap import TapOpenAIAudit
from tools.definition import definition
from tools.generate import files

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("name", "content"), files().items(), ids=files())
def test_what_is_committed_is_what_is_generated(name: str, content: str) -> None:
    assert (ROOT / name).read_text("utf-8") == content, "run `make generate`"


def test_the_schema_holds_the_settings_of_the_sdk() -> None:
    of_the_sdk: dict[str, Any] = {"properties": {}}
    TapOpenAIAudit.append_builtin_config(of_the_sdk)
    assert set(CONFIGURATION["properties"]) == {*OWN, *of_the_sdk["properties"]}
    assert not set(OWN) & set(of_the_sdk["properties"])


def test_every_setting_that_a_run_takes_is_in_the_definition() -> None:
    # The tap does not bring what this one needs.
    expected = [name for name in CONFIGURATION["properties"] if name != "faker_config"]
    assert [setting["name"] for setting in definition()["settings"]] == expected


def test_the_definition_has_the_capabilities_of_the_tap() -> None:
    assert set(definition()["capabilities"]) == {
        str(capability.value)
        for capability in TapOpenAIAudit.capabilities
        if isinstance(capability, PluginCapabilities | TapCapabilities)
    }


@pytest.mark.parametrize("name", OWN)
def test_every_bound_of_a_number_is_shown_to_people(name: str) -> None:
    schema = CONFIGURATION["properties"][name]
    if "integer" in schema["type"]:
        bounds = f"From {schema['minimum']} to {schema['maximum']}."
        shown = {path for path, content in files().items() if bounds in content}
        assert shown == {
            ".env.example",
            "docs/settings.md",
            "hub/tap-openai-audit.yml",
            "plugin.yaml",
            "plugins/extractors/tap-openai-audit--original.lock",
        }
