"""The environments of what is measured, compiled to bytecode.

They lie in `.work/benchmarks/environments`. One is created again when the packages that
it should hold change; the tap is installed anew each time.
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
PINS = ROOT / "requirements" / "dev.txt"
_TIMEOUT_SECONDS = 900  # an installation over a slow network


class NoEnvironmentError(Exception):
    """An environment could not be created."""


def of_checkout() -> Path:
    """Install the tap of this checkout. The bare loop runs there as well.

    Returns:
        The folder of its executables.

    Raises:
        NoEnvironmentError: If something cannot be installed.
    """
    return _of_source("tap", ROOT)


def of_commit(commit: str) -> Path:
    """Install the tap of another commit, with the same pins.

    Returns:
        The folder of its executables.

    Raises:
        NoEnvironmentError: If there is no such commit, or it cannot be installed.
    """
    source, archive = WORK / "source", WORK / "source.tar"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    git = ["git", "-C", str(ROOT), "archive", "--format=tar", f"--output={archive}"]
    _run([*git, "--end-of-options", commit])
    shutil.unpack_archive(archive, source, filter="data")
    archive.unlink()
    return _of_source("before", source)


def of_packages(name: str, packages: Sequence[str], *, fresh: bool) -> Path:
    """Install the newest versions of packages.

    Args:
        name: What the environment is called.
        packages: What it holds.
        fresh: Whether to create it again if it is there.

    Returns:
        The folder of its executables.

    Raises:
        NoEnvironmentError: If something cannot be installed.
    """
    return _created(name, packages, "\n".join(packages), fresh=fresh)


def version_of(programs: Path, package: str) -> str:
    """Return the version of a package in an environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return _run([programs / "python", "-c", code]).strip()


def _of_source(name: str, source: Path) -> Path:
    pinned: list[str | Path] = ["--constraint", PINS]
    programs = _created(name, [*pinned, source], PINS.read_text("utf-8"), fresh=False)
    # Its dependencies may have changed, so it is not enough to replace the tap.
    _install(programs / "python", [*pinned, source])
    _install(programs / "python", ["--force-reinstall", "--no-deps", source])
    _compile(programs)
    return programs


def _created(
    name: str, wanted: Sequence[str | Path], holds: str, *, fresh: bool
) -> Path:
    folder = WORK / "environments" / name
    programs, stamp = folder / "bin", folder / "holds"
    holds = f"{sys.version}\n{holds}"
    if fresh or not stamp.exists() or stamp.read_text("utf-8") != holds:
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", folder])
        _install(programs / "python", wanted)
        _compile(programs)
        stamp.write_text(holds, "utf-8")
    return programs


def _compile(programs: Path) -> None:
    # Packages hold templates that are not valid Python, which fail to compile.
    libraries = programs.parent / "lib"
    _run([programs / "python", "-m", "compileall", "-q", libraries], check=False)


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
