"""Makes the pictures of a report in docs/images, from the demo's incident.

make screenshots
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Run as a script: what it shares with the tests is found by these.
sys.path[:0] = [str(ROOT / part) for part in (".", "analyze")]

from tests.report.browsers import started  # noqa: E402 - after the path
from tests.report.stage import built, told  # noqa: E402

IMAGES = ROOT / "docs" / "images"
_WIDTH = 820  # pixels: the column, and a little room beside it


def main() -> None:
    """Make a report, and pictures of its begin and, in dark, of its sign-ins."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, started() as browser:
        place = built(told("duckdb", Path(directory), None)).as_uri()
        size = {"width": _WIDTH, "height": 1080}
        light = browser.new_page(viewport=size, color_scheme="light")
        light.goto(place)
        light.screenshot(path=IMAGES / "report.png")
        dark = browser.new_page(viewport=size, color_scheme="dark")
        dark.goto(place)
        box = dark.locator("section[aria-labelledby=sign-ins]").bounding_box()
        assert box, "the report has no sign-ins"
        clip = {"x": 0, "y": box["y"], "width": _WIDTH, "height": box["height"] + 30}
        dark.screenshot(path=IMAGES / "sign-ins.png", clip=clip, full_page=True)


if __name__ == "__main__":
    main()
