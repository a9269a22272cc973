"""The plugin as Meltano and its Hub describe it, made of the schema of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_openai_audit.configuration import CONFIGURATION, PAIRS
from tap_openai_audit.tap import TapOpenAIAudit

if TYPE_CHECKING:
    from collections.abc import Mapping

# The SDK offers it to every tap, but this one does not bring the package it needs.
_NOT_SHOWN = {"faker_config"}


def definition() -> dict[str, Any]:
    """Return the plugin in the form of Meltano Hub."""
    return {
        "capabilities": sorted(c.value for c in TapOpenAIAudit.capabilities),
        "commands": {
            "check": {
                "args": "--config=ENV --check",
                "description": (
                    "Tell whether the key, the organization and the settings work."
                ),
            }
        },
        "description": "The audit logs of an OpenAI organization, each event once.",
        "executable": "tap-openai-audit",
        "label": "OpenAI Audit Logs",
        "name": "tap-openai-audit",
        "namespace": "tap_openai_audit",
        "pip_url": "tap-openai-audit",
        "select": [
            "audit_logs.*",
            "audit_log_digests.*",
            "sync_reports.*",
            "workspace_audit_logs.*",
            "workspace_auth_logs.*",
            "workspace_log_files.*",
        ],
        "settings": [
            _setting(name, schema)
            for name, schema in CONFIGURATION["properties"].items()
            if name not in _NOT_SHOWN
        ],
        "settings_group_validation": [[*pair] for pair in PAIRS],
        "variant": "original",
    }


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
