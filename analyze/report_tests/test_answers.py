"""What a report tells of the rows that there are, in both databases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from openai_audit_report.settings import settings
from openai_audit_report.warehouse import WarehouseFailed
from report_tests.reading import section
from report_tests.stage import DAY, EVENT, FINDING, NOW, ROOT, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database

STATEMENTS = re.findall(
    r"```sql\n(.*?)```", (ROOT / "docs" / "report.md").read_text("utf-8"), re.DOTALL
)


def test_a_model_or_a_column_that_is_missing_is_left_out(stage: Stage) -> None:
    stage.add("events", EVENT)
    stage.drop("access")
    stage.drop("findings_now")
    stage.execute(f"alter table {stage.schema}.openai_audit__events drop column city")
    page = stage.build()
    assert "Ada Lovelace made the project" in page
    missing = ["openai_audit__findings_now", "openai_audit__access"]
    assert all(f"<code>{model}</code>" in page for model in missing)
    assert stage.manifest["models_missing"] == missing


def test_a_schema_without_models_is_refused_with_what_to_run(stage: Stage) -> None:
    with pytest.raises(WarehouseFailed, match=r"run `dbt:build`"):
        stage.build(DBT_SCHEMA="elsewhere")


def test_only_the_period_and_the_organization_are_told(stage: Stage) -> None:
    other = {"organization_id": "org-2", "account_id": "org-2"}
    before = {"occurred_at": "2026-10-29 23:59:59"}
    stage.add(
        "events",
        EVENT,
        EVENT | {"event_id": "2", "sentence": "too early"} | before,
        EVENT | {"event_id": "3", "sentence": "of another one"} | other,
    )
    gone = {"first_event_at": before["occurred_at"]}
    gone |= {"last_event_at": before["occurred_at"]}
    stage.add(
        "findings",
        FINDING,
        FINDING | {"finding_id": "2", "sentence": "too early"} | gone,
        FINDING
        | {"finding_id": "3", "sentence": "of another one"}
        | {"organization_id": "org-2"},
    )
    stage.add("coverage", DAY, DAY | {"organization_id": "org-2"})
    owner = {"access_kind": "member", "role": "owner", "organization_id": "org-1"}
    stage.add(
        "access",
        owner | {"principal_id": "user-1"},
        owner | {"principal_id": "user-of-another", "organization_id": "org-2"},
    )
    page = stage.build(REPORT_ORGANIZATION_ID="org-1")
    assert "too early" not in page
    assert "of another" not in page
    assert "of-another" not in page
    assert "org-2" not in page
    rows = {"events": 1, "findings": 1, "access": 1, "coverage": 1}
    assert stage.manifest["rows"] == rows
    assert "of another one" in stage.build()


def test_a_day_shows_its_worst_verdict_and_what_is_missing_is_alarming(
    stage: Stage,
) -> None:
    stage.add(
        "coverage",
        DAY | {"day": "2026-11-02 00:00:00"},
        DAY | {"workspace_id": "w", "source": "workspace_audit", "file_id": "a"},
        DAY
        | {"workspace_id": "w", "source": "workspace_audit", "file_id": "b"}
        | {"verdict": "missing", "events_in_table": 3, "events_in_digest": 4},
        DAY
        | {"verdict": None, "runs": 2, "runs_incomplete": 1, "events_late": 3}
        | {"greatest_lateness_seconds": 1800, "longest_gap_seconds": 400},
    )
    page = stage.build()
    assert "1 of the days and files lack events" in page
    assert '<div class="alarm"><dt><a href="#completeness">' in page
    told = section(page, "completeness")
    assert "1 proven, 1 missing" in told
    assert "2 runs, 1 of them in full; at most 6 min 40 s between two" in told
    assert "3 events came late, by 30 min at most" in told
    assert page.count('fill="var(--missing)"') == 2 + 1  # of two widths, and the legend
    assert stage.manifest["verdicts"] == {"proven": 2, "missing": 1}


def test_all_answers_are_of_one_moment(postgres: Database, tmp_path: Path) -> None:
    with Stage.made(tmp_path, postgres) as stage:
        stage.add("events", EVENT)
        count = f"select count(*) as n from {stage.schema}.openai_audit__events"
        with settings(stage.environment, NOW).warehouse.snapshot() as query:
            before = query(count, {})
            stage.add("events", EVENT)
            assert query(count, {}) == before


def test_a_report_cannot_write(stage: Stage) -> None:
    warehouse = settings(stage.environment, NOW).warehouse
    with (
        pytest.raises(WarehouseFailed, match="read-only"),
        warehouse.snapshot() as query,
    ):
        query(f"create table {stage.schema}.x (y text)", {})


@pytest.mark.xdist_group("postgres")
def test_a_role_with_the_documented_rights_is_enough(
    postgres: Database, tmp_path: Path
) -> None:
    with Stage.made(tmp_path, postgres) as stage:
        stage.add("events", EVENT)
        role = stage.schema.replace("answers", "report")
        given = {"REPORT_USER": role, "REPORT_PASSWORD": "made-up"}
        (statements,) = STATEMENTS
        own = re.sub(r"\bopenai_audit(?=[.;\n ])", stage.schema, statements)
        own = own.replace("openai_audit_report", role).replace("'...'", "'made-up'")
        create, *grants = own.strip().split(";\n")
        stage.execute(create)
        with pytest.raises(WarehouseFailed, match=re.escape("docs/report.md")):
            stage.build(**given)
        for grant in grants:
            stage.execute(grant.rstrip(";"))
        stage.build(**given)
        assert stage.manifest["rows"]["events"] == 1
        assert stage.manifest["models_missing"] == []
        # As dbt does in each run.
        stage.drop("access")
        stage.execute(f"create table {stage.schema}.openai_audit__access (role text)")
        stage.build(**given)
        assert stage.manifest["models_missing"] == []
        stage.execute(f"drop owned by {role}")
        stage.execute(f"drop role {role}")
