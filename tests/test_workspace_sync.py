"""A workspace's logs through the real command: each event once, whatever happens."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from hashlib import md5
from typing import TYPE_CHECKING, Any

import pytest
from tap_command import TapCommand, WorkspaceCommand, repeated

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_command import Outcome

    from sandbox.process import WorkspaceFile

AUDIT, AUTH = "workspace_audit_logs", "workspace_auth_logs"
STREAMS = {"AUDIT_LOG": AUDIT, "AUTH_LOG": AUTH}
FILES = "workspace_log_files"


SETTINGS = {"max_retry_seconds": 2}


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[TapCommand]:
    """Some 1,000 events of two hours, in two dozen files."""
    with SandboxProcess(
        events=60, tenant_events=0, start="2d", end="now", workspace_events=1_000
    ) as sandbox:
        yield WorkspaceCommand(sandbox, tmp_path, SETTINGS)
        assert sandbox.control.requests()["leaks"] == 0


def truth(tap: TapCommand, event_type: str | None = None) -> set[str]:
    """The ids of all events in files that are listed."""
    return {
        id_
        for file in tap.sandbox.control.workspace_files(event_type)
        if file.visible
        for id_ in file.events
    }


def ids(*outcomes: Outcome, stream: str | None = None) -> list[str]:
    return [
        record["event_id"]
        for outcome in outcomes
        for name in (AUDIT, AUTH)
        if stream in (None, name)
        for record in outcome.records(name)
    ]


def rows(*outcomes: Outcome) -> dict[str, dict[str, Any]]:
    """The rows of the ledger, as a target with its primary key keeps them."""
    return {
        row["file_id"]: row for outcome in outcomes for row in outcome.records(FILES)
    }


def reports(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {row["scope"]: row for row in outcome.records("sync_reports")}


def assert_proven(tap: TapCommand, *outcomes: Outcome) -> None:
    """What each row of the ledger says is what was written of its file."""
    written: dict[str, set[str]] = {}
    for outcome in outcomes:
        for stream in (AUDIT, AUTH):
            for record in outcome.records(stream):
                written.setdefault(record["file_id"], set()).add(record["event_id"])
    found = rows(*outcomes)
    files = {file.id: file for file in tap.sandbox.control.workspace_files()}
    assert found.keys() == {file.id for file in files.values() if file.visible}
    for id_, row in found.items():
        own = written.get(id_, set())
        assert row["events_emitted"] == len(own)
        assert row["ids_checksum"] == sum(
            int(md5(e.encode(), usedforsecurity=False).hexdigest()[:8], 16) for e in own
        )


def file_with(tap: TapCommand, trap: str, **more: Any) -> WorkspaceFile:
    return tap.sandbox.control.add_workspace_file(20, traps=[trap], **more)


# What is read


def test_every_event_is_emitted_once_and_proven(tap: TapCommand) -> None:
    first = tap.run()
    assert (first.code, first.warnings) == (0, [])
    for event_type, stream in STREAMS.items():
        found = ids(first, stream=stream)
        assert set(found) == truth(tap, event_type)
        assert not repeated(found)
        ends = [record["file_end_time"] for record in first.records(stream)]
        assert ends == sorted(ends)
    assert_proven(tap, first)
    assert {row["reason"] for row in rows(first).values()} == {None}
    assert all(row["checksum_matches"] for row in rows(first).values())
    for scope, report in reports(first).items():
        assert report["complete"], scope
        assert report["workspace_id"] == tap.sandbox.workspace_id
        assert report["organization_id"] is None


def test_a_run_with_nothing_new_makes_one_request_for_each_type(
    tap: TapCommand,
) -> None:
    first = tap.run()
    tap.sandbox.control.forget_requests()
    second = tap.run(state=first.state)
    assert second.code == 0
    assert ids(second) == []
    assert rows(second) == {}
    assert [r["host"] for r in tap.sandbox.control.requests()["log"]] == [
        "workspace",
        "workspace",
    ]
    chains = [reports(outcome)["workspace_audit"] for outcome in (first, second)]
    assert chains[0]["chain_id"] == chains[1]["chain_id"]
    assert chains[1]["previous_run_id"] == chains[0]["run_id"]


def test_a_feed_that_is_empty_continues_its_chain(tap: TapCommand) -> None:
    none: dict[str, Any] = {"end_date": "2023-06-01T00:00:00Z"}
    state: Any = None
    chains, runs, previous = [], [], []
    for settings in (none, none, {}):
        outcome = tap.run(state=state, **settings)
        assert outcome.code == 0
        state = outcome.state
        found = reports(outcome)["workspace_auth"]
        assert found["complete"]
        assert found["bookmark"] is None or settings == {}
        chains.append(found["chain_id"])
        runs.append(found["run_id"])
        previous.append(found["previous_run_id"])
    assert None not in chains
    assert len(set(chains)) == 1
    assert previous == [None, *runs[:2]]
    # What it held meanwhile is read as by a first run.
    assert set(ids(outcome)) == truth(tap)
    assert_proven(tap, outcome)


def test_a_feed_that_was_refused_has_no_chain(tap: TapCommand) -> None:
    tap.sandbox.control.behave(workspace_missing_scope="AUTH_LOG")
    state = tap.run(end_date="2023-06-01T00:00:00Z").state
    assert state is not None
    assert not state["bookmarks"].get(AUTH)
    assert state["bookmarks"][AUDIT]["chain_id"]


def test_a_file_that_comes_later_is_all_that_the_next_run_brings(
    tap: TapCommand,
) -> None:
    first = tap.run()
    file = tap.sandbox.control.add_workspace_file(5)
    late = tap.sandbox.control.add_workspace_file(
        5,
        event_type="AUTH_LOG",
        end_time=rows(first)[next(iter(rows(first)))]["file_end_time"],
    )
    second = tap.run(state=first.state)
    assert Counter(ids(second)) == Counter([*file.events, *late.events])
    assert reports(second)["workspace_auth"]["events_late"] == 5
    assert_proven(tap, first, second)


def test_the_command_asks_the_api_of_the_workspace_alone_with_its_own_key(
    tap: TapCommand,
) -> None:
    assert tap.run().code == 0
    keys = {(r["host"], r["key"]) for r in tap.sandbox.control.requests()["log"]}
    assert keys == {("workspace", "workspace"), ("files", None)}


def test_the_reports_come_behind_what_they_report(tap: TapCommand) -> None:
    names = [m["stream"] for m in tap.run().messages if m["type"] == "SCHEMA"]
    assert names.index(AUDIT) < names.index(AUTH) < names.index("sync_reports")


def test_the_state_of_the_other_tap_is_refused(tap: TapCommand, tmp_path: Path) -> None:
    of_the_organization = TapCommand(tap.sandbox, tmp_path)
    for one, other in ((tap, of_the_organization), (of_the_organization, tap)):
        outcome = other.run(state=one.run().state)
        assert outcome.code == 1
        assert "that this tap lacks" in outcome.last_line
        assert outcome.messages == []


def test_a_record_is_the_event_to_the_last_digit(tap: TapCommand) -> None:
    number = "12345678901234567890.000000000000000000010"
    event = (
        '{"event_id":"one","type":"AUTH_LOG","timestamp":"2026-11-23T08:10:00.1234567Z",'
        f'"principal":{{"id":"{tap.sandbox.workspace_id}","type":"CHATGPT_WORKSPACE"}},'
        '"actor":null,"request_metadata":{"asn":""},"action_data":{"action":'
        f'"login_failed","n":{number}}},"new":{{"n":{number}}}}}'
    )
    tap.sandbox.control.add_workspace_file([event], event_type="AUTH_LOG")
    outcome = tap.run()
    (line,) = [x for x in outcome.out.splitlines() if '"event_id":"one"' in x]
    assert line.count(number) == 2
    record = json.loads(line)["record"]
    assert record["action"] == "login_failed"
    assert record["timestamp"] == "2026-11-23T08:10:00.123456+00:00"
    assert record["extra"].keys() == {"timestamp", "new"}
    assert record["action_data"]["action"] == "login_failed"


# What is wrong with files


@pytest.mark.parametrize(
    "trap", ["two_on_a_line", "blank_lines", "crlf", "no_last_newline", "hostile"]
)
def test_a_file_of_an_unusual_form_is_read_in_full(tap: TapCommand, trap: str) -> None:
    file_with(tap, trap)
    outcome = tap.run()
    assert outcome.code == 0
    assert set(ids(outcome)) == truth(tap)
    assert_proven(tap, outcome)


def test_an_event_that_stands_in_two_files_is_emitted_once(tap: TapCommand) -> None:
    end = "2026-01-02T08:10:0{}Z"
    tap.sandbox.control.add_workspace_file(20, end_time=end.format(0))
    first = tap.run(end_date="2026-01-03")
    file = file_with(tap, "duplicates", end_time=end.format(1))
    second = tap.run(state=first.state)
    row = rows(second)[file.id]
    assert row["events_known"] == len(file.events) - 20 > 0
    assert not repeated(ids(first, second))
    assert set(ids(first, second)) == truth(tap)


def test_what_is_declared_wrongly_is_emitted_with_a_warning(tap: TapCommand) -> None:
    file = file_with(tap, "wrong_checksum")
    sized = file_with(tap, "wrong_size", event_type="AUTH_LOG")
    outcome = tap.run()
    assert outcome.code == 0
    assert set(ids(outcome)) == truth(tap)
    assert rows(outcome)[file.id]["checksum_matches"] is False
    assert rows(outcome)[sized.id]["checksum_matches"] is True
    # The checksum decides, whatever the size.
    (warning,) = (w for w in outcome.warnings if "not as the API declares" in w)
    assert file.id in warning


@pytest.mark.parametrize("trap", ["cut", "differs"])
def test_a_transfer_that_is_cut_ends_the_feed_before_the_file(
    tap: TapCommand, trap: str
) -> None:
    file = file_with(tap, trap)
    behind = tap.sandbox.control.add_workspace_file(3)
    outcome = tap.run()
    assert outcome.code == 1
    assert f"{AUDIT}: The file {file.id}" in outcome.last_line
    assert not {*file.events, *behind.events} & set(ids(outcome))
    assert set(ids(outcome, stream=AUTH)) == truth(tap, "AUTH_LOG")
    assert not reports(outcome)["workspace_audit"]["complete"]
    assert not outcome.unconfirmed


def test_what_cannot_be_read_is_told_once_and_the_feed_goes_on(
    tap: TapCommand,
) -> None:
    broken = file_with(tap, "unparsable_line")
    gone = file_with(tap, "expired_404")
    behind = tap.sandbox.control.add_workspace_file(3)
    first = tap.run()
    assert first.code == 1
    assert broken.id in first.last_line
    assert "2 files could not be read in full" in first.last_line
    assert set(broken.events) & set(ids(first))
    assert set(behind.events) <= set(ids(first))
    assert "line" in rows(first)[broken.id]["reason"]
    assert "gone" in rows(first)[gone.id]["reason"]
    second = tap.run(state=first.state)
    assert second.code == 0
    assert ids(second) == []


def test_links_that_have_expired_are_asked_for_again(tap: TapCommand) -> None:
    tap.sandbox.control.behave(signed_url_seconds=-1)
    failed = tap.run(max_retry_seconds=0)
    assert failed.code == 1
    assert "the host that keeps the API's files did not hand one out" in failed.log
    assert "sig" not in failed.log.replace("signed", "").replace("sign", "")
    tap.sandbox.control.behave(signed_url_seconds=60)
    assert set(ids(tap.run(state=failed.state))) == truth(tap)


@pytest.mark.parametrize(
    "behaviour",
    [
        {"workspace_page_size": 1},
        {"workspace_after": "at_or_later", "workspace_page_size": 5},
        {"workspace_last_end_time": "absent", "workspace_page_size": 3},
    ],
)
def test_pages_of_any_size_lead_to_every_file_or_to_an_error(
    tap: TapCommand, behaviour: dict[str, Any]
) -> None:
    tap.sandbox.control.behave(**behaviour)
    outcome = tap.run()
    if behaviour["workspace_page_size"] == 1:
        # Nobody can tell whether the next file shares its time.
        assert outcome.code == 1
        assert "no file of an earlier time than its last" in outcome.log
    else:
        assert outcome.code == 0
        assert set(ids(outcome)) == truth(tap)


def test_a_listing_that_ignores_where_to_continue_ends_the_run(
    tap: TapCommand,
) -> None:
    tap.sandbox.control.behave(workspace_after="ignored", workspace_page_size=5)
    outcome = tap.run()
    assert outcome.code == 1
    assert "broke a rule of its own paging" in outcome.last_line


def test_files_that_share_an_end_are_all_read(tmp_path: Path) -> None:
    with SandboxProcess(
        events=1,
        tenant_events=0,
        workspace_events=600,
        workspace_traps="shared_end_times,duplicates,late_events",
    ) as sandbox:
        sandbox.control.behave(workspace_page_size=4)
        tap = WorkspaceCommand(sandbox, tmp_path, SETTINGS)
        outcome = tap.run()
        assert outcome.code == 0
        assert set(ids(outcome)) == truth(tap)
        assert not repeated(ids(outcome))
        assert_proven(tap, outcome)


# Where a run ends


def test_a_run_that_is_killed_anywhere_loses_and_repeats_nothing_confirmed(
    tap: TapCommand,
) -> None:
    tap.sandbox.control.add_workspace_file(3_000)
    state: Any = None
    runs: list[Outcome] = []
    unconfirmed: list[str] = []
    for lines in (40, 1_200, 1_900):
        with tap.started(state=state) as running:
            running.read(lines)
            running.process.kill()
            outcome = running.ended()
        runs.append(outcome)
        state = outcome.state or state
        unconfirmed += events_without_state(outcome)
    last = tap.run(state=state)
    assert last.code == 0
    found = ids(*runs, last)
    assert set(found) == truth(tap)
    assert repeated(found) <= set(unconfirmed)
    assert max(len(events_without_state(run)) for run in runs) <= 1_000


def events_without_state(outcome: Outcome) -> list[str]:
    """Ids of records that no state follows."""
    found: list[str] = []
    for message in outcome.messages:
        if message["type"] == "STATE":
            found = []
        elif message["type"] == "RECORD" and message["stream"] in (AUDIT, AUTH):
            found.append(message["record"]["event_id"])
    return found


def test_a_signal_ends_the_run_with_a_state_behind_what_was_emitted(
    tap: TapCommand,
) -> None:
    tap.sandbox.control.add_workspace_file(20_000)
    with tap.started() as running:
        running.read(1_500)
        running.process.send_signal(signal.SIGTERM)
        ended = running.ended()
    assert ended.code == 143
    assert events_without_state(ended) == []
    second = tap.run(state=ended.state)
    found = ids(ended, second)
    assert set(found) == truth(tap)
    assert not repeated(found)
    assert_proven(tap, ended, second)
    assert reports(ended)["workspace_audit"]["reason"] == "ended by SIGTERM"


def test_rows_that_a_target_lost_are_written_again_without_their_events(
    tap: TapCommand,
) -> None:
    first = tap.run()
    assert first.state is not None
    del first.state["bookmarks"][FILES]
    second = tap.run(state=first.state)
    assert ids(second) == []
    kept = {id_: {**row, "run_id": None} for id_, row in rows(first).items()}
    again = {id_: {**row, "run_id": None} for id_, row in rows(second).items()}
    assert again == kept
    third = tap.run(state=second.state)
    assert rows(third) == {}


# What is refused


@pytest.mark.parametrize(
    ("changes", "behaviour", "says"),
    [
        ({"key": "wrong"}, {}, "check the setting key"),
        ({"key": "sk-admin-x"}, {}, "looks like one of the API platform"),
        (
            {"workspace_id": "00000000-0000-0000-0000-000000000000"},
            {},
            "check workspace_id",
        ),
        ({}, {"workspace_missing_scope": "both"}, "audit_log.read and chatgpt"),
    ],
)
def test_what_is_refused_is_named_with_what_to_do(
    tap: TapCommand, changes: dict[str, Any], behaviour: dict[str, Any], says: str
) -> None:
    tap.sandbox.control.behave(**behaviour)
    outcome = tap.run(**changes)
    assert outcome.code == 1
    assert {line.split("| ")[-1].split(":")[0] for line in outcome.errors} == {
        AUDIT,
        AUTH,
    }
    assert all(says in line for line in outcome.errors)
    assert outcome.state is not None
    assert not any(outcome.state["bookmarks"].values())
    # Such a state is none, and is taken.
    tap.sandbox.control.behave(workspace_missing_scope="none")
    assert set(ids(tap.run(state=outcome.state))) == truth(tap)


def test_a_type_that_is_refused_does_not_hold_up_the_other(tap: TapCommand) -> None:
    tap.sandbox.control.behave(workspace_missing_scope="AUDIT_LOG")
    first = tap.run()
    assert first.code == 1
    assert set(ids(first)) == truth(tap, "AUTH_LOG")
    tap.sandbox.control.behave(workspace_missing_scope="none")
    second = tap.run(state=first.state)
    assert second.code == 0
    assert set(ids(second)) == truth(tap, "AUDIT_LOG")


def test_the_state_of_another_workspace_is_refused(tap: TapCommand) -> None:
    state = tap.run().state
    assert state is not None
    for name in (AUDIT, AUTH):
        state["bookmarks"][name]["workspace_id"] = (
            "00000000-0000-0000-0000-000000000000"
        )
    outcome = tap.run(state=state)
    assert outcome.code == 1
    assert all("give each workspace a state of its own" in x for x in outcome.errors)
    assert ids(outcome) == []


@pytest.mark.parametrize("stream", [AUDIT, FILES])
def test_a_state_that_is_not_understood_is_refused(
    tap: TapCommand, stream: str
) -> None:
    state = tap.run().state
    assert state is not None
    state["bookmarks"][stream]["new"] = 1
    outcome = tap.run(state=state)
    assert outcome.code == 1
    assert "it has new, which is not known" in outcome.last_line
    assert outcome.messages == []


def test_a_state_is_texts_and_numbers_alone(tap: TapCommand) -> None:
    state = tap.run().state
    assert state is not None
    for name in (AUDIT, AUTH, FILES):
        for value in state["bookmarks"][name].values():
            listed = value if isinstance(value, list) else [value]
            assert all(x is None or isinstance(x, str | int) for x in listed)
    assert not re.search(r"@|sk-", json.dumps(state))


# Features of the SDK


def test_a_stream_map_changes_records_and_counts_what_it_leaves_out(
    tap: TapCommand,
) -> None:
    maps = {AUTH: {"__filter__": "action == 'login_success'"}}
    outcome = tap.run(stream_maps=maps)
    assert outcome.code == 0
    assert {r["action"] for r in outcome.records(AUTH)} == {"login_success"}
    left_out = sum(row["events_filtered"] for row in rows(outcome).values())
    assert left_out == len(truth(tap)) - len(ids(outcome)) > 0
    assert_proven(tap, outcome)


def test_a_test_run_reads_one_event_of_each_type(tap: TapCommand) -> None:
    outcome = tap.run("--test")
    assert outcome.code == 0
    assert len(ids(outcome)) == 2
