"""The pages for people, and what they tell to type."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "hub/*.md")
    for path in ROOT.glob(pattern)
)

_PROGRAMS = "meltano|make|pip|tap-openai-audit"
_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@cache
def page(name: str) -> str:
    """The text of a page, by its path."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, *languages: str) -> list[str]:
    """What stands in the page's blocks of these languages, in its order."""
    fences = [block.split("\n", 1) for block in _BLOCK.findall(page(name))]
    wanted = {f"```{language}" for language in languages}
    return [rest.removesuffix("```") for head, rest in fences if head in wanted]


def commands(name: str) -> set[str]:
    """What is to be typed: lines of blocks, and commands within sentences."""
    typed = [
        line.removeprefix("$ ")
        for block in blocks(name, "bash", "console")
        for line in block.splitlines()
        if line.startswith("$ ") or "$ " not in block
    ]
    prose = _BLOCK.sub("", page(name))
    named = [
        " ".join(code.split())
        for code in re.findall(rf"`((?:{_PROGRAMS})\s[^`]+)`", prose)
        if not code.endswith("…")
    ]
    lines = [re.sub(r"\s+#.*|\s+&$", "", line) for line in [*typed, *named]]
    return {line for line in lines if line and not line.startswith("#")}


def anchors(name: str) -> list[str]:
    """What a link may name in a page: its headings, as GitHub writes them."""
    text = _BLOCK.sub("", page(name))
    found = []
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        found.append(plain.replace(" ", "-"))
    return found


def links(name: str) -> list[str]:
    """Where a page leads to within the repository."""
    text = re.sub(r"`[^`\n]*`", "", _BLOCK.sub("", page(name)))
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link for link in found if not re.match(r"\w+:", link)]
