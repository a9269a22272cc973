"""Wrong settings are told all at once, a line each, without a traceback."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click import ClickException
from hypothesis import assume, given
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError
from tap_command import COMMAND, run

from tap_openai_audit.configuration import CONFIGURATION, OWN
from tap_openai_audit.settings import CHECK, FILTERS, Settings
from tap_openai_audit.singer.inputs import environment
from tap_openai_audit.tap import TapOpenAIAudit

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
OURS = str(CONFIGURATION) + str(CHECK.problems({}))


def test_right_settings_have_no_problem() -> None:
    assert CHECK.problems(RIGHT) == []
    assert CHECK.problems({**RIGHT, "api_url": "http://127.0.0.1:1/v1"}) == []
    assert CHECK.problems({**RIGHT, "start_date": "2026-01-31T00:00:00.123456"}) == []


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
        ("api_url", "https://api.chatgpt.com/v1", "is read by tap-chatgpt-workspace"),
        ("deep_lookback_days", 31, "deep_lookback_days must lie between 0 and 30"),
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
        ("api_url", "https://me:se/cret@api.openai.com:x/v1", "a plain URL"),
        ("api_url", "https://api.openai.com/v 1", "api_url must be a URL"),
        ("user_agent", "two\nlines", "user_agent must be a text of ASCII"),
        ("user_agent", "line\n", "user_agent must be a text of ASCII"),
        ("user_agent", " blank", "user_agent must be a text of ASCII"),
        ("user_agent", "blank ", "without a blank in front or behind"),
        ("organization_id", "org-\u0430bc", "organization_id must look like org-"),
        ("organization_id", "org-x\n", "organization_id must look like org-"),
        ("concurrency", 10**300, "concurrency must lie between 1 and 64, not 1000"),
        pytest.param(
            "concurrency",
            10**5000,  # more digits than Python writes
            "concurrency is nested too deeply or too long a number",
            id="a number without end",
        ),
        ("concurrency", math.inf, "concurrency must be a whole number"),
        ("concurrency", math.nan, "concurrency must be a whole number"),
        ("actor_ids", ["\ud800"], "actor_ids must be a list of one value each"),
        ("event_types", ["user.added user.deleted"], "each, and 'user.added user.del"),
        ("event_types", ["user.added; user.deleted"], "of one value each"),
        ("event_types", ["user.added,user.deleted"], "of one value each"),
        ("event_types", ['"user.added"'], "of one value each"),
        ("project_ids", ["'proj_1'"], "of one value each"),
        ("resource_ids", ["[user-1]"], "of one value each"),
        ("actor_emails", ["ada"], "actor_emails must be a list of addresses"),
        ("start_date", "0001-01-01T00:00+14:00", "start_date must be a date-time"),
        ("end_date", "9999-12-31T23:59:59.9", "end_date must be a date-time"),
        ("stream_maps", {"users": {"id": 5}}, "correct 'stream_maps.users'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    name: str, value: object, says: str
) -> None:
    (problem,) = CHECK.problems({**RIGHT, name: value})
    assert says in problem
    assert problem.isprintable()
    assert "cret@" not in problem
    if name == "admin_key":
        assert str(value) not in problem
        assert KEY not in problem


def test_what_has_to_be_set_is_named_with_what_to_do() -> None:
    missing = CHECK.problems({})
    assert [line.split()[0] for line in missing] == ["organization_id", "admin_key"]
    assert "organization owner makes an admin key at https://" in missing[1]


def test_no_settings_show_a_key() -> None:
    found = Settings.of(RIGHT)
    assert "kkk" not in repr([found, found.endpoint])


def test_swapped_settings_are_named_and_not_shown() -> None:
    swapped = {"organization_id": KEY, "admin_key": "org-sandbox"}
    for found in (
        CHECK.problems({**RIGHT, **swapped}),
        CHECK.problems({**RIGHT, "organization_id": KEY}),
    ):
        assert "organization_id and admin_key swapped?" in found[0]
        assert "k" * 6 not in str(found)
    other = {"organization_id": "another-kind-of-key", "admin_key": "org-sandbox"}
    assert "another" not in str(CHECK.problems({**RIGHT, **other}))


@pytest.mark.parametrize("name", sorted(set(OWN) - {"admin_key", "organization_id"}))
def test_a_key_in_another_setting_is_named_and_not_shown(name: str) -> None:
    value = [f"of {KEY}"] if name in FILTERS else f"https://host/{KEY}"
    found = CHECK.problems({**RIGHT, name: value})
    assert [line for line in found if line.startswith(f"{name} holds a key")]
    assert "k" * 6 not in str(found)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.text(st.characters(codec=None))
    | st.sampled_from(
        ["org-x", "sk-admin-x", "2026-01-01", "https://x", "", "9" * 301]
    ),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(sorted(CONFIGURATION["properties"]))


@given(st.dictionaries(NAMES | st.text(), ANY))
def test_any_value_gives_either_settings_or_problems(config: dict[str, Any]) -> None:
    config = {**RIGHT, **config}
    lines = [*CHECK.problems(config), *CHECK.without_effect(config)]
    assert [line for line in lines if not line.isprintable() or len(line) > 300] == []
    if not CHECK.problems(config):
        assert Settings.of({"user_agent": "tap", **CHECK.completed(config)})


@st.composite
def around(draw: st.DrawFn, key: str) -> Any:
    """A value of any shape with a key somewhere in it."""
    text = draw(st.text()) + key + draw(st.text())
    shapes = [text, [text], {"users": {text: 5}}, {text: text}, [1, [text]]]
    return draw(st.sampled_from([key, *shapes]))


@given(
    st.data(),
    st.sampled_from(["sk-admin-", "sk-proj-", ""]),
    st.text("abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789", min_size=20),
    st.sampled_from(["itself", "org-x"]),
)
def test_no_message_holds_a_part_of_a_key(
    data: st.DataObject, prefix: str, own: str, set_as_key: str
) -> None:
    key = prefix + own
    # Without what is usual in front of it, only what is set as the key is known as one.
    config = {**RIGHT, "admin_key": set_as_key if prefix else "itself"}
    config = {k: key if v == "itself" else v for k, v in config.items()}
    wrong = data.draw(st.dictionaries(NAMES | st.just(f"x{key}"), around(key)))
    if not prefix:
        wrong.pop("admin_key", None)
    config |= wrong
    lines = str(CHECK.problems(config) + CHECK.without_effect(config))
    # A text of the API or of ours is no part of the key by chance.
    assume(not any(own[at : at + 6] in OURS for at in range(len(own) - 5)))
    assert [at for at in range(len(own) - 5) if own[at : at + 6] in lines] == []


@pytest.mark.parametrize("name", sorted(set(CONFIGURATION["properties"])))
@pytest.mark.parametrize("unset", [None, ""])
def test_null_and_an_empty_text_mean_the_default(name: str, unset: object) -> None:
    without = {k: v for k, v in RIGHT.items() if k != name}
    assert CHECK.problems({**RIGHT, name: unset}) == CHECK.problems(without)
    if name not in {"organization_id", "admin_key", "user_agent"}:
        assert Settings.of({**RIGHT, name: unset}) == Settings.of(without)


def test_a_run_takes_null_for_the_default() -> None:
    unset = dict.fromkeys(set(CONFIGURATION["properties"]) - set(RIGHT))
    unset |= dict.fromkeys(["tenant_events", "concurrency", "api_url", "user_agent"])
    settings = TapOpenAIAudit(config={**RIGHT, **unset}).session().settings
    assert settings == replace(Settings.of(RIGHT), user_agent=settings.user_agent)
    assert settings.user_agent.startswith("tap-openai-audit/")


@pytest.mark.parametrize("expression", [f"1 + {KEY} +", "", "\0", "(" * 5000])
def test_a_stream_map_that_is_none_is_named(expression: str) -> None:
    maps = {"audit_logs": {"new": expression}}
    with pytest.raises(ConfigValidationError) as raised:
        TapOpenAIAudit(config={**RIGHT, "stream_maps": maps})
    (line,) = raised.value.errors
    assert line.startswith("stream_maps must be")
    assert line.isprintable()
    assert "k" * 6 not in line


def test_what_is_no_setting_has_no_effect() -> None:
    batches = {"encoding": {"format": "jsonl"}, "storage": {"root": "file://x"}}
    tap = TapOpenAIAudit(config={**RIGHT, "batch_config": batches})
    assert "batch_config" not in tap.config


@pytest.mark.parametrize("options", [[], ["--check"], ["--check=json"]])
def test_swapped_settings_are_named_by_the_command(
    config: Path, options: list[str]
) -> None:
    swapped = {"organization_id": KEY, "admin_key": "org-sandbox"}
    config.write_text(json.dumps({**RIGHT, **swapped, f"x{KEY}": 5}))
    outcome = run([*COMMAND, "--config", str(config), *options])
    assert outcome.code == 1
    assert "are organization_id and admin_key swapped?" in outcome.out + outcome.log
    assert "k" * 6 not in outcome.out + outcome.log


def test_an_end_before_the_start_is_named() -> None:
    dates = {"start_date": "2026-02-01", "end_date": "2026-01-01"}
    (problem,) = CHECK.problems({**RIGHT, **dates})
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
            "TAP_OPENAI_AUDIT_LOOKBACK_SECONDS": "9" * 5000,
            "TAP_OPENAI_AUDIT_PROJECT_IDS": "[" * 100_000,
            "TAP_OPENAI_AUDIT_API_URL": "",
        },
    )
    assert outcome.code == 1
    assert "Traceback" not in outcome.log
    assert KEY not in outcome.log
    assert "concurrency must be a whole number from 1 to 64, not 'abc'" in outcome.log
    assert "tenant_events must be true or false, not 'maybe'" in outcome.log
    assert "event_types must be a list of texts, in a variable" in outcome.log
    assert "lookback_seconds must be a whole number from 0 to" in outcome.log
    assert "project_ids must be a list of texts" in outcome.log
    assert "api_url" not in outcome.log
    assert max(map(len, outcome.log.splitlines())) < 400


LISTS = {name: ["a@b", "o'neil@b"] for name in FILTERS}


@pytest.mark.parametrize("name", FILTERS)
def test_a_list_has_one_form_in_a_variable_and_in_the_env_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variable, value = f"TAP_OPENAI_AUDIT_{name.upper()}", json.dumps(LISTS[name])
    (tmp_path / ".env").write_text(f"{variable}={value}\n")
    assert environment("tap-openai-audit", CONFIGURATION) == {name: LISTS[name]}
    monkeypatch.setenv(variable, '["one"]')
    assert environment("tap-openai-audit", CONFIGURATION) == {name: ["one"]}


@pytest.mark.parametrize(
    "value",
    [
        "user.added",
        '"user.added"',
        "user.added user.deleted",
        "user.added; user.deleted",
        "user.added,user.deleted",
        "'[\"user.added\"]'",
        '["user.added user.deleted"]',
        '["user.added",]',
    ],
)
@pytest.mark.parametrize("name", FILTERS)
def test_a_list_of_another_form_is_refused_in_one_line(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TAP_OPENAI_AUDIT_{name.upper()}", value)
    (line,) = CHECK.problems(
        {**RIGHT, **environment("tap-openai-audit", CONFIGURATION)}
    )
    assert line.startswith(f"{name} must be a list")
    assert '["one", "two"]' in line or "addresses" in line


def test_a_type_of_events_that_is_not_known_is_a_warning() -> None:
    config = {**RIGHT, "event_types": ["user.added", "user.aded", "moon.landed"]}
    assert CHECK.problems(config) == []
    slip, new = CHECK.warnings(config)
    assert "'user.aded'" in slip
    assert slip.endswith("did you mean user.added?")
    assert "'moon.landed'" in new
    assert CHECK.warnings({**RIGHT, "event_types": ["user.added"]}) == []


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


def test_an_env_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"TAP_OPENAI_AUDIT_ADMIN_KEY=sk-admin-half\xff")
    with pytest.raises(ClickException, match=r"The file \.env is not encoded in UTF-8"):
        environment("tap-openai-audit", CONFIGURATION)


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
        ("5", "The configuration is not a JSON object"),
        ("null", "The configuration is not a JSON object"),
        ("[" * 100_000, "The configuration is not a JSON object"),
        (f'{{"concurrency": {"9" * 5000}}}', "The configuration is not a JSON object"),
        ('{"concurrency": 1e99999999999999999999}', "is not a JSON object"),
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
