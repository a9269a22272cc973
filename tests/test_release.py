"""A release has one version, a date, and an owner, or the workflow refuses it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from distribution import build
from documents import ROOT
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from tools import release

FILES = release.texts()
VERSION = release.version()
TAG = f"v{VERSION}"
REPOSITORY = yaml.safe_load(FILES["hub/owner.yml"])["repository"]

#: The folders of all packages there are.
PACKAGES = [Path(name).parent for name in FILES if Path(name).name == "pyproject.toml"]

UV = ROOT / ".venv" / "uv" / "bin" / "uv"


@pytest.mark.parametrize("folder", PACKAGES, ids=str)
def test_a_package_has_the_version_of_the_file(folder: Path) -> None:
    package = ProjectMetadata(str(ROOT / folder), PluginManager())
    assert "version" in package.dynamic
    assert package.version == VERSION


@pytest.mark.parametrize("folder", PACKAGES, ids=str)
def test_a_package_that_is_built_from_its_own_sdist_has_the_version(
    folder: Path, tmp_path: Path
) -> None:
    of_checkout = built("wheel", ROOT / folder, tmp_path / "wheel of the checkout")
    sdist = built("sdist", ROOT / folder, tmp_path / "sdist")
    # Nothing of the repository lies around it there.
    shutil.unpack_archive(sdist, tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    of_sdist = built("wheel", unpacked, tmp_path / "wheel of the sdist")
    assert f"-{VERSION}-" in of_sdist.name
    assert of_sdist.name == of_checkout.name
    for number, distribution in enumerate((sdist, of_sdist)):
        target = tmp_path / f"installed {number}"
        alone = ["--quiet", "--no-deps", "--no-build-isolation"]
        where = ["--python", sys.executable, "--target", str(target)]
        install = [str(UV), "pip", "install", *alone, *where, str(distribution)]
        subprocess.run(install, check=True)
        (information,) = target.glob("*.dist-info")
        assert information.name.endswith(f"-{VERSION}.dist-info")


def built(target: str, source: Path, folder: Path) -> Path:
    folder.mkdir()
    return build(target, source, folder)


def test_every_place_that_names_the_version_has_that_of_the_file() -> None:
    found = list(release.places(FILES))
    assert [place for place in found if place.version != VERSION] == []
    assert {place.file for place in found} >= {
        "docs/answers.md",
        "docs/production.md",
        "transform/dbt_project.yml",
    }


def test_this_commit_can_be_released_by_its_owner() -> None:
    assert list(release.obstacles(TAG, REPOSITORY, FILES)) == []


def test_a_tag_that_is_not_the_version_is_refused() -> None:
    found = list(release.obstacles("v9.9.9", REPOSITORY, FILES))
    assert found[0] == f"VERSION is {VERSION}, and the tag is v9.9.9"
    assert all("9.9.9" in obstacle for obstacle in found)
    assert len(found) == 2 + len(list(release.places(FILES)))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("page/pyproject.toml", 'version = "0.0.9"'),
        ("own/dbt_project.yml", "version: 0.0.9"),
        ("own/dbt_project.yml", "version: '0.0.9'"),
        ("own/packages.yml", "  revision: v0.0.9"),
        ("Containerfile", 'LABEL org.opencontainers.image.version="0.0.9"'),
        ("docs/new.md", "    image: registry.example.com/tap-openai-audit:0.0.9"),
        ("docs/new.md", "pip install tap-openai-audit==0.0.9"),
        ("docs/new.md", "pip install dist/tap_openai_audit-0.0.9-py3-none-any.whl"),
        ("docs/new.md", "git+https://example.com/x/tap-openai-audit@v0.0.9"),
        ("docs/new.md", "example.com/x/tap-openai-audit/releases/tag/v0.0.9"),
        ("meltano.yml", "    pip_url: openai-audit-analyze[alerts]==0.0.9"),
    ],
)
def test_a_version_that_was_forgotten_is_found_wherever_it_is(
    file: str, line: str
) -> None:
    files = {**FILES, file: f"# first\n{line}\n"}
    found = list(release.obstacles(TAG, REPOSITORY, files))
    assert found == [f"{file}:2 names version 0.0.9, and the tag is {TAG}"]
    assert release.stamped(file, files[file]) == files[file].replace("0.0.9", VERSION)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("meltano.yml", "    pip_url: target-duckdb==0.8.0 duckdb<1.3"),
        ("requirements/dev.txt", "openai==3.54.0"),
        ("docs/new.md", "| singer-sdk 0.54.9, dbt-core 1.11.16 |"),
        ("docs/new.md", "`openai_audit_own_networks`: `[192.0.2.0/24]`"),
        ("CHANGELOG.md", "## [0.0.9] - 2026-11-24, of tap-openai-audit 0.0.9"),
    ],
)
def test_the_version_of_something_else_or_of_the_past_is_left_alone(
    file: str, line: str
) -> None:
    assert list(release.places({file: line})) == []
    assert release.stamped(file, line) == line


def test_a_version_without_a_dated_section_in_the_changelog_is_refused() -> None:
    changes = FILES["CHANGELOG.md"].replace(f"## [{VERSION}] - ", f"## [{VERSION}] ")
    files = {**FILES, "CHANGELOG.md": changes}
    (found,) = release.obstacles(TAG, REPOSITORY, files)
    assert found == f"CHANGELOG.md has no section of {TAG} with a date"


def test_a_repository_that_is_not_the_owners_is_refused() -> None:
    (found,) = release.obstacles(TAG, "https://github.com/fork/tap", FILES)
    assert "hub/owner.yml" in found


def test_the_command_of_the_workflow_ends_with_1_for_another_tag() -> None:
    command = [sys.executable, "-m", "tools.release", "v9.9.9", REPOSITORY]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 1
    assert f"::error::VERSION is {VERSION}, and the tag is v9.9.9" in done.stdout


def test_the_workflow_asks_before_it_builds() -> None:
    workflow = FILES[".github/workflows/release.yml"]
    asked = workflow.index("python -m tools.release")
    assert asked < workflow.index("build-and-inspect-python-package")
