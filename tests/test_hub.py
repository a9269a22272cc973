"""What goes to Meltano Hub is what it takes, and works before it is there."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from sandbox.process import SandboxProcess
from testing.meltano_project import ROOT, MeltanoProject
from tools import hub
from tools.definition import PLUGINS

if TYPE_CHECKING:
    from pathlib import Path

HUB = ROOT / "hub"
PAGES = [HUB / f"{plugin.name}.yml" for plugin in PLUGINS]

# The keys of the Hub's schema that a page of an extractor has a use for.
OF_THE_HUB = {
    "docs",
    "domain_url",
    "keywords",
    "log_parser",
    "logo_url",
    "maintenance_status",
    "next_steps",
    "prereq",
    "quality",
    "repo",
    "supported_python_versions",
    "usage",
}


def content(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text("utf-8")))


EACH_PAGE = pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)


@EACH_PAGE
def test_a_page_is_the_definition_and_what_the_hub_adds_in_order(file: Path) -> None:
    page, plugin = content(file), content(ROOT / "plugins" / f"{file.stem}.yaml")
    assert page.keys() - plugin.keys() == OF_THE_HUB
    assert {key for key in plugin if page[key] != plugin[key]} == {"variant"}
    assert list(page) == sorted(page)
    assert page["quality"] == "unknown"
    assert page["maintenance_status"] == "beta"
    assert page["log_parser"] == "singer-sdk"
    assert "structured-logging" in page["capabilities"]


@EACH_PAGE
def test_the_pythons_are_those_of_the_package(file: Path) -> None:
    package = (ROOT / "pyproject.toml").read_text("utf-8")
    versions = content(file)["supported_python_versions"]
    assert versions[0] == "3.10"
    for version in versions:
        assert f'"Programming Language :: Python :: {version}"' in package


@EACH_PAGE
def test_the_variant_is_named_alike_in_all_files(file: Path) -> None:
    page = content(file)
    defaults = content(HUB / "default_variants.yml")["extractors"]
    assert defaults[page["name"]] == page["variant"]
    assert len(defaults) == len(PAGES)
    ((key, maintainer),) = content(HUB / "maintainers.yml").items()
    assert key == maintainer["name"] == page["variant"]
    assert maintainer["url"] == page["repo"].rpartition("/")[0]


def test_the_owner_is_named_in_one_place() -> None:
    owner = content(HUB / "owner.yml")
    made = {*hub.files(), "pyproject.toml", "hub/owner.yml"}
    listed = subprocess.check_output(
        ["git", "grep", "--files-with-matches", "--fixed-strings", owner["repository"]],  # noqa: S607
        cwd=ROOT,
        encoding="utf-8",
    )
    assert set(listed.splitlines()) <= made


def test_the_logo_is_square_and_made_of_nothing_else() -> None:
    image = (HUB / "logo.png").read_bytes()
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    assert width == height >= 256
    drawing = ET.fromstring((HUB / "logo.svg").read_text("utf-8"))  # noqa: S314 - our own
    assert drawing.attrib["width"] == drawing.attrib["height"]
    namespace = "{http://www.w3.org/2000/svg}"
    parts = {element.tag.removeprefix(namespace) for element in drawing.iter()}
    assert parts == {"svg", "title", "rect", "g", "path"}


def test_both_are_added_and_installed_in_an_empty_project(
    wheel: Path, tmp_path: Path
) -> None:
    (tmp_path / "meltano.yml").write_text("version: 1\n")
    meltano = MeltanoProject(tmp_path)
    for file in PAGES:
        meltano("add", file.stem, f"--from-ref={file}", "--no-install")
    project = content(tmp_path / "meltano.yml")
    for added in project["plugins"]["extractors"]:
        assert added["variant"] == content(HUB / f"{added['name']}.yml")["variant"]
        # The package is not on the index before the pages are on the Hub.
        added["pip_url"] = str(wheel)
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
    meltano.install()
    for plugin in PLUGINS:
        listed = meltano("config", "list", plugin.name, "--all").out
        assert [name for name in plugin.own_settings if name not in listed] == []
    with SandboxProcess(events=5, tenant_events=1, workspace_events=5) as sandbox:
        meltano.variables |= {
            "TAP_OPENAI_AUDIT_ORGANIZATION_ID": sandbox.organization_id,
            "TAP_OPENAI_AUDIT_ADMIN_KEY": sandbox.admin_key,
            "TAP_OPENAI_AUDIT_API_URL": sandbox.url,
            "TAP_CHATGPT_WORKSPACE_WORKSPACE_ID": sandbox.workspace_id,
            "TAP_CHATGPT_WORKSPACE_KEY": sandbox.workspace_key,
            "TAP_CHATGPT_WORKSPACE_API_URL": sandbox.workspace_url,
        }
        for plugin in PLUGINS:
            checked = meltano("invoke", f"{plugin.name}:check").out
            assert checked.endswith("A sync would work.\n")
