"""A Meltano project of its own for a test: this repository's, without its state."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
MELTANO = ROOT / ".venv" / "meltano" / "bin" / "meltano"
DEADLINE = 900  # seconds; bounds a hang, and nothing else
OF_PLUGINS = ("ALERTS_", "REPORT_", "TAP_", "TARGET_", "MELTANO_")


def program_of(plugin: str) -> Path:
    """The program of a plugin, in the environment that Meltano made for it."""
    kind = "extractors" if plugin.startswith("tap-") else "loaders"
    program = ROOT / ".meltano" / kind / plugin / "venv" / "bin" / plugin
    if not program.exists():
        pytest.fail(f"{plugin} is not installed: run `make install`")
    return program


@dataclass(frozen=True)
class Outcome:
    """How a command of Meltano ended, and what it wrote."""

    code: int
    out: str
    log: str

    @cached_property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class MeltanoProject:
    """A directory with a `meltano.yml`, and the variables that it is used with."""

    directory: Path
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def copied_to(cls, directory: Path, **variables: str) -> MeltanoProject:
        """A copy of this repository's project, with its plugins but not its state."""
        shutil.copy(ROOT / "meltano.yml", directory)
        shutil.copytree(ROOT / "plugins", directory / "plugins")
        for venv in ROOT.glob(".meltano/*/*/venv"):
            link = directory / venv.relative_to(ROOT)
            link.parent.mkdir(parents=True)
            link.symlink_to(venv, target_is_directory=True)
        return cls(directory, variables)

    def install(self) -> None:
        """Install the plugins, as `make install` does it."""
        if self._run("install").code:
            # uv does not read pip's configuration, which may name another index.
            self.variables["MELTANO_VENV_BACKEND"] = "virtualenv"
            self("install", "--clean")

    def __call__(self, *arguments: str, fails: bool = False) -> Outcome:
        """Run a command and expect that it succeeds, or that it fails."""
        outcome = self._run(*arguments)
        assert (outcome.code != 0) == fails, outcome.log[-8000:]
        return outcome

    def _run(self, *arguments: str) -> Outcome:
        with tempfile.TemporaryDirectory() as directory:
            out, log = Path(directory, "out"), Path(directory, "log")
            command = {
                "program": str(MELTANO),
                "arguments": ["--log-format=plain", *arguments],
                "directory": str(self.directory),
                "environment": self.environment,
                "out": str(out),
                "log": str(log),
            }
            code = _ended(command)
            return Outcome(code, out.read_text("utf-8"), log.read_text("utf-8"))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its commands are run with."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(OF_PLUGINS)}
        return {
            **kept,
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            # What is missing is installed by `make install`, once for all tests.
            "MELTANO_AUTO_INSTALL": "false",
            "NO_COLOR": "1",
            **self.variables,
        }


@cache
def _forks() -> subprocess.Popen[str]:
    """Start the process that commands are forked from. It ends with this one."""
    process = subprocess.Popen(
        [MELTANO.with_name("python"), ROOT / "testing" / "meltano_forks.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    atexit.register(process.communicate)
    return process


def _ended(command: dict[str, Any]) -> int:
    """Run a command and return its exit code."""
    forks = _forks()
    assert forks.stdin is not None
    assert forks.stdout is not None
    limit = threading.Timer(DEADLINE, forks.kill)
    limit.start()
    try:
        print(json.dumps(command), file=forks.stdin, flush=True)
        return int(forks.stdout.readline())
    finally:
        limit.cancel()
