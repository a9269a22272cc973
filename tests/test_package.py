"""Who installs the tap gets the tap, whatever else is in the repository."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TAP = ROOT / "tap_openai_audit"


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
    documents = {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"}
    of_the_format = {"PKG-INFO", ".gitignore"}
    assert found == tap | documents | of_the_format


def test_the_wheel_holds_nothing_but_the_tap(wheel: Path, tap: set[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = set(archive.namelist())
    name = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    metadata = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    assert found == tap | {f"{name}/{file}" for file in metadata}


def test_the_tap_brings_its_types_and_its_catalogue(tap: set[str]) -> None:
    wanted = {"tap_openai_audit/py.typed", "tap_openai_audit/event_types.json"}
    assert wanted <= tap
