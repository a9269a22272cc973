"""What the documentation says to set and to type works."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from testing.meltano_project import MeltanoProject
from tests.report.stage import EVENT, ROOT, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database

DOCS = (ROOT / "docs" / "report.md").read_text("utf-8")
COMMANDS = "".join(re.findall(r"```bash\n(.*?)```", DOCS, re.DOTALL)).splitlines()
BUILD, OF_NOVEMBER, SIGN, VERIFY, CHECKSUM = COMMANDS


@pytest.mark.xdist_group("postgres")
def test_meltano_makes_the_report_of_the_documented_period(
    tmp_path: Path, postgres: Database
) -> None:
    with Stage.made(tmp_path, postgres) as stage:
        stage.add("events", EVENT)
        meltano = MeltanoProject.copied_to(
            tmp_path,
            MELTANO_ENVIRONMENT="sandbox",
            DBT_SCHEMA=stage.schema,
            **postgres.environment,
        )
        place = tmp_path / "output" / "sandbox" / "report"
        done = meltano(*BUILD.split()[1:])
        assert done.out.strip() == str(place / "report.html")
        setting, _, command = OF_NOVEMBER.partition(" ")
        assert command == BUILD
        name, _, meltano.variables[name] = setting.partition("=")
        meltano(*command.split()[1:])
    manifest = json.loads((place / "report.json").read_text("utf-8"))
    assert manifest["period"] == {"first_day": "2026-11-01", "last_day": "2026-11-30"}
    assert manifest["rows"]["events"] == 1


@pytest.mark.xdist_group("duckdb")
def test_meltano_reads_the_file_of_its_environment(tmp_path: Path) -> None:
    with Stage.made(tmp_path, None) as stage:
        (tmp_path / "sandbox.duckdb").write_bytes(stage.file.read_bytes())
        meltano = MeltanoProject.copied_to(
            tmp_path,
            MELTANO_ENVIRONMENT="sandbox",
            DBT_TARGET="duckdb",
            DBT_SCHEMA=stage.schema,
        )
        meltano(*BUILD.split()[1:])
    assert (tmp_path / "output" / "sandbox" / "report" / "report.html").exists()


def test_the_manifest_is_signed_and_checked_as_documented(
    duckdb_stage: Stage,
) -> None:
    duckdb_stage.build()
    directory = duckdb_stage.directory / "report"

    def run(command: str) -> str:
        return subprocess.run(
            ["/bin/bash", "-c", command],
            cwd=directory,
            check=True,
            capture_output=True,
            encoding="utf-8",
        ).stdout

    run("ssh-keygen -q -t ed25519 -N '' -f KEY")
    run('echo "auditor@example.com $(cat KEY.pub)" > allowed_signers')
    run(SIGN)
    assert "Good" in run(VERIFY)
    assert run(CHECKSUM).split()[0] == duckdb_stage.manifest["sha256"]
    assert (
        duckdb_stage.manifest["sha256"]
        == hashlib.sha256((directory / "report.html").read_bytes()).hexdigest()
    )
    manifest = directory / "report.json"
    manifest.write_text(manifest.read_text("utf-8").replace("30", "31"))
    with pytest.raises(subprocess.CalledProcessError):
        run(VERIFY)


def test_the_documented_variables_are_the_settings_in_meltano() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (plugin,) = [p for p in project["plugins"]["utilities"] if p["name"] == "report"]
    own = {
        setting["name"]
        for setting in plugin["settings"]
        if str(setting.get("value")) not in {"$AUDIT_ANSWERS", "$AUDIT_DUCKDB"}
    }
    rows = re.findall(r"^\| (`REPORT_.*?) \|", DOCS, re.MULTILINE)
    documented = re.findall(r"REPORT_(\w+)", " ".join(rows))
    assert {name.lower() for name in documented} == own
