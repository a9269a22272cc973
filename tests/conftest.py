from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import pytest
from distribution import build
from hypothesis import HealthCheck, settings
from warehouses import skip_without_duckdb

from sandbox.process import SandboxProcess
from testing.at_boundaries import OF_MELTANO
from testing.meltano_project import ROOT, MeltanoProject, program_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.demo.postgres import Database

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


def pytest_report_header() -> str:
    """Name the cases of the fault suite that this commit draws."""
    from fault_draw import commit, drawn  # noqa: PLC0415 - alone in processes of tests

    numbers = ", ".join(map(str, drawn(commit())))
    return f"cases of the fault suite, drawn by the commit's hash: {numbers}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs target-postgres by Meltano, as all tests with PostgreSQL do."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "postgres" in names or "postgres" in item.name:
            item.add_marker(pytest.mark.machine_clock(OF_MELTANO))


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    """A small organization of the last 30 days, with an event of this second."""
    options = {"events": 300, "tenant_events": 20, "start": "30d", "end": "now"}
    # The project's sandbox has a workspace too, which a check looks at.
    with SandboxProcess(workspace_events=20, **options) as process:
        process.control.add_events()
        yield process


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as the release builds it, which is from the sdist."""
    source = tmp_path_factory.mktemp("source")
    shutil.unpack_archive(sdist, source, filter="data")
    (unpacked,) = source.iterdir()
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def meltano(tmp_path: Path, sandbox: SandboxProcess) -> MeltanoProject:
    """This repository's Meltano project without state, reading from the sandbox."""
    return MeltanoProject.copied_to(
        tmp_path,
        MELTANO_ENVIRONMENT="sandbox",
        TAP_OPENAI_AUDIT_API_URL=sandbox.url,
        TAP_CHATGPT_WORKSPACE_API_URL=sandbox.workspace_url,
    )


class Loaded(NamedTuple):
    """What a target holds.

    Attributes:
        ids: The id of each row or line of `audit_logs`.
        emitted: How many events the tap says that it emitted, over all runs.
    """

    ids: list[str]
    emitted: int


@pytest.fixture
def in_postgres(meltano: MeltanoProject, postgres: Database) -> Callable[[], Loaded]:
    """Sets target-postgres to a schema of the test, and reads what is there."""
    schema = f"test_{uuid4().hex}"
    meltano.variables.update(postgres.environment)
    meltano.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = schema

    def read() -> Loaded:
        with postgres.connect(schema) as connection:
            ids = connection.execute("SELECT id FROM audit_logs").fetchall()
            emitted = connection.execute("SELECT sum(events_emitted) FROM sync_reports")
            return Loaded([id_ for (id_,) in ids], int(emitted.fetchall()[0][0]))

    return read


@pytest.fixture
def in_duckdb(meltano: MeltanoProject) -> Callable[[], Loaded]:
    """Reads what target-duckdb loaded."""
    skip_without_duckdb()
    script = """
import duckdb, json, sys
tables = "sandbox.tap_openai_audit_sandbox."
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    ids = connection.sql(f"SELECT id FROM {tables}audit_logs").fetchall()
    emitted = connection.sql(f"SELECT sum(events_emitted) FROM {tables}sync_reports")
    print(json.dumps([[id for id, in ids], int(emitted.fetchall()[0][0])]))
"""

    def read() -> Loaded:
        python = program_of("target-duckdb").with_name("python")
        file = meltano.directory / "sandbox.duckdb"
        command: list[str | Path] = [python, "-c", script, file]
        return Loaded(*json.loads(subprocess.check_output(command)))

    return read


@pytest.fixture
def in_jsonl(meltano: MeltanoProject) -> Callable[[], Loaded]:
    """Reads what target-jsonl wrote."""

    def lines(stream: str) -> list[dict[str, str]]:
        file = meltano.directory / "output" / "sandbox" / f"{stream}.jsonl"
        # Not `splitlines`: a text may hold other ends of a line.
        return [
            json.loads(line) for line in file.read_text("utf-8").split("\n") if line
        ]

    def read() -> Loaded:
        ids = [event["id"] for event in lines("audit_logs")]
        return Loaded(ids, sum(int(r["events_emitted"]) for r in lines("sync_reports")))

    return read
