"""What docs/production.md says holds, and what it tells to copy works as it is."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from configparser import ConfigParser
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import yaml
from documents import PAGES, ROOT, blocks, page

from sandbox.process import SandboxProcess
from testing.meltano_project import DEADLINE, MELTANO, MeltanoProject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.demo.postgres import Database

PAGE = "docs/production.md"
SCRIPTS = ("backfill", "sync-organization")
BUSY = 75
WAIT = 60  # seconds until a run has begun, on the slowest machine


@contextmanager
def killed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """No process that a test starts outlives it."""
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Folder:
    """A folder as the page describes it, with an organization of a sandbox in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.project = MeltanoProject.copied_to(directory, MELTANO_ENVIRONMENT="prod")
        for name, script in zip(SCRIPTS, blocks(PAGE, "sh"), strict=True):
            (directory / name).write_text(script)
            (directory / name).chmod(0o700)
        (directory / "organizations").mkdir()

    def add(self, name: str, sandbox: SandboxProcess, **variables: str) -> None:
        """Write the variables of an organization."""
        all_of_it = {
            "TAP_OPENAI_AUDIT_ORGANIZATION_ID": sandbox.organization_id,
            "TAP_OPENAI_AUDIT_ADMIN_KEY": sandbox.admin_key,
            "TAP_OPENAI_AUDIT_API_URL": sandbox.url,
            **variables,
        }
        lines = [f"{key}={shlex.quote(value)}\n" for key, value in all_of_it.items()]
        (self.directory / f"organizations/{name}.env").write_text("".join(lines))

    def started(self, command: str) -> subprocess.Popen[bytes]:
        """Start a command as it is typed."""
        path = os.pathsep.join([str(MELTANO.parent), os.environ["PATH"]])
        return subprocess.Popen(
            shlex.split(command),
            cwd=self.directory,
            env={**self.project.environment, "PATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ended(self, command: str) -> int:
        """Run a command as it is typed, and return its exit code."""
        process = self.started(command)
        with killed_at_the_end(process):
            return process.wait(DEADLINE)

    def configurations(self) -> list[Path]:
        """The files in which Meltano hands the settings to the tap and the target."""
        return [*self.directory.glob(".meltano/organizations/*/run/*/*.config.json")]


def test_two_organizations_are_read_at_once_each_into_its_own_tables(
    tmp_path: Path, postgres: Database
) -> None:
    folder = Folder(tmp_path)
    commands = blocks(PAGE, "bash")[1].splitlines()
    names = [command.split()[1] for command in commands]
    schemas = {name: f"audit_{uuid4().hex}" for name in names}
    with ExitStack() as stack:
        there = {}
        for number, name in enumerate(names):
            organization = SandboxProcess(
                organization_id=f"org-{name}",
                admin_key=f"sk-admin-{name}",
                events=20 + number,
                seed=number,
                start="3d",
                end="now",
            )
            there[name] = stack.enter_context(organization)
            folder.add(
                name,
                organization,
                TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=schemas[name],
                **postgres.environment,
            )
        written = (tmp_path / f"organizations/{names[0]}.env").read_text()
        (documented,) = blocks(PAGE, "dotenv")
        for line in documented.splitlines():
            assert line.partition("=")[0] in written
        # The second round reads what the first one left.
        for _ in range(2):
            running = [folder.started(command) for command in commands]
            for process in running:
                stack.enter_context(killed_at_the_end(process))
            assert [process.wait(DEADLINE) for process in running] == [0, 0]
            for organization in there.values():
                organization.control.add_events()
        for name, organization in there.items():
            *known, _ = sorted(e.id for e in organization.control.events())
            with postgres.connect(schemas[name]) as connection:
                rows = connection.execute(
                    "SELECT id, organization_id FROM audit_logs ORDER BY id"
                ).fetchall()
                ledger = connection.execute(
                    "SELECT sum(events_emitted) FROM sync_reports"
                ).fetchall()
            assert len(rows) == len(known) == int(ledger[0][0])
            assert {organization_id for _, organization_id in rows} == {f"org-{name}"}


def test_a_backfill_beside_the_schedule_leaves_the_schedules_files_alone(
    tmp_path: Path, postgres: Database
) -> None:
    folder, schema = Folder(tmp_path), f"backfill_{uuid4().hex}"
    (command,) = blocks(PAGE, "bash")[0].splitlines()
    script, _, _, *plugins = command.split()
    schedule = " ".join(["meltano", "run", *plugins])
    with SandboxProcess(events=200, start="40d", end="now") as sandbox:
        folder.project.variables |= {
            "TAP_OPENAI_AUDIT_ORGANIZATION_ID": sandbox.organization_id,
            "TAP_OPENAI_AUDIT_ADMIN_KEY": sandbox.admin_key,
            "TAP_OPENAI_AUDIT_API_URL": sandbox.url,
            "TAP_OPENAI_AUDIT_START_DATE": day(10, sandbox),
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
            **postgres.environment,
        }
        assert folder.ended(schedule) == 0
        (left,) = files_of_runs(tmp_path / ".meltano/run")
        left.write_text("of the schedule")
        backfill = " ".join([script, day(60, sandbox), day(9, sandbox), *plugins])
        # Alone, so that whatever is changed was changed by it.
        assert folder.ended(backfill) == 0
        assert left.read_text() == "of the schedule"
        assert files_of_runs(tmp_path / ".meltano/backfill/run")
        known = {event.id for event in sandbox.control.events()}
    with postgres.connect(schema) as connection:
        rows = connection.execute("SELECT id FROM audit_logs").fetchall()
        chains = connection.execute(
            "SELECT DISTINCT chain_id FROM sync_reports WHERE scope = 'organization'"
        ).fetchall()
    assert {id_ for (id_,) in rows} == known
    assert len(rows) == len(known)
    assert len(chains) == 2


def day(ago: int, sandbox: SandboxProcess) -> str:
    """The UTC day so many days before today."""
    at = time.gmtime(sandbox.control.now() - ago * 86_400)
    return time.strftime("%Y-%m-%d", at)


def files_of_runs(directory: Path) -> list[Path]:
    """The catalogs that Meltano has written for a run of the tap."""
    return [*directory.glob("tap-openai-audit/tap.properties.json")]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_that_names_a_second_state_id_says_what_else_it_needs(
    name: str,
) -> None:
    for paragraph in re.split(r"\n\n|\n(?=[|#])", page(name)):
        if re.search(r"state[- ]id[- ](?:suffix|of its own)", paragraph):
            named = "MELTANO_SYS_DIR_ROOT" in paragraph or "```" in paragraph
            linked = "production.md#a-backfill-beside-the-schedule" in paragraph
            assert named or linked, paragraph


def test_what_a_killed_run_leaves_is_for_its_owner_alone_and_goes_with_the_next(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    folder.add("slow", sandbox, TARGET_JSONL_DESTINATION_PATH=str(tmp_path / "output"))
    command = "./sync-organization slow tap-openai-audit target-jsonl"
    sandbox.control.behave(latency_ms=60_000)
    process = folder.started(command)
    with killed_at_the_end(process):
        deadline = time.monotonic() + WAIT
        while not sandbox.control.requests()["count"]:
            assert time.monotonic() < deadline
            assert process.poll() is None
        # Nothing runs beside it meanwhile.
        assert folder.ended(command) == BUSY
    left = folder.configurations()
    assert sandbox.admin_key in "".join(file.read_text() for file in left)
    assert {file.stat().st_mode & 0o777 for file in left} == {0o600}
    sandbox.control.behave(latency_ms=0)
    # Meltano's own lock outlives the run for five minutes.
    assert folder.ended(command) == 1
    assert folder.configurations() == []
    forced = command.replace("tap-openai-audit", "--force tap-openai-audit")
    assert folder.ended(forced) == 0
    assert (tmp_path / "output" / "audit_logs.jsonl").exists()
    assert folder.configurations() == []


def test_the_line_of_cron_starts_no_run_beside_another(tmp_path: Path) -> None:
    (line,) = blocks(PAGE, "crontab")
    typed = line.split(maxsplit=5)[5].strip()
    meltano = tmp_path / ".venv/meltano/bin/meltano"
    meltano.parent.mkdir(parents=True)
    # Within its run it tries to start another one.
    meltano.write_text(
        '#!/bin/sh\necho "$MELTANO_ENVIRONMENT $* $(umask)" >> ran\n'
        '[ -n "$INNER" ] || INNER=yes sh -c "$TYPED"\n'
    )
    meltano.chmod(0o700)
    here = typed.replace("/srv/openai-audit", shlex.quote(str(tmp_path)))
    environment = {"PATH": os.environ["PATH"], "TYPED": here}
    tried = subprocess.run(["sh", "-c", here], env=environment, check=False)  # noqa: S607 - as cron does
    assert tried.returncode != 0
    assert (tmp_path / "ran").read_text() == "prod run openai-audit 0077\n"


@pytest.fixture(scope="module")
def jobs() -> set[str]:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    return {job["name"] for job in project["jobs"]}


def test_the_timer_starts_the_service_that_runs_a_job(jobs: set[str]) -> None:
    service, timer = (unit(text) for text in blocks(PAGE, "systemd"))
    *command, job = service["Service"]["ExecStart"].split()
    assert job in jobs
    assert command[1:] == ["run"]
    folder = service["Service"]["WorkingDirectory"]
    assert command[0] == f"{folder}/{MELTANO.relative_to(ROOT)}"
    assert service["Service"]["ExecStartPre"].endswith(f" {folder}/.meltano/run")
    assert service["Service"]["UMask"] == "0077"
    # Only of a service that ends is it known whether it still runs.
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["OnCalendar"] == "*:0/5"
    assert timer["Install"]["WantedBy"] == "timers.target"


def unit(text: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keeps capitals
    parser.read_string(text)
    return parser


def test_the_cronjob_forbids_two_runs_and_holds_no_secret(jobs: set[str]) -> None:
    (text,) = blocks(PAGE, "yaml")
    manifest = yaml.safe_load(text)
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    assert manifest["spec"]["schedule"] == "*/5 * * * *"
    pod: dict[str, Any] = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"][0] == "run"
    assert container["args"][1] in jobs
    assert {each["name"] for each in container["env"]} == {"MELTANO_ENVIRONMENT"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == {each["name"] for each in pod["volumes"]}
    assert "password" not in json.dumps(manifest).lower()
