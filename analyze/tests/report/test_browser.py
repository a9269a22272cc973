"""What people see, in a real browser."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from openai_audit_analyze.report.models import MODELS
from tests.report.stage import DAY, EVENT, FINDING, Row, Stage, built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from testing.warehouse import Warehouse

SECTIONS = (
    "Findings",
    "Events",
    "Sign-ins",
    "Who and where",
    "Access",
    "Timeline",
    "Completeness",
)
HOSTILE = (
    "{{ 7 * 7 }}<script>document.title='taken'</script>"
    "</text></svg><img src=http://example.net/x onerror=document.title='taken'>"
    "\N{RIGHT-TO-LEFT OVERRIDE}moc.elpmaxe&lt;b&gt;'\""
)


@dataclass
class Seen:
    """An open page, and what went on while it was opened."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def opened(browser: Browser, place: Path, **context: Any) -> Iterator[Seen]:
    """Open a file in a window of its own."""
    page = browser.new_page(**context)
    seen = Seen(page)
    page.on("console", lambda message: seen.console.append(message.text))
    page.on("pageerror", lambda error: seen.console.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    try:
        page.goto(place.as_uri())
        yield seen
    finally:
        page.close()


def test_every_section_shows_the_story(browser: Browser, demo: Warehouse) -> None:
    place = built(demo)
    with opened(browser, place) as seen:
        page = seen.page
        assert tuple(page.locator("h2").all_inner_texts()) == SECTIONS
        for section in page.locator("section").all():
            assert section.locator("table, li").count()
            assert section.locator(".empty").count() == 0
        assert page.locator(".card.critical .tag").count() >= 3
        assert (
            "Sam Carter" in page.locator("section[aria-labelledby=access]").inner_text()
        )
        assert page.locator("svg.wide:visible").count() >= 7
        assert page.locator("svg.narrow:visible").count() == 0
    assert seen.console == []
    assert seen.requests == [place.as_uri()]


@pytest.mark.parametrize("demo", ["duckdb"], indirect=True)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.xdist_group("duckdb")
def test_a_phone_shows_it_without_moving_sideways(
    browser: Browser, demo: Warehouse, theme: Any
) -> None:
    size = {"width": 390, "height": 844}
    with opened(browser, built(demo), viewport=size, color_scheme=theme) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") == 390
        assert seen.page.locator("svg.narrow:visible").count() >= 7
        assert seen.page.locator("svg.wide:visible").count() == 0


@pytest.mark.parametrize("demo", ["duckdb"], indirect=True)
@pytest.mark.xdist_group("duckdb")
def test_it_prints_on_a4_in_light_colours(browser: Browser, demo: Warehouse) -> None:
    with opened(browser, built(demo), color_scheme="dark") as seen:
        page = seen.page
        printed = page.pdf(prefer_css_page_size=True)
        sizes = set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", printed))
        (size,) = sizes
        assert [round(float(number)) for number in size.split()] == [0, 0, 595, 842]
        # A4 without its margins, in pixels.
        page.set_viewport_size({"width": 665, "height": 990})
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("document.documentElement.scrollWidth") == 665
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert ink == "rgb(29, 33, 38)"
        assert not page.locator("nav").is_visible()
        # A sheet cannot be unfolded.
        folded = page.locator(".card details dl").all()
        assert folded
        assert all(explained.is_visible() for explained in folded)


def test_what_others_wrote_stays_text(browser: Browser, stage: Stage) -> None:
    for model, columns in MODELS.items():
        row: Row = dict.fromkeys(
            (name for name, kind in columns.items() if kind == "text"), HOSTILE
        )
        name = model.rpartition("__")[2]
        given: Row = {"events": EVENT, "findings": FINDING, "coverage": DAY}.get(
            name, {}
        )
        stage.add(
            name,
            {**given, **row, **_needed(name)},
            {**given, **row, **_needed(name), **_also(name)},
        )
    page_text = stage.build()
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page_text
    with opened(browser, stage.directory / "report" / "report.html") as seen:
        page = seen.page
        assert page.title().startswith("OpenAI audit report")
        assert page.locator("script, img, iframe, b").count() == 0
        # Of sign-ins there are numbers only.
        for section in page.locator("section:not(:has(#sign-ins))").all():
            assert "{{ 7 * 7 }}<script>" in section.inner_text()
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert seen.console == []
    assert len(seen.requests) == 1


def _needed(model: str) -> Row:
    """What has to be as it is for a row to be shown."""
    needed: dict[str, Row] = {
        "events": {"actor_kind": "user", "event_type": f"x{HOSTILE}"},
        "findings": {"suppressed_reason": None, "event_ids": "[]"},
        "findings_now": {"holds": False, "suppressed_reason": None},
        "access": {"access_kind": "api_key", "owner_is_gone": True},
    }
    return needed.get(model, {})


def _also(model: str) -> Row:
    """What differs in a second row, so that each place shows something."""
    also: dict[str, Row] = {
        "events": {"event_type": f"login{HOSTILE}"},
        "findings": {"suppressed_reason": HOSTILE, "finding_id": "2"},
        "access": {"access_kind": "member", "role": "owner"},
    }
    return also.get(model, {})
