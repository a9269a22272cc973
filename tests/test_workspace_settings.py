"""Wrong settings of the workspace's tap are named all at once, a line each."""

from __future__ import annotations

from typing import Any

import pytest
from tap_command import WORKSPACE_COMMAND, run

from tap_openai_audit.workspace.configuration import OWN
from tap_openai_audit.workspace.settings import CHECK, WorkspaceSettings
from tap_openai_audit.workspace.tap import TapChatGPTWorkspace

ID = "01234567-89AB-cdef-0123-456789abcdef"
KEY = "w" * 30
RIGHT = {"workspace_id": ID, "key": KEY}


def test_an_id_and_a_key_are_enough() -> None:
    assert CHECK.problems(RIGHT) == []
    settings = TapChatGPTWorkspace(config=RIGHT).session().settings
    assert settings.workspace_id == ID.lower()
    assert settings.api_url == "https://api.chatgpt.com/v1"
    assert settings.user_agent.startswith("tap-chatgpt-workspace/")


def test_what_has_to_be_set_is_named_with_what_to_do() -> None:
    missing = CHECK.problems({})
    assert [line.split()[0] for line in missing] == ["workspace_id", "key"]
    assert "in the workspace's Admin portal" in missing[1]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("workspace_id", "ws-1", "workspace_id must be a UUID"),
        ("workspace_id", f"{ID}\n", "workspace_id must be a UUID"),
        ("key", "two words", "key must be a text without spaces"),
        ("key", f"f{ID[1:]}", "are workspace_id and key swapped?"),
        ("start_date", "yesterday", "start_date must be a date-time"),
        ("deep_lookback_days", 31, "deep_lookback_days must lie between 0 and 30"),
        ("api_url", "http://a.example/v1", "http the key would cross the network"),
        ("api_url", "https://api.openai.com/v1", "is read by tap-openai-audit"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    name: str, value: object, says: str
) -> None:
    (problem,) = CHECK.problems({**RIGHT, name: value})
    assert says in problem
    assert problem.isprintable()


def test_swapped_settings_are_named_and_not_shown() -> None:
    found = CHECK.problems({"workspace_id": KEY, "key": ID})
    assert "are workspace_id and key swapped?" in found[1]
    assert "www" not in str(found)
    settings = WorkspaceSettings.of({**RIGHT, "user_agent": "test"})
    assert "www" not in repr([settings, settings.endpoint])


@pytest.mark.parametrize("name", sorted({*OWN} - {"key", "workspace_id"}))
def test_a_key_in_another_setting_is_named_and_not_shown(name: str) -> None:
    found = CHECK.problems({**RIGHT, name: f"https://host/{KEY}"})
    assert [line for line in found if line.startswith(f"{name} holds a key")]
    assert "www" not in str(found)


def variables(prefix: str, **settings: Any) -> dict[str, str]:
    return {f"{prefix}_{name.upper()}": value for name, value in settings.items()}


def test_the_command_reads_its_own_variables_and_none_of_the_other_tap() -> None:
    others = variables("TAP_OPENAI_AUDIT", organization_id="org-x", api_url="x y")
    own = variables("TAP_CHATGPT_WORKSPACE", **RIGHT, start_date="yesterday")
    outcome = run([*WORKSPACE_COMMAND, "--config", "ENV"], env={**others, **own})
    assert outcome.code == 1
    line, _ = outcome.errors  # the other one is the SDK's
    assert "start_date must be a date-time" in line
    assert KEY not in outcome.log


def test_settings_of_the_other_tap_have_no_effect_and_are_named() -> None:
    assert CHECK.without_effect({"organization_id": "org-x"}) == [
        "organization_id is no setting of this tap and has no effect"
    ]
