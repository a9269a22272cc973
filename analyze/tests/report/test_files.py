"""The files: whole, with a manifest that names them, or as they were before."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from openai_audit_analyze.report.build import NotWritten
from openai_audit_analyze.report.settings import settings
from openai_audit_analyze.settings import BadSettings
from openai_audit_analyze.warehouse import _LOCKED, Postgres, WarehouseFailed
from tests.report.stage import EVENT, NOW, ROOT, Stage

if TYPE_CHECKING:
    from typing import IO, NoReturn

_OPENED = "import sys, duckdb; duckdb.connect(sys.argv[1], read_only=True)"


def test_the_manifest_says_what_the_file_is_and_what_it_is_of(
    duckdb_stage: Stage,
) -> None:
    duckdb_stage.add("events", EVENT)
    page = duckdb_stage.build().encode()
    manifest = duckdb_stage.manifest
    assert manifest["file"] == "report.html"
    assert manifest["sha256"] == hashlib.sha256(page).hexdigest()
    assert manifest["bytes"] == len(page)
    assert manifest["period"] == {"first_day": "2026-10-30", "last_day": "2026-11-28"}
    assert manifest["accounts"] == [{"kind": "organization", "id": "org-1"}]
    assert manifest["rows"]["events"] == 1


def test_a_build_that_fails_leaves_the_last_report_as_it_was(
    duckdb_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = duckdb_stage.build()

    def full(_: int) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritten, match="No space left on device"):
        duckdb_stage.build(REPORT_PERIOD="1d")
    directory = duckdb_stage.directory / "report"
    assert (directory / "report.html").read_text("utf-8") == before
    assert len(list(directory.iterdir())) == 2


def test_a_page_is_not_replaced_if_its_manifest_cannot_be(
    duckdb_stage: Stage,
) -> None:
    before = duckdb_stage.build()
    directory = duckdb_stage.directory / "report"
    (directory / "report.json").unlink()
    (directory / "report.json").mkdir()
    with pytest.raises(NotWritten, match="Is a directory"):
        duckdb_stage.build(REPORT_PERIOD="1d")
    assert (directory / "report.html").read_text("utf-8") == before
    assert len(list(directory.iterdir())) == 2


def test_what_a_run_that_was_killed_left_is_removed(duckdb_stage: Stage) -> None:
    duckdb_stage.build()
    directory = duckdb_stage.directory / "report"
    (directory / ".report.html-killed").write_text("half a page")
    os.utime(directory / ".report.html-killed", (0, 0))
    (directory / ".report.html-at-work").write_text("half a page")
    duckdb_stage.build()
    (directory / ".report.html-at-work").unlink()
    assert {file.name for file in directory.iterdir()} == {"report.html", "report.json"}


def test_a_wrong_path_makes_no_new_file(duckdb_stage: Stage) -> None:
    elsewhere = duckdb_stage.directory / "elsewhere.duckdb"
    with pytest.raises(WarehouseFailed, match="there is no file"):
        duckdb_stage.build(DBT_DUCKDB_FILE=str(elsewhere))
    assert not elsewhere.exists()


@pytest.mark.parametrize(
    ("name", "value"), [("REPORT_PERIOD", "soon"), ("DBT_TARGET", "oracle")]
)
def test_an_invalid_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        settings({name: value}, NOW)


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    names = ("PERIOD", "ORGANIZATION_ID", "DIRECTORY", "USER", "ANSWERS_SCHEMA")
    empty = {f"REPORT_{name}": "" for name in names}
    assert settings(empty, NOW) == settings({}, NOW)


def test_a_role_of_its_own_takes_no_password_of_the_loader() -> None:
    given = {
        "TARGET_POSTGRES_HOST": "db.example.com",
        "TARGET_POSTGRES_USER": "loader",
        "TARGET_POSTGRES_PASSWORD": "made-up",
        "TARGET_POSTGRES_SSL_ENABLE": "true",
        "REPORT_USER": "report",
    }
    warehouse = settings(given, NOW).warehouse
    assert isinstance(warehouse, Postgres)
    assert warehouse.conninfo == "host=db.example.com user=report sslmode=verify-full"
    assert "made-up" not in repr(settings(given | {"REPORT_PASSWORD": "made-up"}, NOW))


def test_the_program_prints_the_place_or_why_there_is_none(duckdb_stage: Stage) -> None:
    def run(
        stdout: int | IO[str] = subprocess.PIPE, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "openai_audit_analyze.report", "build"],
            cwd=duckdb_stage.directory,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "analyze"))),
                **duckdb_stage.environment,
                **variables,
            },
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )

    done = run()
    assert Path(done.stdout.strip()).read_text("utf-8").startswith("<!DOCTYPE html>")
    failed = run(REPORT_PERIOD="soon")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.startswith("REPORT_PERIOD is invalid: a period is 30d")
    assert len(failed.stderr.splitlines()) == 1
    with Path("/dev/full").open("w") as full:
        unsaid = run(stdout=full)
    assert unsaid.returncode == 1
    assert unsaid.stderr.startswith("the report was written")
    assert len(unsaid.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "name", ["TARGET_POSTGRES_HOST", "REPORT_ORGANIZATION_ID", "DBT_SCHEMA"]
)
def test_bytes_that_are_no_text_are_refused_by_name(name: str) -> None:
    with pytest.raises(BadSettings, match=f"{name} is not text"):
        settings({name: "a\udcff"}, NOW)


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("DBT_SCHEMA", WarehouseFailed),
        ("REPORT_DIRECTORY", NotWritten),
        ("DBT_DUCKDB_FILE", WarehouseFailed),
    ],
)
def test_a_setting_is_repeated_in_one_line_and_without_keys(
    duckdb_stage: Stage, name: str, failure: type[Exception]
) -> None:
    key = "sk-" + "admin-0123456789abcdefghij"
    with pytest.raises(failure) as failed:
        duckdb_stage.build(**{name: f"/dev/null/a\nFORGED {key} \x1b[31m{'b' * 300}"})
    assert str(failed.value).isprintable()
    assert key not in str(failed.value)


def test_only_a_file_that_is_locked_is_waited_for(duckdb_stage: Stage) -> None:
    file = duckdb_stage.directory / "lock.duckdb"
    file.write_text("no database")
    with pytest.raises(WarehouseFailed, match="not a valid DuckDB"):
        duckdb_stage.build(DBT_DUCKDB_FILE=str(file))
    with duckdb.connect(str(duckdb_stage.file)):
        writer = [sys.executable, "-c", _OPENED, str(duckdb_stage.file)]
        done = subprocess.run(writer, capture_output=True, text=True, check=False)
    assert _LOCKED in done.stderr


def test_the_pictures_in_the_docs_are_small() -> None:
    sizes = [path.stat().st_size for path in (ROOT / "docs" / "images").glob("*.png")]
    assert len(sizes) == 2
    assert max(sizes) < 300_000
