"""Write the files that are made of others.

Of the settings of each tap: the plugin definition of Meltano and its Hub, the same one
as the lock that lets this repository's `meltano.yml` do without a copy, a part of
`.env.example`, and a table in docs/settings.md. Of `hub/owner.yml` and these: what
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
from typing import TYPE_CHECKING

from tools import contract, hub, release, rules
from tools.definition import ORGANIZATION, PLUGINS, Plugin, description
from tools.layout import WIDTH, as_yaml
from tools.seed import SEED, seed

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).resolve().parents[1]

_NOTE = "from the settings of {name} by `make generate`"
_END = {".env.example": "# Until here.\n", "docs/settings.md": "<!-- until here -->\n"}
_BEGIN = {
    ".env.example": f"# What follows is generated {_NOTE}.\n",
    "docs/settings.md": f"<!-- generated {_NOTE} -->\n",
}


def files() -> dict[str, str]:
    """Return the content of every file that is made, by its path."""
    written = _written()
    for name, text in release.texts().items():
        stamped = release.stamped(name, written.get(name, text))
        if stamped != text:
            written[name] = stamped
    return written


def _written() -> dict[str, str]:
    return {
        **{name: text for p in PLUGINS for name, text in _of_meltano(p).items()},
        ".env.example": _with_parts(".env.example", _env),
        "docs/settings.md": _with_parts("docs/settings.md", _table),
        **hub.files(),
        "pyproject.toml": _between(
            _read("pyproject.toml"),
            "# made of hub/owner.yml by `make generate`\n",
            "# until here\n",
            hub.addresses(),
        ),
        contract.CONTRACT: contract.contract(),
        SEED: seed(),
        rules.NAMES: rules.names(),
        rules.PAGE: _between(
            _read(rules.PAGE),
            "<!-- made of transform/models/rules by `make generate` -->\n",
            "<!-- until here -->\n",
            rules.page(),
        ),
    }


def _of_meltano(plugin: Plugin) -> dict[str, str]:
    """Return the definition of a plugin, and the lock of this project."""
    content = plugin.definition()
    path = f"plugins/{plugin.name}.yaml"
    lock = f"plugins/extractors/{plugin.name}--{content['variant']}.lock"
    head = (
        f"# What `meltano add {plugin.name} --from-ref {path}` adds to a project.\n"
        f"# It is generated {_NOTE.format(name=plugin.name)}.\n"
    )
    return {
        path: head + as_yaml(content),
        lock: json.dumps({"plugin_type": "extractors", **content}, indent=2) + "\n",
    }


def _with_parts(file: str, part: Callable[[Plugin], str]) -> str:
    """Return a file with a part for each plugin."""
    text = _read(file)
    for plugin in PLUGINS:
        begin = _BEGIN[file].format(name=plugin.name)
        text = _between(text, begin, _END[file], part(plugin))
    return text


def _env(plugin: Plugin) -> str:
    blocks = [""]
    for name, schema in plugin.own_settings.items():
        text = f"{schema['title']}: {description(schema)}".replace("`", "")
        lines = textwrap.wrap(text, WIDTH - 2, break_on_hyphens=False)
        default = schema.get("default", "")
        value = default if isinstance(default, str) else json.dumps(default)
        # Who has no workspace leaves all of its settings as they are.
        wanted = plugin is ORGANIZATION and name in plugin.required
        variable = f"{'' if wanted else '# '}{plugin.prefix}{name.upper()}={value}"
        blocks.append("\n".join([*(f"# {line}" for line in lines), variable, ""]))
    return "\n".join([*blocks, ""])


def _table(plugin: Plugin) -> str:
    rows = ["| setting | default | |", "|---|---|---|"]
    for name, schema in plugin.own_settings.items():
        default = schema.get("default")
        value = default if isinstance(default, str) else json.dumps(default)
        shown = "" if default is None else f"`{value}`"
        rows.append(f"| `{name}` | {shown} | {description(schema)} |")
    return "\n".join([*rows, ""])


def _read(name: str) -> str:
    return (_ROOT / name).read_text("utf-8")


def _between(text: str, begin: str, end: str, content: str) -> str:
    """Replace a part of a text.

    Raises:
        ValueError: If the text does not have exactly one such part.
    """
    before, rest = text.split(begin)
    _, after = rest.split(end, 1)
    return before + begin + content + end + after


def main() -> None:
    """Write the files."""
    for name, content in files().items():
        path = _ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
