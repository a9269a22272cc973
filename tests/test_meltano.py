"""The project's Meltano definitions at work, into real targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tap_openai_audit.configuration import OWN
from testing.meltano_project import ROOT, MeltanoProject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Loaded
    from sandbox.process import SandboxProcess


def everything(sandbox: SandboxProcess) -> list[str]:
    return sorted(event.id for event in sandbox.control.events())


@pytest.mark.parametrize(
    ("blocks", "target"),
    [
        (("tap-openai-audit", "target-postgres"), "in_postgres"),
        (("tap-openai-audit", "target-duckdb"), "in_duckdb"),
        (("tap-openai-audit", "target-jsonl"), "in_jsonl"),
    ],
)
def test_two_runs_load_every_event_once(
    meltano: MeltanoProject,
    sandbox: SandboxProcess,
    blocks: tuple[str, ...],
    target: str,
    request: pytest.FixtureRequest,
) -> None:
    read: Callable[[], Loaded] = request.getfixturevalue(target)
    meltano("run", *blocks)
    first = read()
    assert sorted(first.ids) == everything(sandbox)
    sandbox.control.add_events(5)
    sandbox.control.add_events(3, at=sandbox.control.now() - 1800)
    sandbox.control.add_events(2, scope="tenant")
    meltano("run", *blocks)
    second = read()
    assert sorted(second.ids) == everything(sandbox)
    assert second.emitted == first.emitted + 10 == len(second.ids)


def test_a_refused_key_fails_the_run_and_is_named_but_not_shown(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    sandbox.control.behave(wrong_key=True)
    failed = meltano("run", "tap-openai-audit", "target-jsonl", fails=True)
    assert "audit_logs (organization)" in failed.log
    assert sandbox.admin_key not in failed.log + failed.out


def test_the_check_is_a_command_of_the_plugin(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    check = ("invoke", "tap-openai-audit:check")
    assert meltano(*check).out.endswith("A sync would work.\n")
    sandbox.control.behave(missing_scope=True)
    assert "api.audit_logs.read" in meltano(*check, fails=True).out


def test_meltanos_own_test_takes_the_report_of_a_failed_run_for_success(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    """The docs name `tap-openai-audit:check` instead for as long as this passes."""
    sandbox.control.behave(wrong_key=True)
    assert "is valid" in meltano("config", "test", "tap-openai-audit").out


def test_a_state_as_meltano_prints_it_can_be_checked(
    meltano: MeltanoProject, tmp_path: Path
) -> None:
    meltano("run", "tap-openai-audit", "target-jsonl")
    state_id = "sandbox:tap-openai-audit-to-target-jsonl"
    state = tmp_path / "state.json"
    state.write_text(meltano("state", "get", state_id).out)
    check = ("invoke", "tap-openai-audit", "--check", "--state", str(state))
    assert "organization: " in meltano(*check).out


def test_meltano_itself_shows_the_key_when_asked_for_the_configuration(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    """SECURITY.md warns of it."""
    dumped = meltano("invoke", "--dump=config", "tap-openai-audit").json
    assert dumped["admin_key"] == sandbox.admin_key


def test_one_schedule_runs_all_so_that_dbt_is_never_in_its_own_way(
    meltano: MeltanoProject,
) -> None:
    (schedule,) = meltano("schedule", "list", "--format=json").json["schedules"]["job"]
    assert schedule["interval"] == schedule["cron_interval"] == "*/5 * * * *"
    assert schedule["job"]["name"] == "openai-audit"


def test_each_job_ends_with_the_one_build_of_its_answers(
    meltano: MeltanoProject,
) -> None:
    jobs = meltano("job", "list", "--format=json").json["jobs"]
    assert {job["job_name"] for job in jobs} == {
        "openai-audit",
        "chatgpt-workspace",
        "openai-audit-and-chatgpt-workspace",
    }
    for job in jobs:
        (loading, behind) = " ".join(job["tasks"]).split("dbt:build")
        assert "target-postgres" in loading
        assert "target-" not in behind


def test_events_digests_and_reports_are_selected_and_nothing_else(
    meltano: MeltanoProject,
) -> None:
    listed = meltano("select", "tap-openai-audit", "--list", "--json").json["streams"]
    assert {row["stream"] for row in listed} == {
        "audit_logs",
        "audit_log_digests",
        "sync_reports",
    }


def test_the_lock_stands_for_the_hub(meltano: MeltanoProject) -> None:
    """Every address beyond this machine is unreachable."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
        meltano.variables[variable] = "http://127.0.0.1:9"
    listed = meltano("config", "list", "tap-openai-audit", "--all").out
    assert [name for name in OWN if name not in listed] == []
    meltano.variables["TAP_OPENAI_AUDIT_CONCURRENCY"] = "3"
    used = meltano("config", "print", "tap-openai-audit", "--format=json").json
    assert used["concurrency"] == 3
    assert used["lookback_seconds"] == 3600
    about = meltano("invoke", "tap-openai-audit", "--about", "--format=json").json
    assert about["name"] == "tap-openai-audit"


def test_a_plugin_added_from_its_definition_has_every_setting(tmp_path: Path) -> None:
    (tmp_path / "meltano.yml").write_text("default_environment: dev\n")
    meltano = MeltanoProject(tmp_path)
    definition = str(ROOT / "plugin.yaml")
    meltano("add", "tap-openai-audit", f"--from-ref={definition}", "--no-install")
    (added,) = yaml.safe_load((tmp_path / "meltano.yml").read_text("utf-8"))["plugins"][
        "extractors"
    ]
    assert added["pip_url"] == "tap-openai-audit"
    listed = meltano("config", "list", "tap-openai-audit", "--all").out
    assert [name for name in OWN if name not in listed] == []
