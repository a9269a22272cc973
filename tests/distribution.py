"""What `pip install` gets, built as the release builds it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def build(target: str, source: Path, folder: Path) -> Path:
    """Build a `wheel` or an `sdist` of a source tree into an empty folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target]
    subprocess.run([*command, "--directory", str(folder)], cwd=source, check=True)
    (built,) = folder.iterdir()
    return built
