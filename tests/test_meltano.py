"""The project's Meltano definitions at work: settings, commands, schedules."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from testing.meltano_project import ROOT, MeltanoProject
from tools.definition import ORGANIZATION, PLUGINS, WORKSPACE, Plugin

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.process import SandboxProcess


@pytest.mark.parametrize("place", ["the environment", ".env"])
def test_a_list_is_written_as_json(meltano: MeltanoProject, place: str) -> None:
    types = ["login.succeeded", "project.created"]
    variable, value = "TAP_OPENAI_AUDIT_EVENT_TYPES", json.dumps(types)
    if place == ".env":
        (meltano.directory / ".env").write_text(f"{variable}={value}\n")
    else:
        meltano.variables[variable] = value
    used = meltano("config", "print", "tap-openai-audit", "--format=json").json
    assert used["event_types"] == types
    meltano("run", "tap-openai-audit", "target-jsonl")
    file = meltano.directory / "output" / "sandbox" / "audit_logs.jsonl"
    found = {json.loads(line)["type"] for line in file.read_text("utf-8").splitlines()}
    assert found
    assert found <= {*types}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("user.added", "Failed to parse JSON array from string: 'user.added'"),
        ('["a b"]', "event_types must be a list of one value each"),
    ],
)
def test_a_list_of_another_form_fails_the_run(
    meltano: MeltanoProject, value: str, says: str
) -> None:
    meltano.variables["TAP_OPENAI_AUDIT_EVENT_TYPES"] = value
    failed = meltano("run", "tap-openai-audit", "target-jsonl", fails=True)
    assert says in failed.log


def test_a_refused_key_fails_the_run_and_is_named_but_not_shown(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    sandbox.control.behave(wrong_key=True)
    failed = meltano("run", "tap-openai-audit", "target-jsonl", fails=True)
    assert "audit_logs (organization)" in failed.log
    assert sandbox.admin_key not in failed.log + failed.out


def test_the_check_is_a_command_of_each_plugin(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    check = ("invoke", "tap-openai-audit:check")
    assert meltano(*check).out.endswith("A sync would work.\n")
    found = meltano("invoke", "tap-chatgpt-workspace:check")
    assert "ok       workspace_files" in found.out
    sandbox.control.behave(missing_scope=True)
    assert "api.audit_logs.read" in meltano(*check, fails=True).out


def test_meltanos_own_test_takes_the_report_of_a_failed_run_for_success(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    """The docs name `tap-openai-audit:check` instead for as long as this passes."""
    sandbox.control.behave(wrong_key=True)
    assert "is valid" in meltano("config", "test", "tap-openai-audit").out


def test_meltano_itself_shows_the_key_when_asked_for_the_configuration(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    """SECURITY.md warns of it."""
    dumped = meltano("invoke", "--dump=config", "tap-openai-audit").json
    assert dumped["admin_key"] == sandbox.admin_key


def test_no_variable_of_one_plugin_is_taken_for_a_setting_of_the_other(
    meltano: MeltanoProject,
) -> None:
    urls = {plugin: f"https://{plugin.name}.example.com/v1" for plugin in PLUGINS}
    for plugin, url in urls.items():
        meltano.variables[f"{plugin.prefix}API_URL"] = url
    for plugin, url in urls.items():
        used = meltano("config", "print", plugin.name, "--format=json").json
        assert used["api_url"] == url


def schedules(meltano: MeltanoProject) -> dict[str, dict[str, Any]]:
    listed = meltano("schedule", "list", "--format=json").json["schedules"]["job"]
    return {schedule["name"]: schedule for schedule in listed}


def test_the_schedule_of_the_workspace_is_off_until_it_is_given_an_interval(
    meltano: MeltanoProject,
) -> None:
    found = schedules(meltano)
    crons = {name: schedule["cron_interval"] for name, schedule in found.items()}
    assert crons == {
        "openai-audit-every-five-minutes": "*/5 * * * *",
        "chatgpt-workspace": None,
    }
    assert found["openai-audit-every-five-minutes"]["job"]["name"] == "openai-audit"
    command = "schedule set chatgpt-workspace --interval='*/10 * * * *'"
    meltano(*shlex.split(command))
    assert schedules(meltano)["chatgpt-workspace"]["cron_interval"] == "*/10 * * * *"


def test_a_workspace_without_an_organization_has_one_schedule_that_does_all(
    meltano: MeltanoProject,
) -> None:
    meltano("schedule", "set", "chatgpt-workspace", "--job=chatgpt-workspace")
    meltano("schedule", "remove", "openai-audit-every-five-minutes")
    (only,) = schedules(meltano).values()
    assert "alerts:send" in str(only["job"]["tasks"])


def test_no_two_schedules_run_dbt_at_the_same_time(meltano: MeltanoProject) -> None:
    tasks = [str(schedule["job"]["tasks"]) for schedule in schedules(meltano).values()]
    assert len([task for task in tasks if "dbt" in task]) == 1


def test_without_a_workspace_its_plugin_is_in_nobodys_way(
    meltano: MeltanoProject, sandbox: SandboxProcess
) -> None:
    """The environment is one that says nothing of a workspace."""
    meltano.variables |= {
        "MELTANO_ENVIRONMENT": "dev",
        "TAP_OPENAI_AUDIT_ORGANIZATION_ID": sandbox.organization_id,
        "TAP_OPENAI_AUDIT_ADMIN_KEY": sandbox.admin_key,
    }
    ran = meltano("run", "tap-openai-audit", "target-jsonl")
    assert "workspace" not in ran.log.replace("tap-chatgpt-workspace", "")
    assert {r["host"] for r in sandbox.control.requests()["log"]} == {"organization"}
    schedules(meltano)
    meltano("job", "list")
    refused = meltano("run", "tap-chatgpt-workspace", "target-jsonl", fails=True)
    assert "workspace_id is not set: copy the UUID" in refused.log


def test_a_job_ends_with_the_one_build_of_its_answers_or_loads_alone(
    meltano: MeltanoProject,
) -> None:
    listed = meltano("job", "list", "--format=json").json["jobs"]
    jobs = {job["job_name"]: job for job in listed}
    (loads,) = jobs.pop("load-chatgpt-workspace")["tasks"]
    assert loads == "tap-chatgpt-workspace target-postgres"
    assert set(jobs) == {"openai-audit", "chatgpt-workspace"}
    for job in jobs.values():
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


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_the_lock_stands_for_the_hub(meltano: MeltanoProject, plugin: Plugin) -> None:
    """Every address beyond this machine is unreachable."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
        meltano.variables[variable] = "http://127.0.0.1:9"
    listed = meltano("config", "list", plugin.name, "--all").out
    assert [name for name in plugin.own_settings if name not in listed] == []
    meltano.variables[f"{plugin.prefix}DEEP_LOOKBACK_DAYS"] = "3"
    used = meltano("config", "print", plugin.name, "--format=json").json
    assert used["deep_lookback_days"] == 3
    assert used["max_retry_seconds"] == 600
    about = meltano("invoke", plugin.name, "--about", "--format=json").json
    assert about["name"] == plugin.name


@pytest.mark.parametrize(
    ("plugin", "file"),
    [
        (ORGANIZATION, "plugins/tap-openai-audit.yaml"),
        (WORKSPACE, "plugins/tap-chatgpt-workspace.yaml"),
    ],
)
def test_a_plugin_added_from_its_definition_has_every_setting(
    tmp_path: Path, plugin: Plugin, file: str
) -> None:
    (tmp_path / "meltano.yml").write_text("default_environment: dev\n")
    meltano = MeltanoProject(tmp_path)
    meltano("add", plugin.name, "--from-ref", str(ROOT / file), "--no-install")
    (added,) = yaml.safe_load((tmp_path / "meltano.yml").read_text("utf-8"))["plugins"][
        "extractors"
    ]
    assert added["pip_url"] == "tap-openai-audit"
    listed = meltano("config", "list", plugin.name, "--all").out
    assert [name for name in plugin.own_settings if name not in listed] == []
