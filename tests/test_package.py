"""Who installs the tap gets the tap, whatever else is in the repository."""

from __future__ import annotations

import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.release import version

ROOT = Path(__file__).resolve().parents[1]
TAP = ROOT / "tap_openai_audit"
PACKAGE = dict(
    re.findall(r'^(\w+) = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
)


@pytest.fixture(scope="module")
def tap() -> set[str]:
    """Every file of the tap, as the repository has it."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in TAP.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_sdist_holds_the_tap_and_its_documents(sdist: Path, tap: set[str]) -> None:
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    documents = {"README.md", "LICENSE", "CHANGELOG.md"}
    of_the_build = {"pyproject.toml", "hatch_build.py", "VERSION"}
    of_the_format = {"PKG-INFO", ".gitignore"}
    assert found == tap | documents | of_the_build | of_the_format


def test_the_wheel_holds_nothing_but_the_tap(wheel: Path, tap: set[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = set(archive.namelist())
    name = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    metadata = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    assert found == tap | {f"{name}/{file}" for file in metadata}


def test_the_page_of_the_package_links_to_pages_that_are_there(wheel: Path) -> None:
    name = "-".join(wheel.name.split("-")[:2])
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{name}.dist-info/METADATA").decode()
    links = re.findall(r"\]\(([^)]+)\)", metadata)
    repository, own = PACKAGE["Repository"], version()
    prefix = f"{repository}/blob/v{own}/"
    pages = [link.removeprefix(prefix) for link in links if link.startswith(prefix)]
    assert "docs/settings.md" in pages
    files = [page.partition("#")[0] for page in pages]
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_tap_brings_its_types_and_its_catalogue(tap: set[str]) -> None:
    wanted = {
        "tap_openai_audit/py.typed",
        "tap_openai_audit/audit_logs/event_types.json",
    }
    assert wanted <= tap
