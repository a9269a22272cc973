"""What holds of every model, read from dbt's own description of the project."""

from __future__ import annotations

import ast
import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from testing.warehouse import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

# One process parses for all.
pytestmark = pytest.mark.xdist_group("project")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Parsed without a database, and without a warning."""
    directory = tmp_path_factory.mktemp("manifest")
    command = [str(Path(sys.executable).with_name("dbt")), "--warn-error", "parse"]
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        env={
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(PROJECT),
            "DBT_TARGET_PATH": str(directory),
            "DBT_LOG_PATH": str(directory),
            "DBT_TARGET": "duckdb",
            "DO_NOT_TRACK": "1",
        },
    )
    return json.loads((directory / "manifest.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def models(manifest: Any) -> Mapping[str, Any]:
    nodes = manifest["nodes"].values()
    return {n["name"]: n for n in nodes if n["resource_type"] == "model"}


def test_every_answer_has_a_contract_and_describes_each_column(
    models: Mapping[str, Any],
) -> None:
    answers = {n: m for n, m in models.items() if n.startswith("openai_audit__")}
    assert len(answers) == 8
    for name, model in answers.items():
        assert model["config"]["contract"]["enforced"], name
        assert model["description"], name
        assert all(column["description"] for column in model["columns"].values()), name


def test_what_is_incremental_has_a_contract(models: Mapping[str, Any]) -> None:
    incremental = {
        name
        for name, model in models.items()
        if model["config"]["materialized"] == "incremental"
    }
    assert incremental
    assert all(models[name]["config"]["contract"]["enforced"] for name in incremental)


def test_nothing_runs_where_no_model_of_the_package_is_built(manifest: Any) -> None:
    nodes = manifest["nodes"].values()
    assert [n["name"] for n in nodes if n["resource_type"] == "operation"] == []
    staging = {n["name"]: n for n in nodes if n["name"].startswith("stg_")}
    first = staging.pop("stg_openai_audit__tables")["unique_id"]
    assert staging
    assert all(first in node["depends_on"]["nodes"] for node in staging.values())


def test_only_staging_reads_the_tables_of_the_tap(models: Mapping[str, Any]) -> None:
    for name, model in models.items():
        of_sources = [
            n for n in model["depends_on"]["nodes"] if n.startswith("source.")
        ]
        assert bool(of_sources) == name.startswith("stg_"), name


def test_every_model_that_decides_something_has_unit_tests(
    manifest: Any, models: Mapping[str, Any]
) -> None:
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    marts = {name for name in models if name.startswith("openai_audit__")}
    # What becomes of matches needs more than one run: test_findings.py. What the cards
    # become needs rules of somebody else: test_own_rules.py.
    assert marts - tested == {
        "openai_audit__findings",
        "openai_audit__findings_now",
        "openai_audit__rules",
    }


def test_every_rule_takes_part_and_has_cases_where_it_fires_and_where_it_is_silent(
    manifest: Any, models: Mapping[str, Any]
) -> None:
    prefix = "rule_openai_audit__"
    rules = {n.removeprefix(prefix) for n in models if n.startswith(prefix)}
    assert rules
    used = models["int_openai_audit__matches"]["depends_on"]["nodes"]
    assert rules == {n.split(prefix)[1] for n in used if prefix in n}
    cases = {test["name"] for test in manifest["unit_tests"].values()}
    assert {f"{rule}_fires" for rule in rules} <= cases
    assert {f"{rule}_is_silent" for rule in rules} <= cases


def test_the_defaults_of_a_rule_are_those_on_its_card(
    models: Mapping[str, Any],
) -> None:
    for name, model in models.items():
        rule = name.removeprefix("rule_openai_audit__")
        if rule == name:
            continue
        written = re.findall(
            rf"parameter\('{rule}', '(\w+)', ([^)]+)\)", model["raw_code"]
        )
        card = model["config"]["meta"].get("parameters", {})
        assert {n: ast.literal_eval(text) for n, text in written} == {
            n: about["default"] for n, about in card.items()
        }, rule


def test_no_type_of_the_catalogue_is_without_a_sentence_in_the_unit_tests() -> None:
    def values(path: str, column: str) -> set[str]:
        with (PROJECT / path).open(encoding="utf-8", newline="") as file:
            return {row[column] for row in csv.DictReader(file)}

    known = values("seeds/openai_audit__event_types.csv", "event_type")
    fixtures = ("sentences_of_every_type", "sentences_of_every_action")
    shown = [values(f"tests/fixtures/{name}.csv", "event_id") for name in fixtures]
    assert known <= set.union(*shown)


def test_a_duckdb_whose_files_the_loader_cannot_open_is_refused_before_it_makes_one(
    tmp_path: Path,
) -> None:
    as_if = "import duckdb; duckdb.__version__ = '2.0.1'; from dbt.cli.main import cli"
    refused = subprocess.run(
        [sys.executable, "-c", f"{as_if}; cli()", "--quiet", "--no-use-colors", "seed"],
        check=False,
        capture_output=True,
        encoding="utf-8",
        env={
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(PROJECT),
            "DBT_TARGET_PATH": str(tmp_path),
            "DBT_LOG_PATH": str(tmp_path),
            "DBT_TARGET": "duckdb",
            "DBT_DUCKDB_FILE": str(tmp_path / "audit.duckdb"),
            "DO_NOT_TRACK": "1",
        },
    )
    assert refused.returncode != 0
    said = [line for line in refused.stdout.splitlines() if "2.0.1" in line]
    assert len(said) == 1
    assert "target-duckdb cannot open" in said[0]
    assert not (tmp_path / "audit.duckdb").exists()


def test_other_projects_may_read_answers_and_what_rules_read(
    models: Mapping[str, Any],
) -> None:
    open_to_rules = {
        f"int_openai_audit__{n}" for n in ("events", "remembered", "watched")
    }
    for name, model in models.items():
        if name.startswith("openai_audit__"):
            assert model["access"] == "public", name
        elif name.startswith("int_"):
            access = "protected" if name in open_to_rules else "private"
            assert model["access"] == access, name


def test_alerts_and_report_are_exposures_of_what_they_read(
    manifest: Any, models: Mapping[str, Any]
) -> None:
    read = {
        exposure["name"]: {
            node.rpartition(".")[2] for node in exposure["depends_on"]["nodes"]
        }
        for exposure in manifest["exposures"].values()
    }
    findings = {"openai_audit__findings", "openai_audit__findings_now"}
    answers = {name for name in models if name.startswith("openai_audit__")}
    assert read["openai_audit_alerts"] == findings
    assert read["openai_audit_report"] == answers


def test_each_described_macro_is_there_with_its_arguments(manifest: Any) -> None:
    macros = [
        macro
        for macro in manifest["macros"].values()
        if macro["package_name"] == "openai_audit" and macro["patch_path"]
    ]
    listed = (PROJECT / "macros/_macros.yml").read_text("utf-8").count("\n  - name: ")
    assert len(macros) == listed
    for macro in macros:
        head = re.search(rf"macro {macro['name']}\((.*?)\)", macro["macro_sql"])
        assert head, macro["name"]
        names = [text.split("=")[0].strip() for text in head[1].split(",") if text]
        described = [argument["name"] for argument in macro["arguments"]]
        assert [name for name in names if name != "[]"] == described, macro["name"]
