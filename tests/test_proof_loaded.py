"""What the targets have loaded is proven, and what is changed then is found."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from warehouses import (
    PROOF,
    STREAMS,
    Verdict,
    Warehouse,
    duckdb_at,
    postgres_at,
    skip_without_duckdb,
)

from sandbox.process import SandboxProcess
from tap_openai_audit.audit_logs.cells import hash_of
from testing.meltano_project import MELTANO, MeltanoProject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.demo.postgres import Database

LOADED = "loaded"
"""The schema in PostgreSQL."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MeltanoProject]:
    """A project that keeps a copy of the digests, as the documentation says."""
    options = {"events": 200, "tenant_events": 30, "start": "5d", "end": "now"}
    with SandboxProcess(**options) as sandbox:
        directory = tmp_path_factory.mktemp("project")
        meltano = MeltanoProject.copied_to(
            directory,
            MELTANO_ENVIRONMENT="sandbox",
            TAP_OPENAI_AUDIT_API_URL=sandbox.url,
        )
        definition = yaml.safe_load((directory / "meltano.yml").read_text())
        (mapper,) = blocks("yaml")
        definition["plugins"] |= yaml.safe_load(mapper)["plugins"]
        (directory / "meltano.yml").write_text(yaml.safe_dump(definition))
        (script,) = blocks("sh")
        (directory / "keep-digests").write_text(script)
        (directory / "keep-digests").chmod(0o700)
        (directory / "kept").mkdir()
        (directory / ".env").write_text(f"DIGESTS_COPY={directory / 'kept'}\n")
        yield meltano


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PROOF, re.DOTALL)


def load(meltano: MeltanoProject, *plugins: str) -> None:
    """Load all twice, the second time as another chain, which a third run confirms."""
    for options in ([], ["--full-refresh"], []):
        meltano("run", *options, "tap-openai-audit", *plugins)


@pytest.fixture(scope="module")
def postgres_loaded(project: MeltanoProject, postgres: Database) -> Iterator[Warehouse]:
    """PostgreSQL with what target-postgres loaded."""
    project.variables.update(postgres.environment)
    project.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = LOADED
    load(project, "digests-kept", "target-postgres")
    with postgres_at(postgres, LOADED) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def duckdb_loaded(project: MeltanoProject) -> Iterator[Warehouse]:
    """DuckDB with what target-duckdb loaded."""
    skip_without_duckdb()
    load(project, "target-duckdb")
    with duckdb_at(project.directory / "sandbox.duckdb") as warehouse:
        warehouse.execute("USE tap_openai_audit_sandbox")
        yield warehouse


@pytest.fixture(params=["postgres_loaded", "duckdb_loaded"])
def loaded(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    warehouse: Warehouse = request.getfixturevalue(request.param)
    with warehouse.rolled_back():
        yield warehouse


def test_a_table_that_a_target_loaded_is_proven(loaded: Warehouse) -> None:
    chains = "SELECT DISTINCT chain_id FROM audit_log_digests"
    assert len(loaded.execute(chains)) == 4
    for scope in ("organization", "tenant"):
        first, *between, last = [v for v in loaded.verdicts() if v.scope == scope]
        assert {verdict.verdict for verdict in between} == {"proven"}
        assert first.verdict == "partial"
        # It is proven if it ended before the last run did.
        assert last.verdict in {"partial", "proven"}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ("DELETE FROM audit_logs WHERE id = '{id}'", "missing"),
        ("UPDATE audit_logs SET id = 'audit_log-X' WHERE id = '{id}'", "missing"),
        (
            (
                "INSERT INTO audit_logs (id, organization_id, scope, effective_at)"
                " SELECT 'audit_log-X', organization_id, scope, effective_at"
                " FROM audit_logs WHERE id = '{id}'"
            ),
            "surplus",
        ),
        (
            (
                "DELETE FROM audit_log_digests"
                " WHERE scope = 'organization' AND day = '{day}'"
            ),
            "unreported",
        ),
        ("DELETE FROM sync_reports WHERE scope = 'organization'", "incomplete"),
    ],
)
def test_a_change_of_a_loaded_table_is_found_and_its_day_named(
    loaded: Warehouse, change: str, verdict: str
) -> None:
    before = loaded.verdicts()
    day = next(v for v in before if (v.scope, v.verdict) == ("organization", "proven"))
    loaded.execute(change.format(id=event_of(day, loaded), day=day.day))
    changed = [v for v in loaded.verdicts() if v.verdict != "partial"]
    if verdict != "incomplete":  # which is all of them
        changed = [v for v in changed if v.verdict != "proven"]
    assert day[:3] in [v[:3] for v in changed]
    assert {v.verdict for v in changed if v.scope == "organization"} == {verdict}


def event_of(day: Verdict, warehouse: Warehouse) -> str:
    """The id of an event of a day."""
    events = (
        "SELECT min(id) FROM audit_logs"
        f" WHERE scope = '{day.scope}' AND CAST(effective_at AS date) = '{day.day}'"
    )
    return str(warehouse.execute(events)[0][0])


def test_tables_made_by_hand_are_as_the_targets_make_them(loaded: Warehouse) -> None:
    for stream in STREAMS:
        columns = loaded.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            f" WHERE table_name = '{stream}'"
            f" AND table_schema IN ('{LOADED}', 'tap_openai_audit_sandbox')"
        )
        own = loaded.columns_of(stream)
        assert {name: kind for name, kind in columns if name in own} == own


@pytest.fixture(scope="module")
def kept(postgres_loaded: Warehouse, project: MeltanoProject) -> str:
    """The schema that the documented command loads the copy of the digests into."""
    assert postgres_loaded
    (line,) = [x for each in blocks("bash") for x in each.splitlines() if "cat" in x]
    subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],  # noqa: S607 - as it is typed
        check=True,
        cwd=project.directory,
        env={
            **project.environment,
            "DIGESTS_COPY": str(project.directory / "kept"),
            "PATH": os.pathsep.join([str(MELTANO.parent), os.environ["PATH"]]),
        },
    )
    return "digests_kept"


def test_a_copy_of_the_digests_finds_what_was_changed_in_all_tables(
    postgres_loaded: Warehouse, kept: str
) -> None:
    with postgres_loaded.rolled_back():
        before = postgres_loaded.verdicts()
        day = next(v for v in before if v.verdict == "proven")
        gone = event_of(day, postgres_loaded)
        postgres_loaded.execute(f"DELETE FROM audit_logs WHERE id = '{gone}'")
        postgres_loaded.execute(
            "UPDATE audit_log_digests"
            " SET events = events - 1,"
            f" ids_checksum = ids_checksum - {hash_of(gone) >> 32}"
            f" WHERE scope = '{day.scope}' AND day = '{day.day}'"
        )
        hidden = postgres_loaded.verdicts()
        assert [v.verdict for v in hidden] == [v.verdict for v in before]
        postgres_loaded.execute(f"SET search_path TO {kept}, {LOADED}")
        found = postgres_loaded.verdicts()
        assert [v[:3] for v in found if v.verdict == "missing"] == [day[:3]]


def test_digests_of_which_no_copy_can_be_kept_are_not_passed_on(
    project: MeltanoProject,
) -> None:
    (project.directory / "kept").rename(project.directory / "elsewhere")
    try:
        project("run", "tap-openai-audit", "digests-kept", "target-jsonl", fails=True)
    finally:
        (project.directory / "elsewhere").rename(project.directory / "kept")
    written = project.directory / "output" / "sandbox"
    assert not (written / "audit_log_digests.jsonl").exists()
