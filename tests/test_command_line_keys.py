"""No key that is typed in the wrong place comes back out of the command."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tap_command import COMMAND, run

if TYPE_CHECKING:
    from pathlib import Path

ADMIN_KEY = "sk-admin-Wq7Zr2Lt9Xv4Bn6K"
WORKSPACE_KEY = "Hd83kPq0ZrtLw72MxvB5"
"""How keys of a workspace look is not documented."""
UNKNOWN_KEY = "c7e5Yt2RkU9wQz41"
"""Too short to look like a key: known from the settings alone."""

PLACES = {
    "the file of an option": ["--state", "{}"],
    "the file of an option, joined": ["--state={}"],
    "a file in a folder": ["--catalog", "/nowhere/{}/catalog.json"],
    "the configuration": ["--config", "{}"],
    "an unknown option": ["--{}"],
    "an unknown option with a value": ["--{}=5"],
    "the value of an unknown option": ["--admin-key={}"],
    "an option of one letter": ["-{}"],
    "an extra argument": ["{}"],
    "two extra arguments": ["first", "{}"],
    "a setting as an argument": ["admin_key={}"],
    "a bad choice": ["--check={}"],
    "a format": ["--about", "--format", "{}"],
    "a test": ["--test={}"],
    "a flag with a value": ["--discover={}"],
    "an option at the end": ["--state"],
}


def parts(key: str) -> list[str]:
    key = key.removeprefix("sk-admin-")
    return [key[at : at + 6] for at in range(len(key) - 5)]


def call(
    *arguments: str,
    folder: Path,
    config: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
) -> str:
    options: list[str] = []
    if config is not None:
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        options = ["--config", str(path)]
    outcome = run([*COMMAND, *options, *arguments], env=env)
    assert outcome.code in {1, 2}
    assert "Traceback" not in outcome.log
    return outcome.out + outcome.log


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", [ADMIN_KEY, WORKSPACE_KEY])
def test_what_looks_like_a_key_is_not_repeated(
    place: str, key: str, tmp_path: Path
) -> None:
    arguments = [argument.format(key) for argument in PLACES[place]]
    said = call(*arguments, folder=tmp_path)
    assert not [part for part in parts(key) if part in said], said


@pytest.mark.parametrize("name", ["admin_key", "key"])
@pytest.mark.parametrize("place", ["an extra argument", "the file of an option"])
def test_a_key_of_the_settings_is_not_repeated_however_it_looks(
    place: str, name: str, tmp_path: Path
) -> None:
    arguments = [argument.format(UNKNOWN_KEY) for argument in PLACES[place]]
    of_file = call(*arguments, folder=tmp_path, config={name: UNKNOWN_KEY})
    variable = f"TAP_OPENAI_AUDIT_{name.upper()}"
    of_environment = call(*arguments, folder=tmp_path, env={variable: UNKNOWN_KEY})
    for said in (of_file, of_environment):
        assert "[key]" in said
        assert not [part for part in parts(UNKNOWN_KEY) if part in said], said


def test_what_is_no_key_is_named(tmp_path: Path) -> None:
    said = call("--state", "/nowhere/state-of-2026-12.json", folder=tmp_path)
    assert "'/nowhere/state-of-2026-12.json': No such file" in said
    said = call("--full-refresh", folder=tmp_path)
    assert re.search("No such option:? '?--full-refresh", said)
    said = call("--check=xml", folder=tmp_path)
    assert "'xml' is not one of 'text', 'json'" in said
