"""What the documentation says to set and to type works."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import yaml

from openai_audit_analyze.alerts.delivery import _service
from openai_audit_analyze.alerts.settings import settings
from testing.meltano_project import MeltanoProject
from tests.alerts.receiver import HttpReceiver
from tests.alerts.stage import ROOT, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database

DOCS = (ROOT / "docs" / "alerts.md").read_text("utf-8")
(DOT_ENV,) = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
COMMAND = "meltano invoke alerts:send"


@pytest.mark.xdist_group("postgres")
def test_meltano_sends_what_dbt_found_to_the_documented_receivers(
    tmp_path: Path, postgres: Database
) -> None:
    assert re.findall(r"```bash\n(.*?)```", DOCS, re.DOTALL) == [f"{COMMAND}\n"]
    stage = Stage("postgres", f"answers_{uuid4().hex}", tmp_path, postgres)
    meltano = MeltanoProject.copied_to(
        tmp_path,
        MELTANO_ENVIRONMENT="sandbox",
        DBT_SCHEMA=stage.schema,
        **postgres.environment,
    )
    with HttpReceiver() as heart, HttpReceiver() as receiver:
        urls = re.compile(r"\w+://[^\"]+")
        own = urls.sub(receiver.url, DOT_ENV)
        (tmp_path / ".env").write_text(
            f"{own}ALERTS_HEARTBEAT_URL=http://{heart.place}\n"
        )
        meltano(*COMMAND.split()[1:])
        assert len(receiver.received) == 2
        receiver.answer = lambda _: 500
        stage.find("a", severity="critical")
        meltano(*COMMAND.split()[1:], fails=True)
        assert receiver.ids[2:] == ["a", "a"]
        assert heart.calls == 1


@pytest.mark.xdist_group("duckdb")
def test_meltano_sends_from_the_file_of_its_environment(tmp_path: Path) -> None:
    stage = Stage("duckdb", "openai_audit_sandbox", tmp_path / "sandbox.duckdb", None)
    with HttpReceiver() as receiver:
        stage.receivers["channel"] = {"url": receiver.url}
        meltano = MeltanoProject.copied_to(
            tmp_path,
            MELTANO_ENVIRONMENT="sandbox",
            DBT_TARGET="duckdb",
            ALERTS_RECEIVERS=stage.environment["ALERTS_RECEIVERS"],
        )
        meltano(*COMMAND.split()[1:])
        assert len(receiver.received) == 1


def test_the_documented_receivers_are_understood() -> None:
    _, _, value = DOT_ENV.strip().partition("=")
    receivers = settings({"ALERTS_RECEIVERS": value.strip("'")}).receivers
    assert [r.minimum_severity for r in receivers] == ["critical", "medium"]
    assert all(_service(receiver.url, "a") for receiver in receivers)
    assert json.loads(value.strip("'")).keys() == {r.name for r in receivers}


def test_the_documented_variables_are_the_settings_in_meltano() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (plugin,) = [p for p in project["plugins"]["utilities"] if p["name"] == "alerts"]
    own = {
        setting["name"]
        for setting in plugin["settings"]
        if not str(setting.get("value")).startswith("$AUDIT_")
    }
    rows = re.findall(r"^\| (`ALERTS_.*?) \|", DOCS, re.MULTILINE)
    documented = re.findall(r"ALERTS_(\w+)", " ".join(rows))
    assert {name.lower() for name in documented} == own
