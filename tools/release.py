"""Whether this commit can be released under a tag: the workflow of the release asks.

Run as `python -m tools.release TAG REPOSITORY`, with the address of the repository that
it runs in. It needs no package but Python's own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[1]

VERSIONS = {
    "pyproject.toml": r'^version = "(.+)"$',
    "transform/dbt_project.yml": r"^version: (.+)$",
    "analyze/pyproject.toml": r'^version = "(.+)"$',
    "docs/answers.md": r"^  revision: v(.+)$",
    "docs/production.md": r"^ +image: \S+:(.+)$",
    "CHANGELOG.md": r"^## \[(\d.*?)\]",
}
"""Where the version stands, and how. In the changelog it is the first that has one."""


def version_of(name: str) -> str:
    """Return the version that a file names.

    Raises:
        ValueError: It names none.
    """
    text = (_ROOT / name).read_text("utf-8")
    found = re.search(VERSIONS[name], text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{name} names no version")
    return found[1]


def obstacles(tag: str, repository: str) -> Iterator[str]:
    """Say what keeps the commit from being released, a line each.

    Args:
        tag: Of the commit, `v` and the version.
        repository: The address of the repository that it would be released from.
    """
    for name in VERSIONS:
        if f"v{version_of(name)}" != tag:
            yield f"{name} has the version {version_of(name)}, and the tag is {tag}"
    changes = (_ROOT / "CHANGELOG.md").read_text("utf-8")
    version = re.escape(tag.removeprefix("v"))
    if not re.search(rf"^## \[{version}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
        yield f"CHANGELOG.md has no section of {tag} with a date"
    owner = (_ROOT / "hub" / "owner.yml").read_text("utf-8")
    if f"\nrepository: {repository}\n" not in owner:
        yield f"hub/owner.yml does not name {repository}: correct it, make generate"


def main() -> int:
    """Print what keeps the commit from being released. Returns the exit code."""
    _, tag, repository = sys.argv
    found = list(obstacles(tag, repository))
    for obstacle in found:
        print(f"::error::{obstacle}")  # noqa: T201 - GitHub shows it so
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
