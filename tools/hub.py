"""What Meltano Hub gets in a pull request: see hub/README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tap_openai_audit.tap import TapOpenAIAudit
from tools.definition import definition
from tools.layout import as_yaml

_OWNER = Path(__file__).parents[1] / "hub" / "owner.yml"

_PREREQ = """\
An owner of the organization makes an admin key with the permission "Audit Logs: Read"
at [platform.openai.com](https://platform.openai.com/settings/organization/admin-keys),
and switches audit logging on under Data controls. It records nothing from before.

For a ChatGPT Enterprise or Edu workspace, make an admin key of the workspace that may
read its audit and auth logs. Set one of the two, or both.
"""

_NEXT_STEPS = """\
Ask whether a sync would work, and if not, why:

```bash
meltano invoke tap-openai-audit:check
```
"""

_USAGE = """\
## Every five minutes

A run continues where the last one ended, and emits each event once. `sync_reports` says
of each run whether its period was read in full, and `audit_log_digests` what a table
has to hold of each day.

## Names

Events carry ids. To keep the names behind them, select the reference streams that you
need, such as `users`, `projects` and `admin_api_keys`.
"""


class _Owner(NamedTuple):
    label: str
    repository: str
    variant: str


def files() -> dict[str, str]:
    """Return the content of every file for the Hub, by its path."""
    owner = _owner()
    name = definition()["name"]
    entry = {
        "label": owner.label,
        "name": owner.variant,
        "url": owner.repository.rpartition("/")[0],
    }
    return {
        f"hub/{name}.yml": as_yaml(_page(owner)),
        "hub/default_variants.yml": as_yaml({"extractors": {name: owner.variant}}),
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


def _page(owner: _Owner) -> dict[str, Any]:
    about = TapOpenAIAudit._get_about_info()  # noqa: SLF001 - what `--about` prints
    return {
        **definition(),
        "docs": f"{owner.repository}/tree/main/docs",
        "domain_url": "https://platform.openai.com/docs/api-reference/audit-logs",
        "keywords": ["api", "meltano_sdk", "security"],
        "log_parser": "singer-sdk",
        "logo_url": "/assets/logos/extractors/openai-audit.png",
        "maintenance_status": "beta",
        "next_steps": _NEXT_STEPS,
        "prereq": _PREREQ,
        "quality": "unknown",
        "repo": owner.repository,
        "supported_python_versions": list(about.supported_python_versions or ()),
        "usage": _USAGE,
        "variant": owner.variant,
    }


def _owner() -> _Owner:
    return _Owner(**yaml.safe_load(_OWNER.read_text("utf-8")))
