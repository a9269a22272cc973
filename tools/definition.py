"""The plugins as Meltano and its Hub describe them, generated from their settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_openai_audit.tap import TapOpenAIAudit
from tap_openai_audit.workspace.tap import TapChatGPTWorkspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_openai_audit.singer.base_tap import BaseTap

# The SDK offers it to every tap, but these do not bring the package it needs.
_NOT_SHOWN = {"faker_config"}


@dataclass(frozen=True)
class Plugin:
    """A tap, and what its settings do not say of it."""

    tap: type[BaseTap]
    label: str
    description: str
    check: str
    """What its command `check` tells."""
    select: Sequence[str]
    """The streams that are selected unless somebody selects others."""

    @property
    def name(self) -> str:
        """The name of the plugin, and of its command."""
        return self.tap.name

    @property
    def prefix(self) -> str:
        """What the names of its variables begin with."""
        return f"{self.namespace.upper()}_"

    @property
    def namespace(self) -> str:
        """What Meltano calls the family of the plugin."""
        return self.name.replace("-", "_")

    @property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of its settings by name."""
        schemas: Mapping[str, Mapping[str, Any]] = self.tap.config_jsonschema[
            "properties"
        ]
        return {name: schemas[name] for name in schemas if name not in _NOT_SHOWN}

    @property
    def own_settings(self) -> Mapping[str, Mapping[str, Any]]:
        """Those of them that are not the SDK's."""
        return {name: self.settings[name] for name in self.tap.settings_check.own}

    @property
    def required(self) -> Sequence[str]:
        """The names of the settings without which nothing can be read."""
        return tuple(self.tap.settings_check.not_set)

    def definition(self) -> dict[str, Any]:
        """Return the plugin in the form of Meltano Hub."""
        return {
            "capabilities": sorted(c.value for c in self.tap.capabilities),
            "commands": {
                "check": {
                    "args": "--config=ENV --check",
                    "description": self.check,
                }
            },
            "description": self.description,
            "executable": self.name,
            "label": self.label,
            "name": self.name,
            "namespace": self.namespace,
            "pip_url": "tap-openai-audit",
            "select": [f"{stream}.*" for stream in self.select],
            "settings": [_setting(*setting) for setting in self.settings.items()],
            "settings_group_validation": [[*self.required]],
            "variant": "original",
        }


ORGANIZATION = Plugin(
    TapOpenAIAudit,
    "OpenAI Audit Logs",
    "The audit logs of an OpenAI organization, each event once.",
    "Tell whether the key, the organization and the settings work.",
    ("audit_logs", "audit_log_digests", "sync_reports"),
)
WORKSPACE = Plugin(
    TapChatGPTWorkspace,
    "ChatGPT Workspace Logs",
    "The audit logs and sign-ins of a ChatGPT workspace, each event once.",
    "Tell whether the key, the workspace and the settings work.",
    (
        "workspace_audit_logs",
        "workspace_auth_logs",
        "workspace_log_files",
        "sync_reports",
    ),
)
PLUGINS = (ORGANIZATION, WORKSPACE)


def _setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    setting = {
        "description": description(schema),
        "kind": _kind(schema),
        "label": schema["title"],
        "name": name,
    }
    if schema.get("secret"):
        setting["sensitive"] = True
    if "default" in schema:
        setting["value"] = schema["default"]
    return setting


def _kind(schema: Mapping[str, Any]) -> str:
    """Return Meltano's word for a type, as the Hub's own tool derives it."""
    if schema.get("format") == "date-time":
        return "date_iso8601"
    (kind,) = (kind for kind in schema["type"] if kind != "null")
    return str(kind)


def description(schema: Mapping[str, Any]) -> str:
    """Return what people read of a setting, with its bounds."""
    text = str(schema["description"])
    if "minimum" in schema:
        text += f" From {schema['minimum']} to {schema['maximum']}."
    return text
