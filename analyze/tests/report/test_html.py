"""The file itself: valid, closed to the world, and clear to a screen reader."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import html5lib
import pytest

from openai_audit_analyze.report.models import MODELS
from tests.report.stage import DAY, EVENT, FINDING, Stage

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

HTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(params=["full", "empty", "without models"])
def page(request: pytest.FixtureRequest, duckdb_stage: Stage) -> str:
    """A report of something, of nothing, and of the least that there can be."""
    if request.param == "full":
        sign_in = {"event_id": "event-2", "event_type": "login.failed"}
        duckdb_stage.add("events", EVENT, EVENT | sign_in | {"outcome": "failed"})
        duckdb_stage.add(
            "findings",
            FINDING | {"event_count": 2, "event_ids": '["event-1", "event-2"]'},
            FINDING | {"finding_id": "2", "severity": "low"},
            FINDING | {"finding_id": "3", "suppressed_reason": "a test"},
        )
        duckdb_stage.add(
            "access",
            {"access_kind": "member", "principal_id": "user-1", "role": "owner"},
            {"access_kind": "api_key", "principal_id": "key-1", "owner_is_gone": True},
        )
        duckdb_stage.add("coverage", DAY, DAY | {"verdict": "missing"})
    if request.param == "without models":
        for model in MODELS:
            if model != "openai_audit__rules":
                duckdb_stage.drop(model.removeprefix("openai_audit__"))
    return duckdb_stage.build()


def parsed(page: str) -> Element:
    root: Element = html5lib.HTMLParser(strict=True).parse(page)
    return root


def test_it_is_valid_html(page: str) -> None:
    root = parsed(page)
    assert root.get("lang") == "en"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_it_names_no_other_host_and_holds_no_script(page: str) -> None:
    for element in parsed(page).iter():
        tag = str(element.tag).rpartition("}")[2]
        assert tag not in {"script", "img", "link", "iframe", "object", "image", "use"}
        for name, value in element.items():
            assert name not in {"src", "style"}
            assert not name.startswith("on")
            assert "href" not in name or value.startswith("#")
            assert "url(" not in value
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


def test_its_policy_allows_its_own_style_and_nothing_else(page: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none';"
        " form-action 'none'"
    )
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in page


def test_headings_skip_no_level(page: str) -> None:
    levels = [
        int(str(element.tag)[-1])
        for element in parsed(page).iter()
        if re.fullmatch(f"{re.escape(HTML)}h[1-6]", str(element.tag))
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_each_head_of_a_table_says_what_it_is_the_head_of(page: str) -> None:
    for head in parsed(page).iter(f"{HTML}th"):
        assert head.get("scope") in {"row", "col", "colgroup"}
    for region in parsed(page).findall(f".//{HTML}section"):
        heading = region.find(f"./{HTML}h2")
        assert heading is not None
        assert region.get("aria-labelledby") == heading.get("id")


def test_what_is_missing_is_said_with_how_to_get_it(duckdb_stage: Stage) -> None:
    page = duckdb_stage.build()
    assert "There is no event in this period." in page
    assert "Not evaluated: the rule models have not run." in page
    assert "Not known: no day is counted." in page
    assert "run <code>dbt:build</code>" in page
    assert "no run has read the reference streams" in page
    assert "<code>audit_log_digests</code> and <code>sync_reports</code>" in page
    duckdb_stage.add("rules", {"rule": "owner_added", "is_enabled": True})
    duckdb_stage.add("coverage", DAY)
    page = duckdb_stage.build()
    assert "No rule has found anything." in page
    assert page.count(">nothing to do</span>") == 1
    assert page.count(">to be reviewed</span>") == 2
    assert "None of the 1 rules has found anything" in page
    assert "No ChatGPT workspace is read." in page
