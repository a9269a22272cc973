"""What stops a run, and that no secret gets out."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from openai_audit_analyze import warehouse
from openai_audit_analyze.warehouse import WarehouseFailed
from tests.alerts.receiver import DEADLINE, SECRET, HttpReceiver
from tests.alerts.stage import FINDINGS_NOW, ROOT, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.demo.postgres import Database

DOCS = (ROOT / "docs" / "alerts.md").read_text("utf-8")
STATEMENTS = re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL)


def test_no_secret_gets_out_however_sending_fails(
    stage: Stage, receiver: HttpReceiver
) -> None:
    stage.find("a")
    receiver.answer = lambda _: 500
    nobody = f"127.0.0.1:1/{SECRET}"
    stage.receivers |= {
        "refuses": {"url": f"json://user:{SECRET}@{nobody}"},
        "unknown": {"url": f"{SECRET}://{SECRET}"},
        "bad-port": {"url": f"json://127.0.0.1:{SECRET}/x"},
        "slack": {"url": f"slack://{SECRET}/{SECRET}"},
        "chat": {"url": f"https://discord.com/api/webhooks/{SECRET}"},
    }
    stage.variables["ALERTS_HEARTBEAT_URL"] = f"http://{nobody}"
    sender = stage.start()
    output, _ = sender.communicate(timeout=DEADLINE)
    assert sender.returncode == 1
    lines = output.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(stage.receivers)
    rows = stage.execute("select * from {schema}.openai_audit__alerts")
    # Hosts become lower case on their way.
    assert SECRET.lower() not in f"{output}{rows}".lower()


def test_without_findings_it_is_said_what_to_run(stage: Stage) -> None:
    stage.receivers["channel"] = {"url": "json://127.0.0.1:1"}
    stage.execute("drop table {schema}.openai_audit__findings")
    with pytest.raises(WarehouseFailed, match="run `dbt:build`"):
        stage.send()


@pytest.mark.xdist_group("duckdb")
def test_a_file_that_another_has_open_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage("duckdb", "answers", tmp_path / "audit.duckdb", None)
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True)"
    with (
        HttpReceiver() as receiver,
        subprocess.Popen(
            [sys.executable, "-c", f"{hold}; input()", stage.file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder,
    ):
        assert holder.stdout
        holder.stdout.readline()
        stage.receivers["channel"] = {"url": receiver.url}
        with monkeypatch.context() as patched:
            patched.setattr(warehouse, "_LOCK_SECONDS", 0)
            with pytest.raises(WarehouseFailed, match="lock"):
                stage.send()
        sender = stage.start()
        holder.communicate(b"\n")
        output, _ = sender.communicate(timeout=DEADLINE)
        assert sender.returncode == 0, output
        assert len(receiver.received) == 1


@pytest.mark.xdist_group("duckdb")
def test_a_wrong_path_makes_no_new_file(tmp_path: Path) -> None:
    stage = Stage("duckdb", "answers", tmp_path / "audit.duckdb", None)
    stage.receivers["channel"] = {"url": "json://127.0.0.1:1"}
    stage.file = tmp_path / "elsewhere.duckdb"
    with pytest.raises(WarehouseFailed, match="there is no file"):
        stage.send()
    assert not stage.file.exists()


@pytest.mark.xdist_group("postgres")
def test_a_role_with_the_documented_rights_is_enough(
    tmp_path: Path, postgres: Database
) -> None:
    # The statements of the documentation, in a schema of the test.
    schema = f"answers_{uuid4().hex}"
    role = f"alerts_{uuid4().hex}"
    stage = Stage("postgres", schema, tmp_path, postgres)
    stage.variables |= {"ALERTS_USER": role, "ALERTS_PASSWORD": SECRET}
    with HttpReceiver() as receiver:
        stage.receivers["channel"] = {"url": receiver.url}
        stage.execute(f"create role {role} login password '{SECRET}'")
        with pytest.raises(WarehouseFailed, match=re.escape("docs/alerts.md")):
            stage.send()
        for statement in ";".join(STATEMENTS).split(";"):
            if re.search("CREATE TABLE|GRANT", statement):
                own = re.sub(r"\bopenai_audit(?=[.\n])", schema, statement)
                own = re.sub(r"(?<=SCHEMA )openai_audit\b", schema, own)
                stage.execute(re.sub(r"\bopenai_audit_alerts\b", role, own))
        assert stage.send()
        # As dbt does in each run.
        stage.execute("drop table {schema}.openai_audit__findings_now", FINDINGS_NOW)
        stage.find("a")
        assert stage.send()
    assert receiver.ids[1:] == ["a"]
    for table in ("openai_audit__findings", "openai_audit__findings_now"):
        rights = stage.execute(
            "select string_agg(privilege_type, ',') from information_schema."
            "role_table_grants where grantee = %s and table_name = %s and"
            " table_schema = %s",
            parameters=(role, table, schema),
        )
        assert rights == [("SELECT",)]


def test_the_documented_table_is_the_one_that_is_made(
    stage: Stage, receiver: HttpReceiver
) -> None:
    columns = (
        "select column_name, data_type, is_nullable from information_schema.columns"
        " where table_schema = %s and table_name = 'openai_audit__alerts'"
        " order by ordinal_position"
    )
    made = stage.execute(columns, parameters=(stage.schema,))
    told, definition = (
        next(s for s in STATEMENTS if s.startswith(begin)).replace(
            "openai_audit.", f"{stage.schema}."
        )
        for begin in ("SELECT", "CREATE TABLE")
    )
    stage.execute("drop table {schema}.openai_audit__alerts", definition)
    assert made
    assert stage.execute(columns, parameters=(stage.schema,)) == made
    assert stage.send()
    stage.find("a")
    assert stage.send()
    assert len(receiver.received) == 2
    assert [row[0] for row in stage.execute(told)] == ["channel"]
