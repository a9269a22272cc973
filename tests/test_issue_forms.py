"""The forms of issues ask for what is needed, and for no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from documents import ROOT, page

if TYPE_CHECKING:
    from pathlib import Path

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))

# What GitHub needs of a part of a form, by its type.
NEEDED = {
    "markdown": {"value"},
    "input": {"label"},
    "textarea": {"label"},
    "dropdown": {"label", "options"},
    "checkboxes": {"label", "options"},
}


def form(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text("utf-8")))


def test_each_kind_of_report_has_a_form_that_support_names() -> None:
    names = {form(path)["name"] for path in FORMS}
    assert names == {"Bug report", "New event type", "New detection"}
    support = " ".join(page("SUPPORT.md").split())
    assert [name for name in names if f"*{name}*" not in support] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_is_what_github_takes(path: Path) -> None:
    found = form(path)
    assert found.keys() == {"name", "description", "labels", "body"}
    for part in found["body"]:
        assert part["attributes"].keys() >= NEEDED[part["type"]]
    ids = [part["id"] for part in found["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_for_no_key_and_for_nobodys_data(path: Path) -> None:
    first, *_, last = form(path)["body"]
    assert "Never paste a key" in first["attributes"]["value"]
    (promise,) = last["attributes"]["options"]
    assert promise["required"] is True
