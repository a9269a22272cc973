"""The jobs of `meltano.yml`: from the API to answers, by one command."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from meltano_project import ROOT, MeltanoProject

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database


@pytest.mark.xdist_group("postgres")
def test_each_job_takes_new_events_of_its_feeds_to_answers(
    tmp_path: Path, postgres: Database
) -> None:
    raw, answers = (f"job_{name}_{uuid4().hex}" for name in ("raw", "answers"))
    options = {"events": 50, "workspace_events": 50, "start": "3d", "end": "now"}
    with SandboxProcess(**options) as sandbox:
        meltano = MeltanoProject.copied_to(
            tmp_path,
            MELTANO_ENVIRONMENT="sandbox",
            TAP_OPENAI_AUDIT_API_URL=sandbox.url,
            TAP_OPENAI_AUDIT_WORKSPACE_API_URL=sandbox.workspace_url,
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

        assert run("openai-audit") == sorted(there())
        first = there()
        sandbox.control.add_events(2)
        assert run("chatgpt-workspace") == sorted(first + there_of_the_workspace())
        sandbox.control.add_workspace_file(7)
        both = run("openai-audit-and-chatgpt-workspace")
        assert both == sorted(there() + there_of_the_workspace())
    left = {path.name for path in (tmp_path / "transform").iterdir()}
    assert not left & {"target", "logs", "dbt_packages"}


@pytest.mark.xdist_group("duckdb")
def test_loader_and_dbt_take_turns_at_one_file(tmp_path: Path) -> None:
    with SandboxProcess(events=50, start="3d", end="now") as sandbox:
        meltano = MeltanoProject.copied_to(
            tmp_path,
            MELTANO_ENVIRONMENT="prod",
            TAP_OPENAI_AUDIT_API_URL=sandbox.url,
            TAP_OPENAI_AUDIT_ORGANIZATION_ID=sandbox.organization_id,
            TAP_OPENAI_AUDIT_ADMIN_KEY=sandbox.admin_key,
            DBT_TARGET="duckdb",
        )
        (tmp_path / "transform").symlink_to(ROOT / "transform")
        meltano("run", "tap-openai-audit", "target-duckdb", "dbt:build")
        sandbox.control.add_events(2)
        meltano("run", "tap-openai-audit", "target-duckdb")
        # As docs/answers.md has it.
        meltano("invoke", "dbt:build", "--full-refresh")
        counted = "+openai_audit__coverage"
        meltano("invoke", "dbt:build", "--full-refresh", "--select", counted)
        meltano("invoke", "dbt:docs")
