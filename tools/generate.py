"""Write the files that are made of others.

Of the schema of the settings: the plugin definition of Meltano and its Hub, the same
one as the lock that lets this repository's `meltano.yml` do without a copy,
`.env.example`, and the table in docs/settings.md. Of `hub/owner.yml` and these: what
the Hub gets, and the addresses of the package. Of the catalogue of event types: dbt's
seed. Of the rules' cards: their list for dbt, and the page about them. Of the
contracts of dbt's models: the columns that the alerts and the report may read. Of
`VERSION`: every place that names the version.
`make generate` runs this; a test says whether it has been run.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_openai_audit.configuration import CONFIGURATION, OWN, PAIRS
from tools import contract, hub, release, rules
from tools.definition import definition, description
from tools.layout import WIDTH, as_yaml
from tools.seed import SEED, seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT = Path(__file__).resolve().parents[1]

_NOTE = "made of tap_openai_audit/configuration.py by `make generate`"


def files() -> dict[str, str]:
    """Return the content of every file that is made, by its path."""
    written = _written()
    for name, text in release.texts().items():
        stamped = release.stamped(name, written.get(name, text))
        if stamped != text:
            written[name] = stamped
    return written


def _written() -> dict[str, str]:
    plugin = definition()
    lock = f"plugins/extractors/{plugin['name']}--{plugin['variant']}.lock"
    return {
        "plugin.yaml": _plugin(plugin),
        lock: json.dumps({"plugin_type": "extractors", **plugin}, indent=2) + "\n",
        ".env.example": _between(
            ".env.example", f"# What follows is {_NOTE}.\n", "# Until here.\n", _env()
        ),
        "docs/settings.md": _between(
            "docs/settings.md", f"<!-- {_NOTE} -->\n", "<!-- until here -->\n", _table()
        ),
        **hub.files(),
        "pyproject.toml": _between(
            "pyproject.toml",
            "# made of hub/owner.yml by `make generate`\n",
            "# until here\n",
            hub.addresses(),
        ),
        contract.CONTRACT: contract.contract(),
        SEED: seed(),
        rules.NAMES: rules.names(),
        rules.PAGE: _between(
            rules.PAGE,
            "<!-- made of transform/models/rules by `make generate` -->\n",
            "<!-- until here -->\n",
            rules.page(),
        ),
    }


def _plugin(content: Mapping[str, Any]) -> str:
    head = (
        "# What `meltano add tap-openai-audit --from-ref plugin.yaml` adds to a"
        " project.\n# It is "
    )
    return f"{head}{_NOTE}.\n{as_yaml(content)}"


def _own() -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, CONFIGURATION["properties"][name]) for name in OWN)


def _env() -> str:
    blocks = [""]
    for name, schema in _own():
        text = f"{schema['title']}: {description(schema)}".replace("`", "")
        lines = textwrap.wrap(text, WIDTH - 2, break_on_hyphens=False)
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
        rows.append(f"| `{name}` | {shown} | {description(schema)} |")
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
