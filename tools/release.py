"""Whether this commit can be released under a tag: the release workflow runs this.

`VERSION` is the version of all parts. Packages read it when they are built; where a
file has to name the version itself, `make generate` writes it. These places are found
by searching all files.

Run as `python -m tools.release TAG REPOSITORY`, with the address of the repository that
the workflow runs in. It needs git, and no package but Python's own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT = Path(__file__).resolve().parents[1]

_NUMBER = r"(?P<version>\d+\.\d+\.\d+[a-z0-9.+]*)"

_OURS = (
    r"\b(?:tap[-_])?(?:openai[-_]audit|chatgpt[-_]workspace)[a-z_-]*(?:\[[a-z,]+\])?"
)

_PLACES = (
    # A field of its own, as in a package, a dbt project or the label of an image.
    (
        r"(?:pyproject\.toml|dbt_project\.yml|Containerfile)$",
        rf"""^ *(?:LABEL )?[\w.]*version["']?(?: *[:=] *| +)["']?{_NUMBER}["']?\s*$""",
    ),
    # Beside a name of ours: an image, a requirement, a file that was built, an address.
    (
        r"(?:\.md|\.toml|\.ya?ml|\.lock|\.txt|\.in|\.sh|Makefile|Containerfile)$",
        rf"{_OURS}(?:/[\w./-]*/v|==|~=|>=|[:@-]v?| v?){_NUMBER}",
    ),
    # The revision of this repository that a dbt project names.
    (r"\.(?:md|ya?ml)$", rf"^ *revision: *[\"']?v{_NUMBER}[\"']?\s*$"),
)
"""Which files, and how a version stands there."""

_OF_THE_PAST = re.compile(
    r"^(?:CHANGELOG\.md|benchmarks/README\.md)$"  # what was released, what was measured
    r"|(?:^|/)(?:tests|[a-z]+_tests|snapshots)/"
)


@dataclass(frozen=True)
class Place:
    """A place that names the version."""

    file: str
    line: int
    version: str

    def __str__(self) -> str:
        """Return file and line."""
        return f"{self.file}:{self.line}"


def version() -> str:
    """Return the version of all parts."""
    return (_ROOT / "VERSION").read_text("utf-8").strip()


def texts() -> dict[str, str]:
    """Return the text of each file that is or would be in the repository, by path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the caller's git
        cwd=_ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = {name: _ROOT / name for name in sorted(filter(None, listed.split("\0")))}
    contents = {n: path.read_bytes() for n, path in paths.items() if path.is_file()}
    return {
        name: content.decode("utf-8", errors="replace")
        for name, content in contents.items()
        if b"\0" not in content
    }


def places(files: Mapping[str, str]) -> Iterator[Place]:
    """Find all places that name the version of a part of this repository."""
    for file, text in files.items():
        for pattern in _patterns(file):
            for found in pattern.finditer(text):
                line = text.count("\n", 0, found.start("version")) + 1
                yield Place(file, line, found["version"])


def stamped(file: str, text: str) -> str:
    """Return the text of a file with the version of `VERSION` in all its places."""
    for pattern in _patterns(file):
        text = pattern.sub(
            lambda found: found[0].replace(found["version"], version()), text
        )
    return text


def _patterns(file: str) -> list[re.Pattern[str]]:
    if _OF_THE_PAST.search(file):
        return []
    return [
        re.compile(pattern, re.MULTILINE | re.IGNORECASE)
        for files, pattern in _PLACES
        if re.search(files, file)
    ]


def obstacles(tag: str, repository: str, files: Mapping[str, str]) -> Iterator[str]:
    """Say what keeps the commit from being released, a line each.

    Args:
        tag: Of the commit, `v` and the version.
        repository: The address of the repository that it would be released from.
        files: The text of each file, by its path.
    """
    wanted = tag.removeprefix("v")
    if f"v{files['VERSION'].strip()}" != tag:
        yield f"VERSION is {files['VERSION'].strip()}, and the tag is {tag}"
    for place in places(files):
        if place.version != wanted:
            yield f"{place} names version {place.version}, and the tag is {tag}"
    head = rf"^## \[{re.escape(wanted)}\] - \d{{4}}-\d\d-\d\d$"
    if not re.search(head, files["CHANGELOG.md"], re.MULTILINE):
        yield f"CHANGELOG.md has no section of {tag} with a date"
    if f"\nrepository: {repository}\n" not in files["hub/owner.yml"]:
        yield f"hub/owner.yml does not name {repository}: correct it, make generate"


def main() -> int:
    """Print what keeps the commit from being released. Returns the exit code."""
    _, tag, repository = sys.argv
    found = list(obstacles(tag, repository, texts()))
    for obstacle in found:
        print(f"::error::{obstacle}")  # noqa: T201 - GitHub shows it so
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
