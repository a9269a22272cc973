"""`make demo` shows what it promises, with a sandbox and with settings."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import psutil
import pytest

from testing.meltano_project import MELTANO, OF_PLUGINS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database
    from sandbox.process import SandboxProcess

COMMAND = (MELTANO.with_name("python"), "-m", "sandbox.demo")
DEADLINE = 300  # seconds; bounds a hang, and nothing else


def variables(**settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OF_PLUGINS)}
    return {**kept, **settings}


def demo(**settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND,
        cwd=ROOT,
        env=variables(**settings),
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
    )


def test_the_demo_loads_every_event_of_the_sandbox(tmp_path: Path) -> None:
    done = demo(REPORT_DIRECTORY=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "17 events were added" in done.stdout
    assert "3 late" in done.stdout
    assert "In PostgreSQL 0 of them are missing and 0 are there twice." in done.stdout
    added = done.stdout.partition("What the second run added")[2].partition("\n\n")[2]
    assert len(added.partition("\n\n")[0].splitlines()) == 2 + 17
    # The incident, in sentences; the owner that it made; and the proof.
    assert "added Sam Carter as owner" in done.stdout
    owners = done.stdout.partition("Who holds owner")[2].partition("Is anything")[0]
    assert "Sam Carter" in owners
    days = done.stdout.partition("Days by verdict")[2].splitlines()
    ((_, there, proven, partial, others, *_),) = (
        line.split() for line in days if line.startswith("organization")
    )
    assert int(there) == int(proven) + int(partial)
    assert int(proven) > 20
    assert others == "0"
    place = tmp_path / "report.html"
    assert f"in a browser:\n{place}\n" in done.stdout
    assert "Sam Carter" in place.read_text("utf-8")


def test_the_demo_takes_the_api_and_the_database_that_are_set(
    sandbox: SandboxProcess, postgres: Database
) -> None:
    schema = f"test_{uuid4().hex}"
    done = demo(
        TAP_OPENAI_AUDIT_ADMIN_KEY=sandbox.admin_key,
        TAP_OPENAI_AUDIT_ORGANIZATION_ID=sandbox.organization_id,
        TAP_OPENAI_AUDIT_API_URL=sandbox.url,
        TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=schema,
        TARGET_POSTGRES_SQLALCHEMY_URL=postgres.environment[
            "TARGET_POSTGRES_SQLALCHEMY_URL"
        ],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sandbox" not in done.stdout
    # dbt and the report are tried in the database that the demo makes.
    assert "No answers: dbt takes TARGET_POSTGRES_HOST and so on" in done.stdout
    with postgres.connect(schema) as connection:
        landed = connection.execute("SELECT id FROM audit_logs ORDER BY id").fetchall()
    assert [id_ for (id_,) in landed] == sorted(e.id for e in sandbox.control.events())


def test_half_of_the_settings_are_refused_before_anything_starts() -> None:
    refused = demo(TAP_OPENAI_AUDIT_ADMIN_KEY="sk-admin-half")
    assert refused.returncode == 1
    assert "only TAP_OPENAI_AUDIT_ADMIN_KEY is set" in refused.stdout
    assert "sk-admin-half" not in refused.stdout + refused.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_ended_demo_leaves_nothing_running(number: signal.Signals) -> None:
    mark = {"MARK_OF_THIS_DEMO": uuid4().hex}
    with subprocess.Popen(
        COMMAND, cwd=ROOT, env=variables(**mark), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(b"$ meltano"):
                break
        assert len(running(mark)) > 2, "the demo, the sandbox and PostgreSQL"
        process.send_signal(number)
        said = process.stdout.read().decode()
    assert process.returncode == 130
    assert "what it had started is stopped" in said
    deadline = time.monotonic() + DEADLINE
    while (left := running(mark)) and time.monotonic() < deadline:
        with suppress(psutil.TimeoutExpired):
            left[0].wait(1)
    assert left == []


def running(mark: dict[str, str]) -> list[psutil.Process]:
    """The processes that have an environment variable."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if mark.items() <= process.environ().items():
                found.append(process)
    return found
