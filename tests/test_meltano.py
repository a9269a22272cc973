"""The project's Meltano definitions at work, into real targets."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import yaml
from meltano_project import ROOT, MeltanoProject, program_of

from tap_openai_audit.configuration import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.postgres import Database
    from sandbox.process import SandboxProcess

JOB = "openai-audit-to-postgres"


@dataclass(frozen=True)
class Loaded:
    """What a target holds.

    Attributes:
        ids: The id of each row or line of `audit_logs`.
        emitted: How many events the tap says that it emitted, over all runs.
    """

    ids: list[str]
    emitted: int


@pytest.fixture
def schema(meltano: MeltanoProject, postgres: Database) -> str:
    """A schema of its own in PostgreSQL, to which the project's loader is set."""
    name = f"test_{uuid4().hex}"
    meltano.variables.update(postgres.environment)
    meltano.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = name
    return name


@pytest.fixture
def in_postgres(postgres: Database, schema: str) -> Callable[[], Loaded]:
    def read() -> Loaded:
        with postgres.connect(schema) as connection:
            ids = connection.execute("SELECT id FROM audit_logs").fetchall()
            emitted = connection.execute("SELECT sum(events_emitted) FROM sync_reports")
            return Loaded([id_ for (id_,) in ids], int(emitted.fetchall()[0][0]))

    return read


@pytest.fixture
def in_duckdb(meltano: MeltanoProject) -> Callable[[], Loaded]:
    script = """
import duckdb, json, sys
tables = "sandbox.tap_openai_audit."
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    ids = connection.sql(f"SELECT id FROM {tables}audit_logs").fetchall()
    emitted = connection.sql(f"SELECT sum(events_emitted) FROM {tables}sync_reports")
    print(json.dumps([[id for id, in ids], int(emitted.fetchall()[0][0])]))
"""

    def read() -> Loaded:
        python = program_of("target-duckdb").with_name("python")
        file = meltano.directory / "sandbox.duckdb"
        command = [python, "-c", script, file]
        return Loaded(*json.loads(subprocess.check_output(command)))

    return read


@pytest.fixture
def in_jsonl(meltano: MeltanoProject) -> Callable[[], Loaded]:
    def lines(stream: str) -> list[dict[str, object]]:
        file = meltano.directory / "output" / "sandbox" / f"{stream}.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    def read() -> Loaded:
        ids = [str(event["id"]) for event in lines("audit_logs")]
        counts = [report["events_emitted"] for report in lines("sync_reports")]
        return Loaded(ids, sum(map(int, map(str, counts))))

    return read


def everything(sandbox: SandboxProcess) -> list[str]:
    return sorted(event.id for event in sandbox.control.events())


@pytest.mark.parametrize(
    ("blocks", "target"),
    [
        ((JOB,), "in_postgres"),
        (("tap-openai-audit", "target-duckdb"), "in_duckdb"),
        (("tap-openai-audit", "target-jsonl"), "in_jsonl"),
    ],
)
def test_two_runs_load_every_event_once(
    meltano: MeltanoProject,
    sandbox: SandboxProcess,
    blocks: tuple[str, ...],
    target: str,
    request: pytest.FixtureRequest,
) -> None:
    read: Callable[[], Loaded] = request.getfixturevalue(target)
    meltano("run", *blocks)
    first = read()
    assert sorted(first.ids) == everything(sandbox)
    sandbox.control.add_events(5)
    sandbox.control.add_events(3, at=time.time() - 1800)
    sandbox.control.add_events(2, scope="tenant")
    meltano("run", *blocks)
    second = read()
    assert sorted(second.ids) == everything(sandbox)
    assert second.emitted == first.emitted + 10 == len(second.ids)


@pytest.mark.parametrize(
    "path",
    [
        ("error_message",),
        pytest.param(
            ("data", "title"),
            marks=pytest.mark.xfail(
                reason="target-postgres 0.8.1 looks only at the fields of a column"
            ),
        ),
    ],
    ids=".".join,
)
def test_a_nul_character_does_not_stop_a_load(
    meltano: MeltanoProject,
    sandbox: SandboxProcess,
    postgres: Database,
    schema: str,
    path: tuple[str, ...],
) -> None:
    details: object = "before\0after"
    for name in reversed(path):
        details = {name: details}
    event = {
        "id": "audit_log-nul",
        "type": "login.failed",
        "effective_at": int(time.time()),
        "login.failed": details,
    }
    sandbox.control.add_events(raw=[event])
    meltano("run", JOB)
    with postgres.connect(schema) as connection:
        rows = connection.execute(
            "SELECT details #>> %s FROM audit_logs WHERE id = %s",
            [list(path), event["id"]],
        ).fetchall()
    assert rows == [("before\ufffdafter",)]


def test_a_refused_key_fails_the_run_and_is_named_but_not_shown(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    sandbox.control.behave(wrong_key=True)
    failed = meltano("run", "tap-openai-audit", "target-jsonl", fails=True)
    assert "audit_logs (organization)" in failed.log
    assert sandbox.admin_key not in failed.log + failed.out


def test_the_check_is_a_command_of_the_plugin(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    check = ("invoke", "tap-openai-audit:check")
    assert meltano(*check).out.endswith("A sync would work.\n")
    sandbox.control.behave(missing_scope=True)
    assert "api.audit_logs.read" in meltano(*check, fails=True).out


def test_the_schedule_runs_the_job_every_five_minutes(meltano: MeltanoProject) -> None:
    listed = meltano("schedule", "list", "--format=json").json["schedules"]
    (schedule,) = listed["job"]
    assert schedule["interval"] == schedule["cron_interval"] == "*/5 * * * *"
    assert schedule["job"]["name"] == JOB
    assert schedule["job"]["tasks"] == ["tap-openai-audit target-postgres"]


def test_the_ledger_and_the_events_are_selected_and_nothing_else(
    meltano: MeltanoProject,
) -> None:
    listed = meltano("select", "tap-openai-audit", "--list", "--json").json["streams"]
    assert {row["stream"] for row in listed} == {"audit_logs", "sync_reports"}


def test_a_plugin_added_from_its_definition_has_every_setting(tmp_path: Path) -> None:
    (tmp_path / "meltano.yml").write_text("default_environment: dev\n")
    meltano = MeltanoProject(tmp_path)
    definition = str(ROOT / "plugin.yaml")
    meltano("add", "tap-openai-audit", f"--from-ref={definition}", "--no-install")
    (added,) = yaml.safe_load((tmp_path / "meltano.yml").read_text("utf-8"))["plugins"][
        "extractors"
    ]
    assert added["pip_url"] == "tap-openai-audit"
    listed = meltano("config", "list", "tap-openai-audit", "--all").out
    assert [name for name in CONFIGURATION["properties"] if name not in listed] == []
