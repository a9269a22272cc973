"""What Meltano Hub gets in a pull request: see hub/README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tools.definition import ORGANIZATION, PLUGINS, WORKSPACE, Plugin
from tools.layout import as_yaml

_OWNER = Path(__file__).parents[1] / "hub" / "owner.yml"

_NEXT_STEPS = """\
Ask whether a sync would work, and if not, why:

```bash
meltano invoke {name}:check
```
"""


class _Text(NamedTuple):
    """What the Hub shows besides the definition."""

    api: str
    """The page on the API."""
    prereq: str
    usage: str


_TEXTS = {
    ORGANIZATION.name: _Text(
        "https://platform.openai.com/docs/api-reference/audit-logs",
        """\
An owner of the organization creates an admin key with the permission "Audit Logs: Read"
at [platform.openai.com](https://platform.openai.com/settings/organization/admin-keys),
and switches audit logging on under Data controls. It records nothing from before.
""",
        """\
## Every five minutes

A run continues where the last one ended, and emits each event once. `sync_reports` says
of each run whether its period was read in full, and `audit_log_digests` what a table
has to hold of each day.

## Names

Events carry ids. To keep the names behind them, select the reference streams that you
need, such as `users`, `projects` and `admin_api_keys`.
""",
    ),
    WORKSPACE.name: _Text(
        "https://chatgpt.com/admin/api-reference",
        """\
A ChatGPT workspace of the plan Enterprise, Edu or Healthcare, and an admin key of it,
created in its Admin portal, with the scopes
`chatgpt.enterprise.compliance_logs_platform.audit_log.read` and
`chatgpt.enterprise.compliance_logs_platform.auth_log.read`. They cannot read
conversations.
""",
        """\
## Every ten minutes

The API hands events out as files, one about every ten minutes, and keeps them for 30
days. The first run takes some three hours, because the API allows 50 downloads a
minute. Each run continues where the last one ended, and emits each event once.
`workspace_log_files` has a row for each file, with its checksum and how many of its
events were emitted; `sync_reports` says of each run whether it was complete.
""",
    ),
}


class _Owner(NamedTuple):
    label: str
    repository: str
    variant: str


def files() -> dict[str, str]:
    """Return the content of every file for the Hub, by its path."""
    owner = _owner()
    names = sorted(plugin.name for plugin in PLUGINS)
    entry = {
        "label": owner.label,
        "name": owner.variant,
        "url": owner.repository.rpartition("/")[0],
    }
    defaults = dict.fromkeys(names, owner.variant)
    return {
        **{f"hub/{p.name}.yml": as_yaml(_page(p, owner)) for p in PLUGINS},
        "hub/default_variants.yml": as_yaml({"extractors": defaults}),
        "hub/maintainers.yml": as_yaml({owner.variant: entry}),
    }


def addresses() -> str:
    """Return the addresses of the package, as lines of TOML."""
    repository = _owner().repository
    lines = {
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
        "Documentation": f"{repository}/tree/main/docs",
        "Issues": f"{repository}/issues",
        "Repository": repository,
    }
    return "".join(f'{name} = "{address}"\n' for name, address in lines.items())


def _page(plugin: Plugin, owner: _Owner) -> dict[str, Any]:
    about = plugin.tap._get_about_info()  # noqa: SLF001 - what `--about` prints
    text = _TEXTS[plugin.name]
    return {
        **plugin.definition(),
        "docs": f"{owner.repository}/tree/main/docs",
        "domain_url": text.api,
        "keywords": ["api", "meltano_sdk", "security"],
        "log_parser": "singer-sdk",
        "logo_url": "/assets/logos/extractors/openai-audit.png",
        "maintenance_status": "beta",
        "next_steps": _NEXT_STEPS.format(name=plugin.name),
        "prereq": text.prereq,
        "quality": "unknown",
        "repo": owner.repository,
        "supported_python_versions": list(about.supported_python_versions or ()),
        "usage": text.usage,
        "variant": owner.variant,
    }


def _owner() -> _Owner:
    return _Owner(**yaml.safe_load(_OWNER.read_text("utf-8")))
