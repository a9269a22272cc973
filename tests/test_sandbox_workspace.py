"""The sandbox keeps what is known of the Compliance Logs Platform's contract."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.process import SandboxError, SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.process import WorkspaceFile

EVENTS = 400
BEFORE_ALL = "2020-01-01T00:00:00Z"
PERIOD_SECONDS = 600  # what a file covers
HANGS_SECONDS = 60  # bounds a hang, and nothing else: no test is about speed
Json = dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(
        events=200, tenant_events=0, workspace_events=EVENTS
    ) as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    """The history, for tests that add nothing to it."""
    usual = running.control.behaviour()
    running.control.forget_requests()
    yield running
    running.control.behave(**usual)
    running.control.faults()


@pytest.fixture
def empty() -> Iterator[SandboxProcess]:
    """A workspace to which a test adds files."""
    with SandboxProcess(events=10, tenant_events=0) as process:
        yield process


def ask(
    sandbox: SandboxProcess, file_id: str = "", /, *, key: str | None = None, **how: Any
) -> requests.Response:
    """Ask the workspace's API for a listing, or for a file, without going further."""
    url = f"{sandbox.workspace_url}/compliance/workspaces/{sandbox.workspace_id}/logs"
    return requests.get(
        f"{url}/{file_id}".rstrip("/"),
        headers={"Authorization": f"Bearer {key or sandbox.workspace_key}"},
        timeout=HANGS_SECONDS,
        allow_redirects=False,
        **how,
    )


def page(
    sandbox: SandboxProcess,
    event_type: str | list[str] = "AUDIT_LOG",
    after: str = BEFORE_ALL,
    **params: Any,
) -> Json:
    params |= {"event_type": event_type, "after": after}
    response = ask(sandbox, params=params)
    response.raise_for_status()
    found: Json = response.json()
    return found


def ids(found: Json | list[WorkspaceFile]) -> list[str]:
    if isinstance(found, dict):
        return [entry["id"] for entry in found["data"]]
    return [file.id for file in found]


def signed_url(sandbox: SandboxProcess, file_id: str) -> str:
    response = ask(sandbox, file_id)
    assert response.status_code == 307
    return response.headers["location"]


def fetched(url: str, **how: Any) -> requests.Response:
    return requests.get(url, timeout=HANGS_SECONDS, **how)


def download(sandbox: SandboxProcess, file_id: str) -> bytes:
    response = fetched(signed_url(sandbox, file_id))
    response.raise_for_status()
    return response.content


def entry_of(sandbox: SandboxProcess, file: WorkspaceFile) -> Json:
    found = page(sandbox, file.type)["data"]
    return next(entry for entry in found if entry["id"] == file.id)


def matches(entry: Json, content: bytes) -> tuple[bool, bool]:
    """Whether content has the size and the checksum that were declared for it."""
    checksum = sha256(content).hexdigest()
    return entry["file_size"] == len(content), entry["file_sha256"] == checksum


def parsed(content: bytes) -> list[Json]:
    return [json.loads(line) for line in content.split(b"\n") if line.strip()]


def events_of(sandbox: SandboxProcess, event_type: str) -> list[Json]:
    return [
        event
        for entry in page(sandbox, event_type)["data"]
        for event in parsed(download(sandbox, entry["id"]))
    ]


# Listing


def test_a_listing_has_the_documented_fields(sandbox: SandboxProcess) -> None:
    found = page(sandbox)
    assert set(found) == {"data", "has_more", "last_end_time"}
    assert {name for entry in found["data"] for name in entry} == {
        "id", "event_type", "end_time", "file_name", "file_size", "file_sha256",
    }  # fmt: skip


@pytest.mark.parametrize("event_type", ["AUDIT_LOG", "AUTH_LOG"])
def test_pages_list_every_file_of_a_type_in_order(
    sandbox: SandboxProcess, event_type: str
) -> None:
    listed, ends, after, more = [], [], BEFORE_ALL, True
    while more:
        found = page(sandbox, event_type, after, limit=4)
        listed += ids(found)
        ends += [datetime.fromisoformat(e["end_time"][:19]) for e in found["data"]]
        assert found["last_end_time"] == found["data"][-1]["end_time"]
        after, more = found["last_end_time"], found["has_more"]
    assert listed == ids(sandbox.control.workspace_files(event_type))
    assert ends == sorted(ends)
    assert len(listed) > 8


def test_types_are_repeated_or_separated_by_commas(sandbox: SandboxProcess) -> None:
    both = ids(page(sandbox, ["AUDIT_LOG", "AUTH_LOG"]))
    assert both == ids(page(sandbox, "AUDIT_LOG,AUTH_LOG"))
    assert set(both) == set(ids(page(sandbox))) | set(ids(page(sandbox, "AUTH_LOG")))


def test_both_ends_of_a_listing_are_exclusive(sandbox: SandboxProcess) -> None:
    files = sandbox.control.workspace_files("AUDIT_LOG")
    found = page(sandbox, after=files[2].end_time, before=files[7].end_time)
    assert ids(found) == ids(files[3:7])


def test_an_empty_page_has_no_last_end_time(sandbox: SandboxProcess) -> None:
    found = page(sandbox, after="2999-01-01T00:00:00Z")
    assert found == {"data": [], "has_more": False, "last_end_time": None}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"event_type": None}, 400),
        ({"event_type": "AUDIT_LOG,SOMETHING"}, 400),
        ({"after": None}, 400),
        ({"after": "yesterday"}, 400),
        ({"after": "2026-01-01T00:00:00"}, 400),
        ({"before": "2026-13-01T00:00:00Z"}, 400),
        ({"limit": "many"}, 400),
        ({"limit": 0}, 400),
        ({"limit": 101}, 422),
    ],
)
def test_a_bad_parameter_is_refused_and_named(
    sandbox: SandboxProcess, change: Json, status: int
) -> None:
    usual = {"event_type": "AUDIT_LOG", "after": BEFORE_ALL, "limit": 100}
    assert ask(sandbox, params=usual).status_code == 200
    refused = ask(sandbox, params=usual | change)
    assert refused.status_code == status
    assert refused.json()["error"]["param"] == next(iter(change))


def test_a_group_that_shares_its_end_is_cut_by_a_page(empty: SandboxProcess) -> None:
    end = "2026-01-01T00:10:00.5Z"
    files = [empty.control.add_workspace_file(end_time=end) for _ in range(3)]
    empty.control.behave(workspace_page_size=2)
    first = page(empty)
    assert ids(first) == ids(files[:2])
    assert first["has_more"] is True
    assert first["last_end_time"] == end
    assert page(empty, after=end)["data"] == []


# Who may ask


def test_each_key_opens_only_its_own_api(sandbox: SandboxProcess) -> None:
    params = {"event_type": "AUDIT_LOG", "after": BEFORE_ALL}
    refused = ask(sandbox, key=sandbox.admin_key, params=params)
    assert refused.status_code == 401
    assert set(refused.json()["error"]) == {"message", "type", "param", "code"}
    headers = {"Authorization": f"Bearer {sandbox.workspace_key}"}
    url = f"{sandbox.url}/organization/audit_logs"
    assert fetched(url, headers=headers).status_code == 401
    keys = [request["key"] for request in sandbox.control.requests()["log"]]
    assert keys == ["admin", "workspace"]


def test_a_key_without_a_scope_is_told_which_one(sandbox: SandboxProcess) -> None:
    file = sandbox.control.workspace_files("AUTH_LOG")[0]
    sandbox.control.behave(workspace_missing_scope="AUTH_LOG")
    params = {"event_type": "AUTH_LOG", "after": BEFORE_ALL}
    for refused in (ask(sandbox, params=params), ask(sandbox, file.id)):
        assert refused.status_code == 403
        assert (
            "chatgpt.enterprise.compliance_logs_platform.auth_log.read"
            in refused.json()["error"]["message"]
        )
    assert page(sandbox, "AUDIT_LOG")["data"]


def test_the_key_cannot_read_conversations(sandbox: SandboxProcess) -> None:
    params = {"event_type": "CONVERSATION_MESSAGE", "after": BEFORE_ALL}
    assert ask(sandbox, params=params).status_code == 403


def test_a_workspace_is_unknown_until_it_has_a_file(empty: SandboxProcess) -> None:
    params = {"event_type": "AUDIT_LOG", "after": BEFORE_ALL}
    assert ask(empty, params=params).status_code == 404
    empty.control.add_workspace_file()
    assert ask(empty, params=params).status_code == 200
    empty.workspace_id = "00000000-0000-0000-0000-000000000000"
    assert ask(empty, params=params).status_code == 404


# Download


def test_a_file_is_what_its_entry_declares(sandbox: SandboxProcess) -> None:
    for file in sandbox.control.workspace_files()[:6]:
        content = download(sandbox, file.id)
        assert matches(entry_of(sandbox, file), content) == (True, True)
        events = parsed(content)
        assert [event["event_id"] for event in events] == file.events
        assert {event["type"] for event in events} == {file.type}


def test_a_download_is_redirected_to_another_host(sandbox: SandboxProcess) -> None:
    url = signed_url(sandbox, sandbox.control.workspace_files()[0].id)
    assert fetched(url).status_code == 200
    assert not url.startswith((sandbox.workspace_url[:-3], sandbox.url[:-3]))
    hosts = [request["host"] for request in sandbox.control.requests()["log"]]
    assert hosts == ["workspace", "files"]


def test_an_unknown_file_is_not_found(sandbox: SandboxProcess) -> None:
    assert ask(sandbox, "log_nothing").status_code == 404


def test_a_signed_url_opens_its_file_only(sandbox: SandboxProcess) -> None:
    mine, other = sandbox.control.workspace_files()[:2]
    url = signed_url(sandbox, mine.id)
    assert fetched(url.replace(mine.id, other.id)).status_code == 403
    assert fetched(re.sub("expires=1", "expires=2", url)).status_code == 403
    assert fetched(url.partition("?")[0]).status_code == 403


def test_a_signed_url_expires(sandbox: SandboxProcess) -> None:
    file = sandbox.control.workspace_files()[0]
    sandbox.control.behave(signed_url_seconds=3600.0)
    url = signed_url(sandbox, file.id)
    sandbox.control.behave(clock_skew_seconds=3000.0)
    assert fetched(url).status_code == 200
    sandbox.control.behave(clock_skew_seconds=4000.0)
    assert fetched(url).status_code == 403
    sandbox.control.behave(signed_url_seconds=0.0)
    assert fetched(signed_url(sandbox, file.id)).status_code == 403


@pytest.mark.parametrize("carried", ["header", "other header", "query"])
def test_a_key_that_comes_to_the_files_fails_the_test(carried: str) -> None:
    def leak() -> None:
        with SandboxProcess(events=10, tenant_events=0) as sandbox:
            url = signed_url(sandbox, sandbox.control.add_workspace_file().id)
            key = sandbox.workspace_key
            refused = {
                "header": lambda: fetched(url, headers={"Authorization": "Bearer x"}),
                "other header": lambda: fetched(url, headers={"X-Key": key}),
                "query": lambda: fetched(f"{url}&key={key}"),
            }[carried]()
            assert refused.status_code == 400
            told = sandbox.control.requests()
            assert told["leaks"] == 1
            assert key not in json.dumps(told)
            sandbox.control.forget_requests()

    with pytest.raises(SandboxError, match="a key came to the host of the files"):
        leak()


def test_faults_hit_both_hosts_of_the_workspace(sandbox: SandboxProcess) -> None:
    file = sandbox.control.workspace_files()[0]
    url = signed_url(sandbox, file.id)
    organization = f"{sandbox.url}/organization/users"
    headers = {"Authorization": f"Bearer {sandbox.admin_key}"}

    def statuses() -> list[int]:
        return [
            ask(sandbox, file.id).status_code,
            fetched(url).status_code,
            fetched(organization, headers=headers).status_code,
        ]

    fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}}
    sandbox.control.faults(fault | {"workspace": True})
    assert statuses() == [429, 429, 200]
    assert fetched(url).headers["retry-after"] == "7"
    sandbox.control.faults(fault | {"workspace": False})
    assert statuses() == [307, 200, 429]
    sandbox.control.faults(fault | {"path": "/files/"})
    assert statuses() == [307, 429, 200]
    sandbox.control.faults({"kind": "close_mid_body", "path": "/files/"})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        fetched(url)


# Events


def test_every_documented_action_occurs_with_its_fields(
    sandbox: SandboxProcess,
) -> None:
    events = events_of(sandbox, "AUDIT_LOG")
    principal = {"id": sandbox.workspace_id, "type": "CHATGPT_WORKSPACE"}
    assert len({event["action"] for event in events}) == 136
    assert {event["action_result"] for event in events} == {
        "SUCCESS", "BLOCKED", "ERROR",
    }  # fmt: skip
    assert all(isinstance(event["action_data"], dict) for event in events)
    assert all(event["action_privilege"] for event in events)
    assert all(event["principal"] == principal for event in events)
    of_keys = {e["action"] for e in events if e["actor"]["type"] == "API_KEY"}
    assert len(of_keys) == 69
    fractions = Counter("." in event["timestamp"] for event in events)
    assert min(fractions.values()) > 20


def test_sign_ins_have_their_action_in_the_data(sandbox: SandboxProcess) -> None:
    events = events_of(sandbox, "AUTH_LOG")
    assert {event["action_data"]["action"] for event in events} == {
        "login_success", "login_failed", "logout_success", "token_issued",
    }  # fmt: skip
    assert all("action" not in event for event in events)
    assert all(len(event["action_data"]) == 3 for event in events)


# What is wrong with files


def test_a_seed_decides_everything(sandbox: SandboxProcess) -> None:
    files = sandbox.control.workspace_files()
    for seed, same in ((7, True), (8, False)):
        with SandboxProcess(events=10, workspace_events=EVENTS, seed=seed) as other:
            assert (other.control.workspace_files() == files) == same
            if same:
                assert page(other) == page(sandbox)


def test_a_file_that_was_kept_back_is_listed_late(empty: SandboxProcess) -> None:
    late = empty.control.add_workspace_file(visible=False)
    newer = empty.control.add_workspace_file()
    assert ids(page(empty)) == [newer.id]
    assert ask(empty, late.id).status_code == 404
    assert ids(empty.control.show_workspace_files()) == [late.id]
    assert ids(page(empty)) == [late.id, newer.id]


@pytest.mark.parametrize(
    ("trap", "form"),
    [
        ("two_on_a_line", rb"(\{.*\}\{.*\}\n){2}"),
        ("blank_lines", rb"\n(\{.*\}\n \t\n){4}"),
        ("crlf", rb"(\{.*\}\r\n){4}"),
        ("no_last_newline", rb"(\{.*\}\n){3}\{.*\}"),
        ("unparsable_line", rb"(\{.*\}\n){2}\{[^}]*\n(\{.*\}\n){2}"),
    ],
)
def test_lines_can_have_another_form_and_the_checksum_matches(
    empty: SandboxProcess, trap: str, form: bytes
) -> None:
    file = empty.control.add_workspace_file(4, traps=[trap])
    content = download(empty, file.id)
    assert re.fullmatch(form, content)
    assert matches(entry_of(empty, file), content) == (True, True)
    assert file.traps == [trap]


@pytest.mark.parametrize("status", [404, 410])
def test_a_listed_file_can_have_expired(empty: SandboxProcess, status: int) -> None:
    file = empty.control.add_workspace_file(traps=[f"expired_{status}"])
    assert ids(page(empty)) == [file.id]
    assert ask(empty, file.id).status_code == status


def test_events_are_served_as_they_are_given(empty: SandboxProcess) -> None:
    raw = ['{"event_id":"a" ,"n":1.0e5}', '{"event_id": "b", broken', "nothing"]
    file = empty.control.add_workspace_file(raw, end_time="2026-01-01T00:10:00+00:00")
    assert download(empty, file.id) == "".join(f"{line}\n" for line in raw).encode()
    assert file.events[:2] == ["a", "b"]
    assert page(empty)["last_end_time"] == "2026-01-01T00:10:00+00:00"


# As time passes


def test_events_come_when_their_ten_minutes_are_over(empty: SandboxProcess) -> None:
    old = 1_760_000_000
    first = empty.control.add_workspace_events(2, at=old)
    second = empty.control.add_workspace_events(event_type="AUTH_LOG")
    assert not any(file.visible for file in empty.control.workspace_files())
    empty.control.behave(clock_skew_seconds=PERIOD_SECONDS)
    assert {event["event_id"] for event in events_of(empty, "AUDIT_LOG")} == {*first}
    assert [e["event_id"] for e in events_of(empty, "AUTH_LOG")] == second
    late = events_of(empty, "AUDIT_LOG")[0]["timestamp"]
    assert late.startswith("2025-10-09T08:53:20")


def test_a_collectors_requests_come_back_as_events(empty: SandboxProcess) -> None:
    file = empty.control.add_workspace_file()
    empty.control.behave(collector_events=True)
    assert ids(page(empty)) == [file.id]
    download(empty, file.id)
    empty.control.behave(collector_events=False, clock_skew_seconds=PERIOD_SECONDS)
    found = events_of(empty, "AUDIT_LOG")[1:]
    assert [event["action"] for event in found] == [
        "LIST_WORKSPACE_LOG_FILES", "DOWNLOAD_WORKSPACE_LOG_FILE",
    ]  # fmt: skip
    assert found[1]["action_data"]["log_file_id"] == file.id
    assert {event["actor"]["type"] for event in found} == {"API_KEY"}
