"""The catalog does not change unnoticed, stream by stream.

After a wanted change, `python tests/test_catalog.py` stores it anew. A column may be
added. It may never be removed, renamed or get another type: databases hold it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_openai_audit.tap import TapOpenAIAudit
from tap_openai_audit.workspace.tap import TapChatGPTWorkspace

if TYPE_CHECKING:
    from tap_openai_audit.singer.base_tap import BaseTap

SNAPSHOTS = Path(__file__).parent / "snapshots"


def discovered(tap: type[BaseTap]) -> dict[str, dict[str, Any]]:
    catalog = json.loads(tap(validate_config=False).catalog_json_text)
    return {stream["tap_stream_id"]: stream for stream in catalog["streams"]}


def lines_of(stream: dict[str, Any]) -> list[str]:
    """The stream on a line, and a line a column: name, type, what else is, description.

    What has no place of its own stands there as JSON, so that nothing changes unseen.
    """
    schema = dict(stream["schema"])
    columns = schema.pop("properties")
    metadata = {tuple(entry["breadcrumb"]): entry for entry in stream["metadata"]}
    of_stream = {k: v for k, v in stream.items() if k not in ("schema", "metadata")}
    rest = {**of_stream, "schema": schema, **metadata.pop(())["metadata"]}
    lines = [json.dumps(rest, sort_keys=True)]
    for name, column in columns.items():
        more = dict(column)
        types = "|".join(more.pop("type"))
        kind = " ".join(filter(None, (types, more.pop("format", ""))))
        text = more.pop("description", "")
        selection = dict(metadata.pop(("properties", name))["metadata"])
        words = [f"{name}:", kind, selection.pop("inclusion")]
        words += [
            json.dumps(left, sort_keys=True) for left in (selection, more) if left
        ]
        lines.append(" ".join([*words, "-", text]))
    lines += [json.dumps(entry, sort_keys=True) for entry in metadata.values()]
    return lines


OF_THE_ORGANIZATION = discovered(TapOpenAIAudit)
OF_THE_WORKSPACE = discovered(TapChatGPTWorkspace)
CATALOG = {**OF_THE_ORGANIZATION, **OF_THE_WORKSPACE}


def test_the_taps_share_the_reports_alone_and_these_are_the_same_table() -> None:
    assert OF_THE_ORGANIZATION.keys() & OF_THE_WORKSPACE.keys() == {"sync_reports"}
    assert OF_THE_ORGANIZATION["sync_reports"] == OF_THE_WORKSPACE["sync_reports"]


def test_all_streams_are_stored() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.txt")} == set(CATALOG)


@pytest.mark.parametrize("stream", CATALOG)
def test_a_stream_is_as_it_was(stream: str) -> None:
    stored = (SNAPSHOTS / f"{stream}.txt").read_text(encoding="utf-8")
    assert lines_of(CATALOG[stream]) == stored.splitlines()


@pytest.mark.parametrize("stream", CATALOG)
def test_no_property_has_a_dot_which_selection_could_not_name(stream: str) -> None:
    assert not any("." in name for name in CATALOG[stream]["schema"]["properties"])


@pytest.mark.parametrize("stream", CATALOG)
def test_every_property_is_described(stream: str) -> None:
    for name, column in CATALOG[stream]["schema"]["properties"].items():
        assert column.get("description", "").endswith("."), name


def test_the_logs_and_their_proof_are_selected_by_default() -> None:
    selected = {
        name
        for name, stream in CATALOG.items()
        for entry in stream["metadata"]
        if entry["breadcrumb"] == [] and entry["metadata"].get("selected-by-default")
    }
    assert selected == {
        "audit_logs", "audit_log_digests", "sync_reports", "workspace_audit_logs",
        "workspace_auth_logs", "workspace_log_files",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("audit_logs", "effective_at"),
        ("workspace_audit_logs", "file_end_time"),
        ("workspace_auth_logs", "file_end_time"),
    ],
)
def test_the_key_of_replication_is_a_date_time(name: str, key: str) -> None:
    stream = CATALOG[name]
    assert stream["replication_key"] == key
    assert stream["schema"]["properties"][key]["format"] == "date-time"


if __name__ == "__main__":
    for old in SNAPSHOTS.glob("*"):
        old.unlink()
    SNAPSHOTS.mkdir(exist_ok=True)
    for name, content in CATALOG.items():
        text = "\n".join(lines_of(content))
        (SNAPSHOTS / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{len(CATALOG)} streams stored\n")
