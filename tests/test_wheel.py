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
from typing import TYPE_CHECKING, NamedTuple

import pytest

from testing.meltano_project import DEADLINE, ROOT

if TYPE_CHECKING:
    from sandbox.process import SandboxProcess

UV = ROOT / ".venv" / "uv" / "bin" / "uv"
OF_THE_WORKSPACE = {"workspace_audit_logs", "workspace_auth_logs"}
RELEASED = (ROOT / "VERSION").read_text("utf-8").strip()


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
def test_the_wheel_alone_is_both_taps(
    version: str, python: str, wheel: Path, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    programs = installed(wheel, python, tmp_path / "environment")
    files = [f for f in sandbox.control.workspace_files() if f.visible]
    of_the_organization = Expected(
        "tap-openai-audit",
        {
            "organization_id": sandbox.organization_id,
            "admin_key": sandbox.admin_key,
            "api_url": sandbox.url,
        },
        {"audit_logs", "audit_log_digests", "sync_reports", "users", "projects"},
        {event.id for event in sandbox.control.events()},
    )
    of_the_workspace = Expected(
        "tap-chatgpt-workspace",
        {
            "workspace_id": sandbox.workspace_id,
            "key": sandbox.workspace_key,
            "api_url": sandbox.workspace_url,
        },
        {*OF_THE_WORKSPACE, "workspace_log_files", "sync_reports"},
        {id_ for file in files for id_ in file.events},
    )
    for tap in (of_the_organization, of_the_workspace):
        does_what_it_should(tap, programs, tmp_path, version)


class Expected(NamedTuple):
    """A tap, and what it should do.

    Attributes:
        streams: Some of its streams.
        events: The ids of all events.
    """

    command: str
    settings: dict[str, str]
    streams: set[str]
    events: set[str]


def does_what_it_should(
    tap: Expected, programs: Path, folder: Path, version: str
) -> None:
    (folder / "config.json").write_text(json.dumps(tap.settings))

    def run(*arguments: str) -> str:
        return subprocess.run(
            [programs / tap.command, *arguments],
            cwd=folder,
            env={"PATH": os.defpath},
            check=True,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            timeout=DEADLINE,
        ).stdout

    about = json.loads(run("--about", "--format=json"))
    assert about["name"] == tap.command
    assert about["version"] == RELEASED
    assert version in about["supported_python_versions"]
    # Without settings, as the Hub's checks ask it.
    streams = {stream["stream"] for stream in json.loads(run("--discover"))["streams"]}
    assert streams >= tap.streams
    configured = ("--config", "config.json")
    assert run(*configured, "--check").endswith("A sync would work.\n")
    messages = [json.loads(line) for line in run(*configured).splitlines()]
    written = [
        m["record"].get("id") or m["record"]["event_id"]
        for m in messages
        if m.get("stream") in {"audit_logs", *OF_THE_WORKSPACE}
        and m["type"] == "RECORD"
    ]
    assert sorted(written) == sorted(tap.events)
    assert messages[-1]["type"] == "STATE"


def installed(wheel: Path, python: str, environment: Path) -> Path:
    """The folder of programs of an environment that holds no more than is needed."""
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    own = environment / "bin" / "python"
    by_uv: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", own, wheel]
    # uv does not read pip's configuration, which may name another index.
    by_pip: list[str | Path] = [own, "-m", "pip", "install", "--quiet", wheel]
    if subprocess.run(by_uv, check=False).returncode:
        subprocess.run(by_pip, check=True)
    return environment / "bin"
