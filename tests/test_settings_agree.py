"""A setting has the same name, title, description and default wherever it is shown."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from tap_openai_audit.configuration import CONFIGURATION
from tap_openai_audit.tap import _OWN_SETTINGS, TapOpenAIAudit

ROOT = Path(__file__).resolve().parents[1]
# Other tests make taps, and the SDK adds its settings to the configuration then.
OURS = {k: v for k, v in CONFIGURATION["properties"].items() if k in _OWN_SETTINGS}
ENV = re.compile(r"((?:# .*\n)+)(# )?TAP_OPENAI_AUDIT_([A-Z_]+)=(.*)\n")
ROW = re.compile(r"^\| `(\w+)` \|(.*?)\| (.*) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Setting:
    """What is shown of a setting; None if it is not shown at that place."""

    name: str
    title: str | None
    description: str
    default: str | None
    kind: str | None = None
    sensitive: bool | None = None
    required: bool | None = None


def text(default: Any) -> str | None:
    """A default as it is typed."""
    if default is None or isinstance(default, str):
        return default
    return json.dumps(default)


def kind_of(schema: dict[str, Any]) -> str:
    """The kind that Meltano Hub's own tool derives from a schema."""
    if schema.get("format") == "date-time":
        return "date_iso8601"
    (kind,) = [kind for kind in schema["type"] if kind != "null"]
    return str(kind)


def of_the_tap(*shown: str) -> list[Setting]:
    """The settings of the tap, with only those extra fields that a place shows."""
    settings = []
    for name, schema in OURS.items():
        extra = {
            "title": schema["title"],
            "kind": kind_of(schema),
            "sensitive": bool(schema.get("secret")),
            "required": name in CONFIGURATION["required"],
        }
        settings.append(
            Setting(
                name,
                description=schema["description"],
                default=text(schema.get("default")),
                **{"title": None, **{key: extra[key] for key in shown}},
            )
        )
    return settings


def definition(name: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / name).read_text("utf-8"))
    if name == "meltano.yml":
        (content,) = content["plugins"]["extractors"]
    return dict(content)


@pytest.mark.parametrize("name", ["meltano.yml", "plugin.yaml"])
def test_a_plugin_definition_shows_the_settings_of_the_tap(name: str) -> None:
    shown = [
        Setting(
            setting["name"],
            setting["label"],
            setting["description"],
            text(setting.get("value")),
            kind=setting["kind"],
            sensitive=setting.get("sensitive", False),
        )
        for setting in definition(name)["settings"]
        if setting["name"] in OURS
    ]
    assert shown == of_the_tap("title", "kind", "sensitive")
    assert definition(name)["settings_group_validation"] == [CONFIGURATION["required"]]


@pytest.mark.parametrize("name", ["meltano.yml", "plugin.yaml"])
def test_a_plugin_definition_shows_the_settings_of_the_sdk(name: str) -> None:
    shown = {
        setting["name"]: setting["kind"]
        for setting in definition(name)["settings"]
        if setting["name"] not in OURS
    }
    complete: dict[str, Any] = {"properties": {}}
    TapOpenAIAudit.append_builtin_config(complete)
    assert shown == {
        setting: kind_of(schema)
        for setting, schema in complete["properties"].items()
        if setting not in OURS
        and setting != "faker_config"  # The tap does not bring what it needs.
    }


@pytest.mark.parametrize("name", ["meltano.yml", "plugin.yaml"])
def test_a_plugin_definition_shows_the_capabilities_of_the_tap(name: str) -> None:
    assert set(definition(name)["capabilities"]) == {
        str(capability.value)
        for capability in TapOpenAIAudit.capabilities
        if isinstance(capability, PluginCapabilities | TapCapabilities)
    }


def test_both_plugin_definitions_say_the_same() -> None:
    here, elsewhere = definition("meltano.yml"), definition("plugin.yaml")
    assert here.pop("pip_url") == "-e ."
    assert elsewhere.pop("pip_url") == "tap-openai-audit"
    assert elsewhere.pop("variant")
    assert here == elsewhere


def test_the_example_of_an_env_file_shows_the_settings_of_the_tap() -> None:
    shown = []
    for match in ENV.finditer((ROOT / ".env.example").read_text("utf-8")):
        comment, optional, name, default = match.groups()
        title, _, description = comment.replace("# ", "").partition(": ")
        shown.append(
            Setting(
                name.lower(),
                title,
                " ".join(description.split()),
                default or None,
                required=not optional,
            )
        )
    assert shown == of_the_tap("title", "required")


def test_the_readme_shows_the_settings_of_the_tap() -> None:
    """Apart from markup. Words in place of a default say what its absence means."""
    table = (ROOT / "README.md").read_text("utf-8").partition("\n## Settings\n")[2]
    shown = [
        Setting(
            name,
            None,
            description.replace("`", ""),
            default.strip(" `") if "`" in default and "<" not in default else None,
        )
        for name, default, description in ROW.findall(table.partition("\n## ")[0])
    ]
    assert shown == of_the_tap()
