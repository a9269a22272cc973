"""The state of a workspace's streams: read as it was written, or refused."""

from __future__ import annotations

from typing import Any

import pytest
from model_files import START, STEP, ModelFile, ModelFiles, Target, restored, run, saved

from tap_openai_audit.errors import BadState
from tap_openai_audit.workspace.position import Position
from tap_openai_audit.workspace.reports import Begun
from tap_openai_audit.workspace.state import (
    EnteredDays,
    FeedState,
)

STREAM = "workspace_audit_logs"
WORKSPACE = "01234567-89ab-cdef-0123-456789abcdef"
FILES = [ModelFile(f"file-{n}", n, [f"event-{n}"]) for n in range(200)]


def state() -> FeedState:
    run(ModelFiles(FILES), target := Target())
    position = restored(target.state)
    position.begun = Begun(FILES[5].listed, "ab" * 32, 7, 4, 2, 99)
    position.deep_look_at = START
    return FeedState(position, WORKSPACE, START, "chain", "run")


def written() -> dict[str, Any]:
    bookmark: dict[str, Any] = {}
    state().write(bookmark)
    return bookmark


def test_a_state_is_read_as_it_was_written() -> None:
    found = FeedState.read(written(), STREAM)
    assert saved(found.position) == saved(state().position)
    again: dict[str, Any] = {}
    found.write(again)
    assert again == written()


def test_every_field_is_always_written() -> None:
    bookmark: dict[str, Any] = {}
    FeedState(Position(), WORKSPACE, START, "chain", "run").write(bookmark)
    assert bookmark.keys() == written().keys()
    # So nothing of the state before is left over.
    merged = {**written(), **bookmark}
    assert FeedState.read(merged, STREAM).position.begun is None


@pytest.mark.parametrize("bookmark", [{}, {"partitions": []}])
def test_no_state_is_the_beginning(bookmark: dict[str, Any]) -> None:
    assert FeedState.read(bookmark, STREAM).position.is_new
    assert EnteredDays.read(bookmark).lost("audit", state().position.files)


@pytest.mark.parametrize("name", written())
def test_a_field_that_is_missing_is_named(name: str) -> None:
    bookmark = written()
    del bookmark[name]
    with pytest.raises(BadState, match=f"it lacks '{name}'"):
        FeedState.read(bookmark, STREAM)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("version", 2, "a newer version of this tap wrote"),
        ("version", True, "a newer version"),
        ("new", 1, "it has new, which is not known"),
        ("replication_key", "timestamp", "its replication_key is not file_end_time"),
        ("replication_key_value", "soon", "cannot be read"),
        ("replication_key_value", 5, "a int where a text should be"),
        ("files", "!", "it is not base64"),
        ("events", "gA==", "it is cut off"),
        ("begun_items", -1, "-1 where a number should be"),
        ("begun_items", "7", "7 where a number should be"),
        ("begun_sha256", 5, "a int where a text should be"),
        ("workspace_id", None, "a NoneType where a text should be"),
    ],
)
def test_what_is_not_understood_is_refused_in_one_line(
    name: str, value: object, says: str
) -> None:
    with pytest.raises(BadState, match=says) as caught:
        FeedState.read({**written(), name: value}, STREAM)
    assert str(caught.value).isprintable()


def test_the_state_of_another_workspace_is_refused() -> None:
    found = FeedState.read(written(), STREAM)
    found.refuse_others_than(WORKSPACE)
    with pytest.raises(BadState, match="give each workspace a state of its own"):
        found.refuse_others_than(WORKSPACE[::-1])


def test_the_ledger_tells_which_days_it_lacks_and_of_which_type() -> None:
    files, bookmark = state().position.files, dict[str, Any]()
    EnteredDays.read(bookmark).write(bookmark, WORKSPACE, "audit", files)
    found = EnteredDays.read(bookmark)
    assert found.lost("audit", files) == set()
    assert found.lost("auth", files) == set(files.days())
    files.add(ModelFile("another", 199, []).listed)
    day = (START + 199 * STEP) // 86_400 * 86_400
    assert found.lost("audit", files) == {day}


@pytest.mark.parametrize(
    "lines", [None, "2026-01-01 1 2", ["2026-01-01"], ["soon 1 2"], [5]]
)
def test_a_ledgers_bookmark_that_is_not_understood_is_refused(lines: object) -> None:
    bookmark = {"workspace_id": WORKSPACE, "audit": lines, "auth": []}
    with pytest.raises(BadState, match="The state of workspace_log_files"):
        EnteredDays.read(bookmark)
