"""Write the files that are made of others.

Of the schema of the settings: the plugin definition of Meltano and its Hub, the same
one as the lock that lets this repository's `meltano.yml` do without a copy,
`.env.example`, and the table in docs/settings.md. Of the catalogue of event types and
of the rules' cards: the seeds of dbt, and the page that lists the rules.
`make generate` runs this; a test says whether it has been run.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_openai_audit.configuration import CONFIGURATION, OWN, PAIRS
from tap_openai_audit.tap import TapOpenAIAudit
from tools import rules
from tools.seed import SEED, seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT = Path(__file__).resolve().parents[1]

_WIDTH = 88
"""Characters of a line."""

_LONG = 70
"""Characters of a text that a line of YAML has room for, beside name and indent."""

# The SDK offers it to every tap, but this one does not bring the package it needs.
_NOT_SHOWN = {"faker_config"}

_NOTE = "made of tap_openai_audit/configuration.py by `make generate`"


def files() -> dict[str, str]:
    """Return the content of every file that is made, by its path."""
    plugin = definition()
    lock = f"plugins/extractors/{plugin['name']}--{plugin['variant']}.lock"
    return {
        "plugin.yaml": _as_yaml(plugin),
        lock: json.dumps({"plugin_type": "extractors", **plugin}, indent=2) + "\n",
        ".env.example": _between(
            ".env.example", f"# What follows is {_NOTE}.\n", "# Until here.\n", _env()
        ),
        "docs/settings.md": _between(
            "docs/settings.md", f"<!-- {_NOTE} -->\n", "<!-- until here -->\n", _table()
        ),
        SEED: seed(),
        rules.SEED: rules.seed(),
        rules.PAGE: _between(
            rules.PAGE,
            "<!-- made of transform/models/rules by `make generate` -->\n",
            "<!-- until here -->\n",
            rules.page(),
        ),
    }


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
        "description": _description(schema),
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


def _description(schema: Mapping[str, Any]) -> str:
    text = str(schema["description"])
    if "minimum" in schema:
        text += f" From {schema['minimum']} to {schema['maximum']}."
    return text


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks, as people do."""


def _text(dumper: _Dumper, value: str) -> Any:  # noqa: ANN401 - a node of PyYAML
    style = ">" if len(value) > _LONG else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _as_yaml(content: Mapping[str, Any]) -> str:
    head = (
        "# What `meltano add tap-openai-audit --from-ref plugin.yaml` adds to a"
        " project.\n# It is "
    )
    # PyYAML does not count the indentation of a block.
    body = yaml.dump(content, Dumper=_Dumper, sort_keys=True, width=_WIDTH - 5)
    return f"{head}{_NOTE}.\n{body}"


def _own() -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, CONFIGURATION["properties"][name]) for name in OWN)


def _env() -> str:
    blocks = [""]
    for name, schema in _own():
        text = f"{schema['title']}: {_description(schema)}".replace("`", "")
        lines = textwrap.wrap(text, _WIDTH - 2, break_on_hyphens=False)
        default = schema.get("default", "")
        value = default if isinstance(default, str) else json.dumps(default)
        optional = "" if any(name in pair for pair in PAIRS) else "# "
        variable = f"{optional}TAP_OPENAI_AUDIT_{name.upper()}={value}"
        blocks.append("\n".join([*(f"# {line}" for line in lines), variable, ""]))
    return "\n".join([*blocks, ""])


def _table() -> str:
    rows = ["| setting | default | |", "|---|---|---|"]
    for name, schema in _own():
        default = schema.get("default")
        value = default if isinstance(default, str) else json.dumps(default)
        shown = "" if default is None else f"`{value}`"
        rows.append(f"| `{name}` | {shown} | {_description(schema)} |")
    return "\n".join([*rows, ""])


def _between(name: str, begin: str, end: str, content: str) -> str:
    """Replace a part of a file.

    Raises:
        ValueError: If the file does not have exactly one such part.
    """
    before, rest = (_ROOT / name).read_text("utf-8").split(begin)
    _, after = rest.split(end)
    return before + begin + content + end + after


def main() -> None:
    """Write the files."""
    for name, content in files().items():
        path = _ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
