"""With `omit_email_addresses` no record holds an address, and nothing else is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_command import TapCommand, WorkspaceCommand, catalog_of

from sandbox.process import SandboxProcess
from tap_openai_audit.audit_logs.api import decode_page
from tap_openai_audit.audit_logs.record import Recorder
from tap_openai_audit.singer.email_addresses import (
    REPLACEMENT,
    without_addresses,
    without_addresses_in_json,
)
from tap_openai_audit.tap import TapOpenAIAudit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testing.meltano_project import MeltanoProject

ADDRESS = re.compile(r"[^\s@]@[^\s@]|%40|\\u0040")
STREAMS = tuple(TapOpenAIAudit(validate_config=False).streams)
PAGE = Path(__file__).parents[1] / "docs/settings.md"
OMITTED: dict[str, Any] = {"omit_email_addresses": True}

addresses = st.one_of(
    st.emails(),
    st.sampled_from(
        [
            "o'brien+x@example.com",
            "josé@exämple.com",
            '"two words"@example.com',
            "root@localhost",
            "a@[192.0.2.1]",
            "https://id.example/?hint=a%40example.com",
            '{"email": "a\\u0040example.com"}',
        ]
    ),
)
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    addresses,
    addresses.map("<{0}>, mailto:{0}; and so on".format),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=10,
)


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[TapCommand]:
    with SandboxProcess(
        events=600, tenant_events=60, start="30d", end="now", workspace_events=200
    ) as sandbox:
        yield TapCommand(sandbox, tmp_path)


def all_texts(value: object) -> Iterator[str]:
    """Every text in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from all_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from all_texts(inner)


def with_address(record: object) -> list[str]:
    return [text for text in all_texts(record) if ADDRESS.search(text)]


@given(
    actor=values,
    details=values,
    more=st.dictionaries(texts, values, max_size=3),
    escaped=st.booleans(),
)
def test_whatever_an_event_holds_the_record_has_no_address(
    *, actor: object, details: object, more: dict[str, Any], escaped: bool
) -> None:
    event = {
        **more,
        "id": "audit_log-1@1",
        "effective_at": 1,
        "type": "user.added",
        "user.added": details,
        "actor": actor,
    }
    page = json.dumps({"data": [event], "has_more": False})
    if escaped:
        page = page.replace("@", "\\u0040")
    (decoded,) = decode_page(page.encode()).events
    plain = Recorder("organization", "org-1").json(decoded)
    record = json.loads(without_addresses_in_json(plain))
    # The key of the row is what digests count.
    assert record.pop("id") == "audit_log-1@1"
    assert with_address(record) == []
    assert shape(record) == shape(without_id(plain))
    # The SDK's way, where there is a stream map, writes the same.
    mapped = without_addresses(json.loads(plain), ["id"])
    assert mapped.pop("id") == "audit_log-1@1"
    assert mapped == record


def without_id(record: bytes) -> dict[str, Any]:
    return {k: v for k, v in json.loads(record).items() if k != "id"}


def shape(value: object) -> object:
    """What is left of a value without its texts: none may be lost."""
    if isinstance(value, dict):
        return [shape(inner) for inner in value.values()]
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return None if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"email": "ada@example.com"}, {"email": None}),
        ({"emails": ["ada@example.com"]}, {"emails": [REPLACEMENT]}),
        (
            {"note": "ask <ada@example.com>, soon"},
            {"note": f"ask <{REPLACEMENT}>, soon"},
        ),
        ({"a@b.c": 1, "d@e.f": 2}, {f"{REPLACEMENT} 1": 1, f"{REPLACEMENT} 2": 2}),
        ({"name": "Ada", "n": 1.50}, {"name": "Ada", "n": 1.50}),
    ],
)
def test_an_address_becomes_null_or_is_replaced_in_a_text(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert without_addresses(before, []) == after
    record = {"id": "1", "details": before}
    encoded = without_addresses_in_json(json.dumps(record).encode())
    assert json.loads(encoded) == {"id": "1", "details": after}


def test_numbers_keep_all_digits() -> None:
    record = b'{"id":"1","email":"a\\u0040b.c","n":1.10000000000000000001}'
    expected = b'{"id":"1","email":null,"n":1.10000000000000000001}'
    assert without_addresses_in_json(record) == expected


def test_long_texts_take_time_in_proportion() -> None:
    # Quadratic time would not end here.
    for part in ("a", "a@[", '"', '"@', "\\u0061", "@", "%"):
        text = part * 300_000
        without_addresses({"text": text + " a@b.c"}, [])


@pytest.mark.parametrize(
    "maps", [{}, {"*": {"new": "'made@example.com'"}}], ids=["plain", "mapped"]
)
def test_no_stream_of_the_organization_holds_an_address(
    tap: TapCommand, maps: dict[str, Any]
) -> None:
    catalog = catalog_of(*STREAMS)
    given: dict[str, Any] = {"reference_every_hours": 0, "stream_maps": maps}
    plain = tap.run(catalog=catalog, **given)
    outcome = tap.run(catalog=catalog, **OMITTED, **given)
    assert outcome.code == plain.code == 0, outcome.log
    validators: dict[str, Any] = {}
    for message in outcome.messages:
        if message["type"] == "SCHEMA":
            validators[message["stream"]] = jsonschema.Draft7Validator(
                message["schema"]
            )
        elif message["type"] == "RECORD":
            validators[message["stream"]].validate(message["record"])
            assert with_address(message["record"]) == []
    assert any(with_address(record) for record in plain.records("audit_logs"))
    assert any(with_address(record) for record in plain.records("users"))
    for stream in STREAMS:
        assert len(outcome.records(stream)) == len(plain.records(stream))
    assert outcome.ids == plain.ids
    digests = [
        [
            (r["day"], r["events"], r["ids_checksum"])
            for r in o.records("audit_log_digests")
        ]
        for o in (plain, outcome)
    ]
    assert digests[0] == digests[1]


def test_the_report_of_a_run_does_not_repeat_addresses_it_was_asked_for(
    tap: TapCommand,
) -> None:
    outcome = tap.run(**OMITTED, actor_emails=["ada@example.com"])
    assert outcome.code == 0, outcome.log
    reports = outcome.records("sync_reports")
    assert reports
    assert with_address(reports) == []


def test_the_recipe_of_the_docs_leaves_them_out_of_what_is_loaded(
    meltano: MeltanoProject,
) -> None:
    lines = re.findall(r"^TAP_\w+_OMIT_\w+=\w+$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(lines) == 2
    (meltano.directory / ".env").write_text("\n".join(lines))
    for tap in ("tap-openai-audit", "tap-chatgpt-workspace"):
        meltano("run", tap, "target-jsonl")
    loaded = {
        file.stem: file.read_text("utf-8")
        for file in (meltano.directory / "output" / "sandbox").glob("*.jsonl")
    }
    assert {"audit_logs", "workspace_audit_logs", "sync_reports"} <= loaded.keys()
    assert len(loaded["audit_logs"].splitlines()) > 300
    assert [name for name, text in loaded.items() if ADDRESS.search(text)] == []


def test_no_stream_of_a_workspace_holds_an_address(tap: TapCommand) -> None:
    workspace = WorkspaceCommand(tap.sandbox, tap.folder)
    plain, outcome = workspace.run(), workspace.run(**OMITTED)
    assert outcome.code == plain.code == 0, outcome.log
    found = [m["record"] for m in outcome.messages if m["type"] == "RECORD"]
    assert any(with_address(r) for r in plain.records("workspace_audit_logs"))
    assert with_address(found) == []
    for stream in ("workspace_audit_logs", "workspace_auth_logs"):
        ids = [r["event_id"] for r in outcome.records(stream)]
        assert ids == [r["event_id"] for r in plain.records(stream)]
