"""The wheel alone, in an environment that has nothing else, does what the tap does.

The Python that runs the tests is tried here; every other one that can be found, by
`make test-pythons`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testing.meltano_project import DEADLINE, ROOT

if TYPE_CHECKING:
    from sandbox.process import SandboxProcess

UV = ROOT / ".venv" / "uv" / "bin" / "uv"
STREAMS = {"audit_logs", "audit_log_digests", "sync_reports", "users", "projects"}


def supported() -> list[str]:
    """The Pythons that the package names, as in `3.10`."""
    package = (ROOT / "pyproject.toml").read_text("utf-8")
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', package)


def found(version: str) -> str | None:
    """The program of a Python: on the path, or one that pyenv keeps."""
    of_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = sorted(of_pyenv.glob(f"{version}.*/bin/python{version}"))
    on_path = shutil.which(f"python{version}")
    for program in [*map(str, kept), *([on_path] if on_path else [])]:
        # What pyenv puts onto the path may be a Python that it has not chosen.
        if subprocess.run([program, "-c", ""], check=False).returncode == 0:
            return program
    return None


def pythons() -> dict[str, str]:
    """The Pythons to try, by version."""
    own = "{}.{}".format(*sys.version_info)
    others = supported() if os.environ.get("ALL_PYTHONS") else []
    programs = {v: found(v) for v in others if v != own}
    return {own: sys.executable} | {v: p for v, p in programs.items() if p}


@pytest.mark.parametrize(("version", "python"), pythons().items(), ids=pythons())
def test_the_wheel_alone_is_the_tap(
    version: str, python: str, wheel: Path, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    tap = installed(wheel, python, tmp_path / "environment")
    settings = {
        "organization_id": sandbox.organization_id,
        "admin_key": sandbox.admin_key,
        "api_url": sandbox.url,
    }
    (tmp_path / "config.json").write_text(json.dumps(settings))

    def run(*arguments: str) -> str:
        return subprocess.run(
            [tap, *arguments],
            cwd=tmp_path,
            env={"PATH": os.defpath},
            check=True,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            timeout=DEADLINE,
        ).stdout

    about = json.loads(run("--about", "--format=json"))
    assert f"tap_openai_audit-{about['version']}-" in wheel.name
    assert version in about["supported_python_versions"]
    # Without settings, as the Hub's checks ask it.
    streams = {stream["stream"] for stream in json.loads(run("--discover"))["streams"]}
    assert streams >= STREAMS
    configured = ("--config", "config.json")
    assert run(*configured, "--check").endswith("A sync would work.\n")
    messages = [json.loads(line) for line in run(*configured).splitlines()]
    written = [
        m["record"]["id"]
        for m in messages
        if m.get("stream") == "audit_logs" and m["type"] == "RECORD"
    ]
    assert sorted(written) == sorted(event.id for event in sandbox.control.events())
    assert messages[-1]["type"] == "STATE"


def installed(wheel: Path, python: str, environment: Path) -> Path:
    """The program of the tap, of an environment that holds no more than it needs."""
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    own = environment / "bin" / "python"
    by_uv: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", own, wheel]
    # uv does not read pip's configuration, which may name another index.
    by_pip: list[str | Path] = [own, "-m", "pip", "install", "--quiet", wheel]
    if subprocess.run(by_uv, check=False).returncode:
        subprocess.run(by_pip, check=True)
    return environment / "bin" / "tap-openai-audit"
