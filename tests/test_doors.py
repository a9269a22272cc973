"""Whichever way the tap is called, a failure is told: by exit code or exception."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tap_command import TapCommand, catalog_of
from test_sandbox import HANGS_SECONDS

from sandbox.process import SandboxProcess
from tap_openai_audit.errors import (
    BadState,
    ErrorResponse,
    StreamFailed,
    SyncFailed,
)
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.tap import TapOpenAIAudit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[TapCommand]:
    with SandboxProcess(events=300, tenant_events=20, start="30d") as sandbox:
        yield TapCommand(sandbox, tmp_path, {"max_retry_seconds": 0})


def as_library(tap: TapCommand, **options: object) -> TapOpenAIAudit:
    config = {
        "organization_id": tap.sandbox.organization_id,
        "admin_key": tap.sandbox.admin_key,
        "api_url": tap.sandbox.url,
        "max_retry_seconds": 0,
    }
    return TapOpenAIAudit(config=config, **options)


def test_a_sync_that_works_returns(
    tap: TapCommand, capfd: pytest.CaptureFixture[str]
) -> None:
    as_library(tap).sync_all()
    out = capfd.readouterr().out
    assert out.count('"type":"RECORD","stream":"audit_logs"') == 320
    assert out.count('"type":"RECORD","stream":"sync_reports"') == 2


def test_a_library_gets_an_exception_after_all_else_is_written(
    tap: TapCommand, capfd: pytest.CaptureFixture[str]
) -> None:
    tap.sandbox.control.behave(wrong_key=True)
    with pytest.raises(SyncFailed, match="could not be read in full") as caught:
        as_library(tap).sync_all()
    (failure,) = caught.value.failures
    assert isinstance(failure, StreamFailed)
    assert failure.what == "audit_logs (organization)"
    assert isinstance(failure.reason, ErrorResponse)
    assert failure.reason.cause is Cause.WRONG_KEY
    assert '"stream":"sync_reports"' in capfd.readouterr().out
    assert len({failure, caught.value}) == 2  # they can be kept in sets


def test_a_library_gets_an_exception_for_a_state_that_is_not_understood(
    tap: TapCommand,
) -> None:
    with pytest.raises(BadState, match="cannot be read"):
        as_library(tap, state={"bookmarks": []})


def test_a_stream_that_is_read_alone_raises(tap: TapCommand) -> None:
    stream = as_library(tap).streams["audit_logs"]
    assert len(list(stream.get_records({"scope": "organization"}))) == 300
    assert len(list(stream.get_records({"scope": "tenant"}))) == 20
    tap.sandbox.control.behave(wrong_key=True)
    stream = as_library(tap).streams["audit_logs"]
    with pytest.raises(ErrorResponse):
        list(stream.get_records({"scope": "organization"}))


def test_the_sdks_test_tells_whether_what_is_selected_works(tap: TapCommand) -> None:
    works = tap.run("--test")
    assert (works.code, works.errors) == (0, [])
    assert len(works.ids) == 2
    # What nobody selected may lack a permission.
    refusal = {"kind": "status", "status": 403, "path": "/v1/organization/users"}
    tap.sandbox.control.faults(refusal)
    assert tap.run("--test").code == 0
    tap.sandbox.control.behave(wrong_key=True)
    fails = tap.run("--test")
    assert fails.code == 1
    assert "the admin key is wrong" in fails.last_line
    assert "Traceback" not in fails.log


def test_the_schemas_are_written_without_a_request(tap: TapCommand) -> None:
    outcome = tap.run("--test=schema")
    assert outcome.code == 0
    assert {message["type"] for message in outcome.messages} == {"SCHEMA"}
    assert tap.sandbox.control.requests()["count"] == 0


def ended_with(tap: TapCommand, redirection: str, *options: str) -> tuple[int, str]:
    """Run the command by a shell that sets its stdout, and return what it logged."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *tap.arguments(*options)]
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        timeout=HANGS_SECONDS,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    ("redirection", "says"),
    [
        (">/dev/full", "cannot be written to stdout (No space left on device)"),
        (">&-", "stdout is closed"),
    ],
)
@pytest.mark.parametrize("option", [None, "--test"])
def test_an_stdout_that_takes_nothing_ends_the_run_in_one_line(
    tap: TapCommand, redirection: str, says: str, option: str | None
) -> None:
    code, log = ended_with(tap, redirection, *([option] if option else []))
    assert code == 1
    assert says in log.splitlines()[-1]
    assert "continues from the last confirmed state" in log.splitlines()[-1]
    assert "Traceback" not in log
    assert "Exception ignored" not in log


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
@pytest.mark.parametrize("option", ["--check", "--about", "--discover", "--version"])
def test_an_stdout_that_takes_nothing_is_no_traceback_of_any_option(
    tap: TapCommand, redirection: str, option: str
) -> None:
    code, log = ended_with(tap, redirection, option)
    assert "Traceback" not in log
    assert "Exception ignored" not in log
    # A process without stdout has nothing to write to, and nothing fails.
    assert code == (1 if redirection == ">/dev/full" else 0)
    if code:
        assert "cannot be written to stdout (No space" in log.splitlines()[-1]


def test_a_check_says_by_its_exit_code_whether_a_sync_would_work(
    tap: TapCommand,
) -> None:
    assert tap.run("--check").code == 0
    tap.sandbox.control.behave(wrong_key=True)
    fails = tap.run("--check=json")
    assert fails.code == 1
    assert not json.loads(fails.out)["works"]


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_schemas_that_cannot_be_written_end_in_one_line(
    tap: TapCommand, redirection: str
) -> None:
    code, log = ended_with(tap, redirection, "--test=schema")
    assert code == 1
    assert "continues from the last confirmed state" in log.splitlines()[-1]
    assert "Traceback" not in log
    assert "Exception ignored" not in log


@pytest.mark.parametrize("variable", ["TAP_OPENAI_AUDIT_LOGLEVEL", "LOGLEVEL"])
def test_a_level_of_logging_that_is_none_ends_in_one_line(
    tap: TapCommand, variable: str
) -> None:
    outcome = tap.run(env={variable: "LOUD"})
    assert (outcome.code, outcome.out) == (1, "")
    (line,) = outcome.log.splitlines()
    assert "Unknown level: 'LOUD'" in line
    assert "DEBUG, INFO, WARNING" in line


@pytest.mark.parametrize("content", [None, "", "[1", "5", "version: 9", "\0"])
def test_a_configuration_of_logging_that_is_none_ends_in_one_line(
    tap: TapCommand, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "logging.yaml"
    if content is not None:
        file.write_text(content)
    for path in (file, tmp_path):
        outcome = tap.run(env={"SINGER_SDK_LOG_CONFIG": str(path)})
        assert (outcome.code, outcome.out) == (1, "")
        (line,) = outcome.log.splitlines()
        assert "correct the file that SINGER_SDK_LOG_CONFIG names" in line


AUDIT_LOGS = {"tap_stream_id": "audit_logs", "schema": {}, "metadata": []}


@pytest.mark.parametrize(
    "streams",
    [
        5,
        None,
        [5],
        [{}],
        [{**AUDIT_LOGS, "schema": 5}],
        [{**AUDIT_LOGS, "schema": {"properties": {"id": 5}}}],
        [{**AUDIT_LOGS, "metadata": 7}],
        [{**AUDIT_LOGS, "metadata": [{}]}],
        [{**AUDIT_LOGS, "metadata": [{"breadcrumb": [], "metadata": None}]}],
    ],
)
def test_a_catalog_that_is_none_ends_in_one_line(
    tap: TapCommand, streams: object
) -> None:
    outcome = tap.run(catalog={"streams": streams})
    assert (outcome.code, outcome.out) == (1, "")
    assert "The catalog is not one of Singer: correct it" in outcome.last_line
    assert "Traceback" not in outcome.log


@pytest.mark.parametrize(
    "catalog", [{}, {"streams": [{**AUDIT_LOGS, "tap_stream_id": "Audit_Logs"}]}]
)
def test_a_catalog_that_selects_nothing_is_told(
    tap: TapCommand, catalog: dict[str, object]
) -> None:
    outcome = tap.run(catalog=catalog)
    assert (outcome.code, outcome.ids) == (0, [])
    (warning,) = outcome.warnings
    assert "No stream is selected" in warning


def test_a_state_with_a_key_that_stands_twice_is_refused(
    tap: TapCommand, tmp_path: Path
) -> None:
    file = tmp_path / "state"
    file.write_text('{"bookmarks": {"audit_logs": {}, "audit_logs": {}}}')
    outcome = tap.run("--state", str(file))
    assert (outcome.code, outcome.out) == (1, "")
    assert "The state has a key twice in one object" in outcome.last_line


# A signal in the middle of an import, whenever the machine comes to it.
INTERRUPTED = """
import os, signal, sys

class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupter())
from tap_openai_audit.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "module",
    [
        "tap_openai_audit.singer.cli",
        "singer_sdk",
        "jsonschema",
        "tap_openai_audit.check",
    ],
)
def test_a_sigint_while_modules_are_imported_ends_in_silence(
    tap: TapCommand, module: str
) -> None:
    # The check is imported only after click has begun.
    _, *options = tap.arguments("--check")[2:]
    code = INTERRUPTED.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", code, *options],
        capture_output=True,
        check=False,
        timeout=HANGS_SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


DIVIDES = {"x": "1/0"}
STREAMS = TapOpenAIAudit(validate_config=False).streams
CHILDREN = {"projects": [name for name in STREAMS if name.startswith("project_")]}


@pytest.mark.parametrize("stream", ["sync_reports", "projects", "users"])
@pytest.mark.parametrize("expressions", [DIVIDES, {"__filter__": "1/0"}])
def test_a_stream_map_that_fails_ends_its_own_stream_in_one_line(
    tap: TapCommand, stream: str, expressions: dict[str, str]
) -> None:
    outcome = tap.run(catalog=catalog_of(*STREAMS), stream_maps={stream: expressions})
    assert outcome.code == 1
    (line,) = outcome.errors
    assert line == outcome.last_line
    assert "stream_maps fails on the record " in line
    assert f" of {stream} (" in line
    assert "ZeroDivisionError" in line
    assert f"correct the expressions of {stream} in stream_maps" in line
    assert "Traceback" not in outcome.log
    assert outcome.records(stream) == []
    assert len(outcome.ids) == 320
    reports = {r["scope"]: r for r in outcome.records("sync_reports")}
    missing = {name for name, report in reports.items() if not report["complete"]}
    if stream != "sync_reports":
        assert missing == {stream, *CHILDREN.get(stream, ())}
        assert all("ZeroDivisionError" in reports[name]["reason"] for name in missing)
