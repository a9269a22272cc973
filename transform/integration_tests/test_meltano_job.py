"""The commands of docs/answers.md: from the API to answers, in each environment."""

from __future__ import annotations

import json
import shlex
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
import pytest
import yaml

from sandbox.process import SandboxProcess
from testing.at_boundaries import OF_MELTANO
from testing.clock import recent
from testing.meltano_project import ROOT, MeltanoProject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.demo.postgres import Database

COMMANDS = {
    "postgres": "meltano run openai-audit",
    "duckdb": "DBT_TARGET=duckdb meltano run tap-openai-audit target-duckdb dbt:build",
}
ENVIRONMENTS = ("dev", "prod", "sandbox")
PLACES = [
    pytest.param(
        environment,
        target,
        marks=pytest.mark.xdist_group(target),
        id=f"{environment}-{target}",
    )
    for target in COMMANDS
    for environment in ENVIRONMENTS
]
INDEXES = """
    select indexname from pg_indexes
    where schemaname = '{schema}' and indexname like 'audit_logs_by_%'
"""
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))

pytestmark = pytest.mark.machine_clock(OF_MELTANO)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """Events of every kind in three days, none of them after it has started."""
    with SandboxProcess(events=100, start="3d", end="now", clock=recent()) as process:
        yield process


@dataclass(frozen=True)
class Built:
    """A project in which the documented command has run once, and its warehouse."""

    meltano: MeltanoProject
    environment: str
    database: Database | None

    def run(self, command: str) -> None:
        """Run a command as a page has it, with the variables in front of it."""
        words = shlex.split(command)
        while "=" in words[0]:
            name, _, self.meltano.variables[name] = words.pop(0).partition("=")
        assert words.pop(0) == "meltano"
        self.meltano(*words)

    @property
    def place(self) -> dict[str, str]:
        """The variables that `meltano.yml` has for the environment."""
        settings = {e["name"]: e["env"] for e in PROJECT["environments"]}
        return {**PROJECT["env"], **settings[self.environment]}

    def column(self, query: str) -> list[Any]:
        """Return the first column of a query, in which `answers` is the schema."""
        place = self.place
        query = query.format(answers=place["AUDIT_ANSWERS"])
        if self.database:
            with self.database.connect("public") as connection:
                rows = connection.execute(query.encode()).fetchall()
        else:
            root = str(self.meltano.directory)
            file = place["AUDIT_DUCKDB"].replace("$MELTANO_PROJECT_ROOT", root)
            with closing(duckdb.connect(file, read_only=True)) as connection:
                rows = connection.execute(query).fetchall()
        return [row[0] for row in rows]


@pytest.fixture(scope="module")
def built_in(
    request: pytest.FixtureRequest,
    sandbox: SandboxProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], Built]:
    """Runs the documented command, with nothing set but the key, once in each place."""

    @cache
    def build(environment: str, target: str) -> Built:
        directory = tmp_path_factory.mktemp(f"{environment}_{target}")
        database = request.getfixturevalue("postgres") if target == "postgres" else None
        meltano = MeltanoProject.copied_to(
            directory,
            MELTANO_ENVIRONMENT=environment,
            TAP_OPENAI_AUDIT_API_URL=sandbox.url,
            TAP_OPENAI_AUDIT_ORGANIZATION_ID=sandbox.organization_id,
            TAP_OPENAI_AUDIT_ADMIN_KEY=sandbox.admin_key,
            **(database.environment if database else {}),
        )
        (directory / "transform").symlink_to(ROOT / "transform")
        built = Built(meltano, environment, database)
        built.run(COMMANDS[target])
        return built

    return build


@pytest.mark.parametrize(("environment", "target"), PLACES)
def test_the_documented_command_gives_answers_in_each_environment(
    built_in: Callable[[str, str], Built],
    sandbox: SandboxProcess,
    environment: str,
    target: str,
) -> None:
    built = built_in(environment, target)
    events = built.column("select event_id from {answers}.openai_audit__events")
    assert sorted(events) == sorted(event.id for event in sandbox.control.events())
    rules = built.column("select distinct rule from {answers}.openai_audit__findings")
    assert len(rules) > 5
    if target == "postgres":
        schema = built.place["AUDIT_SCHEMA"]
        assert len(built.column(INDEXES.format(schema=schema))) == 2
    left = {path.name for path in (built.meltano.directory / "transform").iterdir()}
    assert not left & {"target", "logs", "dbt_packages"}


@pytest.mark.parametrize(("environment", "target"), PLACES)
def test_alerts_and_report_read_the_answers_of_each_environment(
    built_in: Callable[[str, str], Built],
    sandbox: SandboxProcess,
    environment: str,
    target: str,
) -> None:
    built = built_in(environment, target)
    with HTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        Thread(target=receiver.serve_forever, daemon=True).start()
        url = f"json://127.0.0.1:{receiver.server_port}"
        receivers = json.dumps({"channel": {"url": url, "minimum_severity": "low"}})
        built.meltano.variables["ALERTS_RECEIVERS"] = receivers
        built.run("meltano invoke alerts:send")
        page = built.meltano("invoke", "report:build").out.strip()
        receiver.shutdown()
    findings = built.column(
        "select count(*) from {answers}.openai_audit__alerts"
        " where finding_id not like 'introduction:%'"
    )
    assert findings[0] > 5
    # Each environment has a folder of its own for it.
    manifest = json.loads(Path(page).with_name("report.json").read_text("utf-8"))
    assert manifest["rows"]["events"] == len(sandbox.control.events())


class Receiver(BaseHTTPRequestHandler):
    """Takes whatever is sent."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.mark.xdist_group("duckdb")
def test_loader_and_dbt_take_turns_at_one_file(
    built_in: Callable[[str, str], Built], sandbox: SandboxProcess
) -> None:
    built = built_in("prod", "duckdb")
    sandbox.control.add_events(2)
    built.run("meltano run tap-openai-audit target-duckdb")
    # As docs/answers.md has it.
    built.run("meltano invoke dbt:build --full-refresh")
    events = built.column("select event_id from {answers}.openai_audit__events")
    assert sorted(events) == sorted(event.id for event in sandbox.control.events())
    built.run(
        "meltano invoke dbt:build --full-refresh --select +openai_audit__coverage"
    )
    verdicts = built.column("select verdict from {answers}.openai_audit__coverage")
    assert "proven" in verdicts
    built.run("meltano invoke dbt:docs")


@pytest.mark.xdist_group("postgres")
def test_the_jobs_of_the_workspace_take_its_events_to_answers(
    tmp_path: Path, postgres: Database
) -> None:
    raw, answers = (f"job_{name}_{uuid4().hex}" for name in ("raw", "answers"))
    options = {"events": 50, "workspace_events": 50, "start": "3d", "end": "now"}
    with SandboxProcess(clock=recent(), **options) as sandbox:
        meltano = MeltanoProject.copied_to(
            tmp_path,
            MELTANO_ENVIRONMENT="sandbox",
            TAP_OPENAI_AUDIT_API_URL=sandbox.url,
            TAP_CHATGPT_WORKSPACE_API_URL=sandbox.workspace_url,
            # What is set outside wins over `meltano.yml`, for loader and dbt alike.
            TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=raw,
            DBT_SCHEMA=answers,
            **postgres.environment,
        )
        (tmp_path / "transform").symlink_to(ROOT / "transform")

        def run(job: str) -> list[str]:
            meltano("run", job)
            with postgres.connect(answers) as connection:
                query = "select event_id, sentence from openai_audit__events"
                found = connection.execute(query).fetchall()
            assert all(sentence for _, sentence in found)
            return sorted(event_id for event_id, _ in found)

        def there() -> list[str]:
            return [event.id for event in sandbox.control.events()]

        def there_of_the_workspace() -> list[str]:
            files = [file for file in sandbox.control.workspace_files() if file.visible]
            return list({id_ for file in files for id_ in file.events})

        assert run("chatgpt-workspace") == sorted(there_of_the_workspace())
        sandbox.control.add_workspace_file(7)
        meltano("run", "load-chatgpt-workspace")
        both = run("openai-audit")
        assert both == sorted(there() + there_of_the_workspace())
