"""What the pages tell to type works, and their links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import yaml
from documents import PAGES, ROOT, anchors, blocks, commands, links, page

from testing.meltano_project import MeltanoProject, program_of

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database
    from sandbox.process import SandboxProcess

#: Every command of the pages, and the test that runs it. What `make` does is tested
#: where it is done: here its targets are looked up.
TESTED = {
    "meltano install": "tests/test_hub.py",
    "meltano invoke --dump=config": "tests/test_meltano.py",
    "meltano invoke tap-openai-audit:check": "tests/test_meltano.py",
    "meltano config test tap-openai-audit": "tests/test_meltano.py",
    "meltano run tap-openai-audit target-postgres": "tests/test_docs.py",
    "meltano run tap-chatgpt-workspace target-postgres": "tests/test_targets.py",
    "meltano schedule list": "tests/test_docs.py",
    "meltano add tap-openai-audit --from-ref plugins/tap-openai-audit.yaml": (
        "tests/test_meltano.py"
    ),
    "meltano add tap-chatgpt-workspace"
    " --from-ref plugins/tap-chatgpt-workspace.yaml": "tests/test_meltano.py",
    "meltano invoke tap-chatgpt-workspace:check": "tests/test_meltano.py",
    "meltano schedule set chatgpt-workspace --interval='*/10 * * * *'": (
        "tests/test_meltano.py"
    ),
    "meltano schedule set chatgpt-workspace --job=chatgpt-workspace": (
        "tests/test_meltano.py"
    ),
    "meltano schedule remove openai-audit-every-five-minutes": "tests/test_meltano.py",
    "meltano state get": "tests/test_targets.py",
    # There from the wheel, and not from an index.
    "pip install tap-openai-audit": "tests/test_wheel.py",
    "tap-openai-audit --config ENV | target-jsonl": "tests/test_docs.py",
    "tap-chatgpt-workspace --config ENV | target-jsonl": "tests/test_docs.py",
    "tap-openai-audit --config config.json --check": "tests/test_check.py",
    "meltano run tap-openai-audit digests-kept target-postgres": (
        "tests/test_proof_loaded.py"
    ),
    'cat "$DIGESTS_COPY"/*.jsonl | TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=digests_kept'
    " meltano invoke target-postgres": "tests/test_proof_loaded.py",
    "meltano run openai-audit": "transform/integration_tests/test_meltano_job.py",
    "DBT_TARGET=duckdb meltano run tap-openai-audit target-duckdb dbt:build": (
        "transform/integration_tests/test_meltano_job.py"
    ),
    "meltano invoke dbt:build --full-refresh": (
        "transform/integration_tests/test_meltano_job.py"
    ),
    "meltano invoke dbt:build --full-refresh --select +openai_audit__coverage": (
        "transform/integration_tests/test_meltano_job.py"
    ),
    "meltano invoke dbt:docs": "transform/integration_tests/test_meltano_job.py",
    "./backfill 2026-01-01 2026-06-01 tap-openai-audit target-postgres": (
        "tests/test_production.py"
    ),
    "./sync-organization example-com tap-openai-audit target-postgres": (
        "tests/test_production.py"
    ),
    "./sync-organization example-org tap-openai-audit target-postgres": (
        "tests/test_production.py"
    ),
    "meltano invoke alerts:send": "analyze/tests/alerts/test_meltano.py",
    "meltano invoke report:build": "analyze/tests/report/test_meltano.py",
    "REPORT_PERIOD=2026-11-01/2026-11-30 meltano invoke report:build": (
        "analyze/tests/report/test_meltano.py"
    ),
    "sha256sum report.html": "analyze/tests/report/test_meltano.py",
    "ssh-keygen -Y sign -f KEY -n openai-audit-report report.json": (
        "analyze/tests/report/test_meltano.py"
    ),
    "ssh-keygen -Y verify -f allowed_signers -I auditor@example.com"
    " -n openai-audit-report -s report.json.sig < report.json": (
        "analyze/tests/report/test_meltano.py"
    ),
    ".venv/meltano/bin/meltano --environment=sandbox"
    " run tap-openai-audit target-duckdb": "tests/test_targets.py",
    "DBT_TARGET=duckdb .venv/meltano/bin/meltano --environment=sandbox"
    " invoke dbt:build": "transform/integration_tests/test_meltano_job.py",
}

#: They take minutes, so only their options are looked up.
MEASURING = re.compile(r"\S*python (benchmarks/[\w/]+\.py)(.*)")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for link in links(name):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            found = anchors(target.resolve().relative_to(ROOT).as_posix())
            assert found.count(anchor) == 1, link


def test_every_file_that_contributing_names_is_there() -> None:
    named = re.findall(r"`((?:[\w.]+/)+[\w.]*)`", page("CONTRIBUTING.md"))
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []
    models = {path.stem for path in (ROOT / "transform").rglob("*.sql")}
    named = re.findall(r"`((?:stg|int)?_?openai_audit__\w+)`", page("CONTRIBUTING.md"))
    assert [name for name in named if name not in models] == []


def test_every_page_is_named_in_the_readme() -> None:
    named = {link.partition("#")[0] for link in links("README.md")}
    assert {name for name in PAGES if name.startswith("docs/")} <= named


def test_the_comparison_counts_the_rules_that_there_are() -> None:
    rules = [*(ROOT / "transform/models/rules").glob("rule_*.sql")]
    assert f"[{len(rules)}](detections.md)" in page("docs/comparison.md")


def test_the_page_on_support_names_the_versions_that_are_run() -> None:
    pins = (ROOT / "requirements/transform.txt").read_text("utf-8")
    (dbt,) = re.findall(r"^dbt-core==(\d+\.\d+)\.", pins, re.MULTILINE)
    package = (ROOT / "pyproject.toml").read_text("utf-8")
    pythons = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', package)
    support = page("SUPPORT.md")
    assert f"| dbt | {dbt}, in PostgreSQL and DuckDB. " in support
    assert f"| Python | {pythons[0]} to {pythons[-1]}, " in support


def test_the_readme_is_short() -> None:
    assert len(page("README.md").splitlines()) < 200


def test_every_command_is_run_by_a_test() -> None:
    told = {command for name in PAGES for command in commands(name)}
    made = {command for command in told if command.startswith("make ")}
    measuring = {command for command in told if MEASURING.fullmatch(command)}
    assert told - made - measuring == set(TESTED)


@pytest.mark.parametrize(
    # What is a pipe, or about a report, is taken out of its page and run as it is.
    "command",
    [c for c in TESTED if "|" not in c and "report:build" not in c],
)
def test_the_test_of_a_command_has_its_words(command: str) -> None:
    test = (ROOT / TESTED[command]).read_text("utf-8")
    words = command.partition("meltano ")[2].split()
    of_the_fixture = {"--environment=sandbox"}
    assert [w for w in words if w not in test and w not in of_the_fixture] == []


def test_make_has_every_target_that_is_named() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    told = {command for name in PAGES for command in commands(name)}
    named = {w for c in told if c.startswith("make ") for w in c.split()[1:]}
    assert named <= targets


def test_what_measures_has_every_option_that_is_named() -> None:
    for command in commands("benchmarks/README.md"):
        if measuring := MEASURING.fullmatch(command):
            script, options = measuring.groups()
            code = (ROOT / script).read_text("utf-8")
            assert all(f'"{o}"' in code for o in re.findall(r"--\w+", options))


def test_meltano_runs_lists_and_reads_what_is_selected(
    meltano: MeltanoProject, sandbox: SandboxProcess, postgres: Database
) -> None:
    schema = f"readme_{uuid4().hex}"
    meltano.variables.update(postgres.environment)
    meltano.variables["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = schema
    (selected,) = blocks("docs/streams.md", "yaml")
    project = yaml.safe_load((meltano.directory / "meltano.yml").read_text())
    project["plugins"]["extractors"][0]["select"] = yaml.safe_load(selected)["select"]
    (meltano.directory / "meltano.yml").write_text(yaml.safe_dump(project))
    meltano("run", "tap-openai-audit", "target-postgres")
    assert "openai-audit-every-five-minutes" in meltano("schedule", "list").out
    ledger, _ = blocks("docs/streams.md", "sql")
    with postgres.connect(schema) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM users").fetchone() == (
            True,
        )
        reports = connection.execute(ledger).fetchall()
    scopes = {(report[1], report[8]) for report in reports}
    assert scopes == {("organization", True), ("tenant", True), ("users", True)}
    emitted = sum(report[7] for report in reports if report[1] != "users")
    assert emitted == len(sandbox.control.events())


@pytest.mark.parametrize("tap", ["tap-openai-audit", "tap-chatgpt-workspace"])
def test_without_meltano_it_is_a_pipe(
    sandbox: SandboxProcess, tmp_path: Path, tap: str
) -> None:
    line = f"{tap} --config ENV | target-jsonl"
    assert line in TESTED
    paths = [str(program_of(program).parent) for program in (tap, "target-jsonl")]
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
            "TAP_CHATGPT_WORKSPACE_WORKSPACE_ID": sandbox.workspace_id,
            "TAP_CHATGPT_WORKSPACE_KEY": sandbox.workspace_key,
            "TAP_CHATGPT_WORKSPACE_API_URL": sandbox.workspace_url,
        },
    )
    pattern, key = {
        "tap-openai-audit": ("audit_logs*.jsonl", "id"),
        "tap-chatgpt-workspace": ("workspace_au*.jsonl", "event_id"),
    }[tap]
    written = "".join(file.read_text() for file in tmp_path.glob(pattern))
    found = {json.loads(event)[key] for event in written.splitlines()}
    assert (
        found
        == {
            "tap-openai-audit": {event.id for event in sandbox.control.events()},
            "tap-chatgpt-workspace": {
                id_
                for file in sandbox.control.workspace_files()
                if file.visible
                for id_ in file.events
            },
        }[tap]
    )
