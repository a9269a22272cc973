"""A release has one version, a date, and an owner, or the workflow refuses it."""

from __future__ import annotations

import yaml
from documents import ROOT

from tools import release

REPOSITORY = yaml.safe_load((ROOT / "hub" / "owner.yml").read_text())["repository"]
VERSION = release.version_of("pyproject.toml")


def test_every_part_has_the_version_of_the_tap() -> None:
    versions = {name: release.version_of(name) for name in release.VERSIONS}
    assert set(versions.values()) == {VERSION}, versions


def test_this_commit_can_be_released_by_its_owner() -> None:
    assert list(release.obstacles(f"v{VERSION}", REPOSITORY)) == []


def test_another_tag_is_refused_for_each_file_that_contradicts_it() -> None:
    found = list(release.obstacles("v9.9.9", REPOSITORY))
    assert len(found) == len(release.VERSIONS) + 1
    assert all("9.9.9" in obstacle for obstacle in found)


def test_a_repository_that_is_not_the_owners_is_refused() -> None:
    (found,) = release.obstacles(f"v{VERSION}", "https://github.com/fork/tap")
    assert "hub/owner.yml" in found


def test_the_workflow_asks_before_it_builds() -> None:
    workflow = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    asked = workflow.index("python -m tools.release")
    assert asked < workflow.index("build-and-inspect-python-package")
