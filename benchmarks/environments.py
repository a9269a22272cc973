"""An environment of its own for each contestant, compiled to bytecode.

They are kept in `.work/benchmarks/environments` and made again when what they should
hold changes. The tap is installed anew from the checkout each time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".work" / "benchmarks"
_TIMEOUT_SECONDS = 900


class NoEnvironmentError(Exception):
    """An environment could not be made."""


def prepared(name: str, requirements: Sequence[str], *, fresh: bool) -> Path:
    """Make an environment, unless it is there.

    Args:
        name: What it is called.
        requirements: What it holds. Nothing means the tap, from the checkout.
        fresh: Whether to make it again, with the newest versions.

    Returns:
        The folder of its programs.

    Raises:
        NoEnvironmentError: If something cannot be installed.
    """
    folder = WORK / "environments" / name
    programs, stamp = folder / "bin", folder / "holds"
    python = programs / "python"
    holds = "\n".join([sys.version, *requirements])
    wanted: list[str | Path] = [*requirements] or [ROOT]
    if fresh or not stamp.exists() or stamp.read_text() != holds:
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", folder])
        _install(python, wanted)
    elif not requirements:
        _install(python, ["--force-reinstall", "--no-deps", ROOT])
    # Packages hold templates that are not valid Python: they cannot be compiled.
    _run([python, "-m", "compileall", "-q", folder / "lib"], check=False)
    stamp.write_text(holds)
    return programs


def version_of(programs: Path, package: str) -> str:
    """The version of a package in an environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return _run([programs / "python", "-c", code]).strip()


def _install(python: Path, what: Sequence[str | Path]) -> None:
    _run([python, "-m", "pip", "install", "--quiet", *what])


def _run(command: Sequence[str | Path], *, check: bool = True) -> str:
    try:
        done = subprocess.run(
            command,
            env=environment(),
            check=check,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise NoEnvironmentError(str(said).strip().splitlines()[-1]) from error
    return done.stdout
