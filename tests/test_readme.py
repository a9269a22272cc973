"""What the README and the proof tell to type works."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import yaml
from meltano_project import ROOT, MeltanoProject, program_of
from warehouses import PROOF

if TYPE_CHECKING:
    from sandbox.demo.postgres import Database
    from sandbox.process import SandboxProcess

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(?:bash|console)\n(.*?)```", re.DOTALL)

#: Every command of both, and the test that runs it.
TESTED = {
    "make demo": "test_demo.py",
    "make generate": "test_settings_agree.py",
    "make install": "conftest.py",
    # The fixture of each test of Meltano uses what `make install` made by it.
    "meltano install": "conftest.py",
    "meltano invoke tap-openai-audit:check": "test_meltano.py",
    "meltano config test tap-openai-audit": "test_meltano.py",
    "meltano run tap-openai-audit target-postgres": "test_readme.py",
    "meltano run tap-chatgpt-workspace target-postgres": "test_workspace_targets.py",
    "meltano schedule list": "test_readme.py",
    "meltano add tap-openai-audit --from-ref plugin.yaml": "test_meltano.py",
    # From a package index: the workflow of the release builds and checks the package.
    "pip install tap-openai-audit": "test_readme.py",
    "tap-openai-audit --config ENV | target-jsonl": "test_readme.py",
    "tap-openai-audit --config config.json --check": "test_check.py",
    "meltano run tap-openai-audit digests-kept target-postgres": "test_proof_loaded.py",
    'cat "$DIGESTS_COPY"/*.jsonl | TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=digests_kept'
    " meltano invoke target-postgres": "test_proof_loaded.py",
}


def commands(text: str) -> set[str]:
    """What is to be typed: lines of blocks, and commands within sentences."""
    typed = {
        line.removeprefix("$ ")
        for block in BLOCK.findall(text)
        for line in block.splitlines()
        if line.startswith("$ ") or "$ " not in block
    }
    named = {
        code
        for code in re.findall(r"`((?:meltano|make|pip|tap-openai-audit) [^`]+)`", text)
        if not code.endswith("…")
    }
    return {line for line in typed | named if line}


def test_every_command_is_run_by_a_test() -> None:
    assert commands(README) | commands(PROOF) == set(TESTED)
    for name in TESTED.values():
        assert (Path(__file__).parent / name).exists()


def test_meltano_runs_lists_and_reads_what_is_selected(
    meltano: MeltanoProject, sandbox: SandboxProcess, postgres: Database
) -> None:
    schema = f"readme_{uuid4().hex}"
    meltano.variables.update(postgres.environment)
    meltano.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = schema
    selected = re.findall(r"```yaml\nselect:\n(.*?)```", README, re.DOTALL)[0]
    project = yaml.safe_load((meltano.directory / "meltano.yml").read_text())
    project["plugins"]["extractors"][0]["select"] = yaml.safe_load(selected)
    (meltano.directory / "meltano.yml").write_text(yaml.safe_dump(project))
    meltano("run", "tap-openai-audit", "target-postgres")
    assert "openai-audit-every-five-minutes" in meltano("schedule", "list").out
    ledger = re.findall(r"```sql\n(SELECT\n    started_at.*?)```", README, re.DOTALL)[0]
    with postgres.connect(schema) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM users").fetchone() == (
            True,
        )
        reports = connection.execute(ledger).fetchall()
    scopes = {(report[1], report[8]) for report in reports}
    assert scopes == {("organization", True), ("tenant", True), ("users", True)}
    emitted = sum(report[7] for report in reports if report[1] != "users")
    assert emitted == len(sandbox.control.events())


def test_without_meltano_it_is_a_pipe(sandbox: SandboxProcess, tmp_path: Path) -> None:
    line = next(command for command in TESTED if "target-jsonl" in command)
    programs = ("tap-openai-audit", "target-jsonl")
    paths = [str(program_of(program).parent) for program in programs]
    subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],  # noqa: S607 - as it is typed
        check=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": os.pathsep.join([*paths, os.environ["PATH"]]),
            "TAP_OPENAI_AUDIT_ORGANIZATION_ID": sandbox.organization_id,
            "TAP_OPENAI_AUDIT_ADMIN_KEY": sandbox.admin_key,
            "TAP_OPENAI_AUDIT_API_URL": sandbox.url,
        },
    )
    (written,) = tmp_path.glob("audit_logs*.jsonl")
    ids = {json.loads(event)["id"] for event in written.read_text().splitlines()}
    assert ids == {event.id for event in sandbox.control.events()}
