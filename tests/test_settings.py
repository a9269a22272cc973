"""Wrong settings are told all at once, a line each, without a traceback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tap_command import COMMAND, run

from tap_openai_audit.command import environment
from tap_openai_audit.configuration import CONFIGURATION
from tap_openai_audit.settings import Settings, problems

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-admin-" + "k" * 30
RIGHT: dict[str, Any] = {
    "organization_id": "org-sandbox",
    "admin_key": KEY,
    "lookback_seconds": 3600,
    "tenant_events": True,
    "concurrency": 8,
    "request_timeout_seconds": 60,
    "max_retry_seconds": 600,
    "api_url": "https://api.openai.com/v1",
    "user_agent": "tap-openai-audit/test",
}


def test_right_settings_have_no_problem() -> None:
    assert problems(RIGHT) == []
    assert problems({**RIGHT, "api_url": "http://127.0.0.1:1/v1"}) == []
    assert problems({**RIGHT, "start_date": "2026-01-31T00:00:00.123456"}) == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("organization_id", None, "organization_id is not set"),
        ("organization_id", "", "organization_id is not set"),
        ("organization_id", "acme", "organization_id must look like org-"),
        ("organization_id", "org-x\r\nEvil: 1", "organization_id must look like org-"),
        ("organization_id", 5, "organization_id must look like org-"),
        ("admin_key", None, "admin_key is not set"),
        ("admin_key", "sk-proj-" + "x" * 30, "admin_key is a project key"),
        ("admin_key", "sk-svcacct-" + "x" * 30, "admin_key is a project key"),
        ("admin_key", KEY + "\n", "admin_key must be a text without spaces"),
        ("admin_key", 12345, "admin_key must be a text without spaces"),
        ("start_date", "yesterday", "start_date must be a date-time"),
        ("start_date", 5, "start_date must be a date-time"),
        ("end_date", "2026-13-01", "end_date must be a date-time"),
        ("lookback_seconds", -1, "lookback_seconds must lie between 0 and"),
        ("lookback_seconds", "abc", "lookback_seconds must be a whole number"),
        ("concurrency", 0, "concurrency must lie between 1 and 64"),
        ("concurrency", 65, "concurrency must lie between 1 and 64"),
        ("concurrency", True, "concurrency must be a whole number"),
        ("request_timeout_seconds", 0, "request_timeout_seconds must lie between"),
        ("max_retry_seconds", 1.5, "max_retry_seconds must be a whole number"),
        ("tenant_events", "maybe", "tenant_events must be true or false"),
        ("event_types", "user.added", "event_types must be a list of texts"),
        ("project_ids", [1], "project_ids must be a list of texts"),
        ("actor_emails", [""], "actor_emails must be a list of texts"),
        ("api_url", "api.openai.com", "api_url must be a URL"),
        ("api_url", "ftp://api.openai.com", "api_url must be a URL"),
        ("api_url", "http://api.openai.com/v1", "api_url must begin with https://"),
        ("api_url", "https://me:secret@api.openai.com/v1", "a plain URL"),
        ("api_url", "https://[::1", "api_url must be a URL"),
        ("user_agent", "two\nlines", "user_agent must be a text of ASCII"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    name: str, value: object, says: str
) -> None:
    (problem,) = problems({**RIGHT, name: value})
    assert says in problem
    assert "\n" not in problem
    if name == "admin_key":
        assert str(value) not in problem
        assert KEY not in problem


def test_an_end_before_the_start_is_named() -> None:
    dates = {"start_date": "2026-02-01", "end_date": "2026-01-01"}
    (problem,) = problems({**RIGHT, **dates})
    assert "end_date must lie after start_date" in problem


def test_dates_are_utc_seconds() -> None:
    config = {
        **RIGHT,
        "start_date": "2026-03-29T01:30:00.9",
        "end_date": "2026-03-29T04:30:00.1+02:00",
    }
    settings = Settings.of(config)
    assert settings.start == 1_774_747_800
    assert settings.end == 1_774_751_401


def test_settings_never_show_the_key() -> None:
    assert KEY not in repr(Settings.of(RIGHT))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def test_all_problems_are_told_at_once_without_a_traceback(config: Path) -> None:
    config.write_text(
        json.dumps({"admin_key": "sk-proj-secret", "concurrency": "many", "api_url": 5})
    )
    outcome = run([*COMMAND, "--config", str(config)])
    assert outcome.code == 1
    assert outcome.out == ""
    assert "Traceback" not in outcome.log
    assert "sk-proj-secret" not in outcome.log
    for name in ("organization_id", "admin_key", "concurrency", "api_url"):
        assert len([line for line in outcome.errors if f"| {name}" in line]) == 1


def test_environment_variables_are_checked_like_files() -> None:
    outcome = run(
        [*COMMAND, "--config", "ENV"],
        env={
            "TAP_OPENAI_AUDIT_ORGANIZATION_ID": "org-sandbox",
            "TAP_OPENAI_AUDIT_ADMIN_KEY": KEY,
            "TAP_OPENAI_AUDIT_CONCURRENCY": "abc",
            "TAP_OPENAI_AUDIT_TENANT_EVENTS": "maybe",
            "TAP_OPENAI_AUDIT_EVENT_TYPES": "[1, 2]",
        },
    )
    assert outcome.code == 1
    assert "Traceback" not in outcome.log
    assert KEY not in outcome.log
    assert "concurrency must be a whole number from 1 to 64, not 'abc'" in outcome.log
    assert "tenant_events must be true or false, not 'maybe'" in outcome.log
    assert "event_types must be a list of texts, not [1, 2]" in outcome.log


def test_the_environment_wins_over_the_env_file_of_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(
        "TAP_OPENAI_AUDIT_ORGANIZATION_ID=org-of-the-file\n"
        "TAP_OPENAI_AUDIT_CONCURRENCY=3\n"
    )
    monkeypatch.setenv("TAP_OPENAI_AUDIT_ORGANIZATION_ID", "org-of-the-environment")
    assert environment("tap-openai-audit", CONFIGURATION) == {
        "organization_id": "org-of-the-environment",
        "concurrency": 3,
    }


def test_a_setting_that_is_misspelt_is_named(config: Path) -> None:
    config.write_text(json.dumps({**RIGHT, "strat_date": "2026-01-01", "api_url": 5}))
    outcome = run(
        [*COMMAND, "--config", str(config), "--config", "ENV"],
        env={
            "TAP_OPENAI_AUDIT_EVENT_TYPE": "[]",
            "TAP_OPENAI_AUDIT__LOAD_SCHEMA": "of Meltano",
        },
    )
    assert "strat_date is no setting of this tap" in outcome.log
    assert "did you mean start_date?" in outcome.log
    assert "did you mean event_types?" in outcome.log
    assert "load_schema" not in outcome.log


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"admin_key": "sk-admin-half', "The configuration is not valid JSON"),
        (None, "The configuration cannot be read"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_named(
    config: Path, content: str | None, says: str
) -> None:
    if content is not None:
        config.write_text(content)
    outcome = run([*COMMAND, "--config", str(config)])
    assert outcome.code == 1
    assert says in outcome.last_line
    assert "Traceback" not in outcome.log
    assert "sk-admin-half" not in outcome.log


@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_a_file_that_cannot_be_read_is_named(config: Path, option: str) -> None:
    config.write_text(json.dumps(RIGHT))
    broken = config.with_name("broken.json")
    broken.write_text("[1, 2")
    outcome = run([*COMMAND, "--config", str(config), option, str(broken)])
    assert outcome.code == 1
    assert "is not valid JSON" in outcome.last_line
    assert "Traceback" not in outcome.log


@pytest.mark.parametrize("options", [["--discover"], ["--about", "--format=json"]])
def test_discovery_and_description_need_no_configuration(options: list[str]) -> None:
    outcome = run([*COMMAND, *options])
    assert outcome.code == 0
    assert outcome.messages_as_one
