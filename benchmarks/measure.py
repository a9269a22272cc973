"""Measure what a process costs, from its start to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAUNCHER = Path(__file__).with_name("launcher.py")
_LAST_WORDS = 300


class FailedRunError(Exception):
    """A measured process ended with an error, or did not end in time."""


@dataclass(frozen=True)
class Usage:
    """The cost of one run, start-up included.

    Attributes:
        wall: Seconds from start to end.
        cpu: Seconds of processor time, user and system.
        peak: Most memory resident at once, in MB of 10^6 bytes.
    """

    wall: float
    cpu: float
    peak: float

    @classmethod
    def best(cls, runs: Sequence[Usage]) -> Usage:
        """Return the least time of several runs, and the most memory."""
        return cls(
            min(run.wall for run in runs),
            min(run.cpu for run in runs),
            max(run.peak for run in runs),
        )


def environment(**additions: str) -> dict[str, str]:
    """Return the environment variables of a measured process.

    Leave out what slows Python down, such as a ban on compiled bytecode, and settings
    of the measured programs.
    """
    foreign = ("PYTHON", "OPENAI_", "TAP_OPENAI_AUDIT_")
    own = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    return {**own, **additions}


def measured(
    command: Sequence[str | Path],
    folder: Path,
    output: Path,
    *,
    timeout: float,
    variables: Mapping[str, str] | None = None,
) -> Usage:
    """Run a command and measure it.

    Args:
        command: The program, by its path, and its arguments.
        folder: Where it runs, and where its messages are kept.
        output: The file that its output goes to.
        timeout: Seconds after which it is ended.
        variables: Environment variables that it is given.

    Raises:
        FailedRunError: If its exit code is not 0, or it takes too long.
    """
    result, errors = folder / "usage", folder / "errors"
    launcher = subprocess.Popen(
        [sys.executable, "-I", "-S", _LAUNCHER, result, output, errors, *command],
        cwd=folder,
        env=environment(**(variables or {})),
        start_new_session=True,
    )
    try:
        launcher.wait(timeout)
    except subprocess.TimeoutExpired:
        raise FailedRunError(f"it did not end within {timeout:.0f} s") from None
    finally:
        if launcher.poll() is None:
            # The session is the launcher's own: this ends what it started, too.
            os.killpg(launcher.pid, signal.SIGKILL)
            launcher.wait()
    if launcher.returncode:
        raise FailedRunError(f"{command[0]} could not be started")
    code, wall, user, system, peak = result.read_text("ascii").split()
    if int(code):
        last = errors.read_text(errors="replace")[-_LAST_WORDS:]
        raise FailedRunError(f"it ended with exit code {code}: {last}")
    return Usage(float(wall), float(user) + float(system), float(peak) / 1e6)
