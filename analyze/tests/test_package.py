"""Each command runs with its own extra, and none needs the tap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ANALYZE = Path(__file__).parents[1]
_LIST = """
import importlib, pkgutil, sys
import openai_audit_analyze as package
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    if module.name.split(".")[1] not in sys.argv[1:]:
        importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    ("other", "of_other"),
    [
        (["report"], {"altair", "jinja2", "vl_convert"}),
        (["alerts"], {"apprise", "requests"}),
        (["alerts", "report"], {"altair", "apprise", "jinja2", "requests"}),
    ],
)
def test_a_command_imports_neither_the_tap_nor_what_others_need(
    other: list[str], of_other: set[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIST, *other],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ANALYZE)},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    imported = set(done.stdout.split())
    assert "openai_audit_analyze" in imported
    assert imported & (of_other | {"tap_openai_audit", "singer_sdk"}) == set()


def test_the_package_does_not_install_the_tap() -> None:
    text = (ANALYZE / "pyproject.toml").read_text("utf-8")
    assert "tap-openai-audit" not in text
