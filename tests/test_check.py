"""`--check` tells what keeps a sync from working, in the words of the sync."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
from local_server import OK, LocalServer, closed_port, response, self_signed
from tap_command import DEADLINE, Outcome, TapCommand, WorkspaceCommand, environment

from sandbox.process import SandboxProcess
from tap_openai_audit.audit_logs.event_types import ORGANIZATION
from tap_openai_audit.check import time_limit
from tap_openai_audit.check.conclusions import (
    Evidence,
    Made,
    about_age,
    about_clock,
    about_logging,
)
from tap_openai_audit.check.event_times import SECONDS_END, what_is_wrong
from tap_openai_audit.check.findings import Finding, Status
from tap_openai_audit.check.probes import Probes
from tap_openai_audit.errors import RequestFailed
from tap_openai_audit.http.causes import LOGGING_PAGE, MEANING, Api, Cause, meaning
from tap_openai_audit.settings import Settings
from tap_openai_audit.singer.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-admin-Wq7Zr2Lt9Xv4"
CHECKS = [
    "settings", "connection", "key", "logging", "tenant_events", "newest_event",
    "filters", "clock", "state",
]  # fmt: skip
CHECKS_OF_A_WORKSPACE = [
    "settings", "workspace_audit_logs", "workspace_auth_logs", "workspace_files",
    "state",
]  # fmt: skip
NOW = 1_790_000_000
HOUR, DAY = 3600, 86_400
AUDIT_LOGS = "/v1/organization/audit_logs"
PROJECTS = "/v1/organization/projects"
ADMIN_KEYS = "/v1/organization/admin_api_keys"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    options = {"events": 300, "tenant_events": 20, "start": "30d", "end": "now"}
    # A check compares the API's clock with this machine's.
    with SandboxProcess(admin_key=KEY, clock="machine", **options) as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    """An organization with a log of the last 30 days, as it was made."""
    usual = running.control.behaviour()
    yield running
    running.control.behave(**usual)
    running.control.faults()
    running.control.forget_requests()


@pytest.fixture(scope="module")
def quiet() -> Iterator[SandboxProcess]:
    """An organization in which nothing was made for long, and nothing happened."""
    options = {"events": 0, "tenant_events": 0, "start": "60d", "end": "now"}
    with SandboxProcess(admin_key=KEY, clock="machine", **options) as process:
        yield process


@dataclass(frozen=True)
class Checked:
    """What a check with `--check=json` said."""

    outcome: Outcome

    @cached_property
    def said(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.outcome.out)
        return said

    def __getitem__(self, name: str) -> dict[str, Any]:
        (found,) = [check for check in self.said["checks"] if check["name"] == name]
        return dict(found)

    @property
    def statuses(self) -> dict[str, str]:
        return {check["name"]: check["status"] for check in self.said["checks"]}


@pytest.fixture
def command(sandbox: SandboxProcess, tmp_path: Path) -> TapCommand:
    return TapCommand(sandbox, tmp_path, {"max_retry_seconds": 0})


def checked(
    command: TapCommand, env: dict[str, str] | None = None, **settings: Any
) -> Checked:
    found = Checked(command.run("--check=json", env=env, **settings))
    of_workspace = isinstance(command, WorkspaceCommand)
    names = [check["name"] for check in found.said["checks"]]
    assert names == (CHECKS_OF_A_WORKSPACE if of_workspace else CHECKS)
    assert found.said["works"] is (found.outcome.code == 0)
    assert all("\n" not in check["text"] for check in found.said["checks"])
    for part in (KEY, KEY[-6:], KEY[9:15]):
        assert part not in found.outcome.out + found.outcome.log
    return found


# What a person sees


def test_a_check_that_finds_nothing_wrong_says_so(command: TapCommand) -> None:
    command.sandbox.control.add_events()
    outcome = command.run("--check")
    assert outcome.code == 0
    *lines, verdict = outcome.out.splitlines()
    assert verdict == "A sync would work."
    assert [line.split()[1] for line in lines] == CHECKS
    assert {line.split()[0] for line in lines} == {"ok", "skipped"}
    assert "Audit logging is on (certain)" in outcome.out
    assert "They are available" in outcome.out
    assert KEY not in outcome.out + outcome.log


def test_a_check_that_finds_something_wrong_ends_with_it(command: TapCommand) -> None:
    command.sandbox.control.behave(wrong_key=True)
    outcome = command.run("--check")
    assert outcome.code == 1
    *lines, verdict = outcome.out.splitlines()
    (failed,) = [line for line in lines if line.startswith("failed")]
    assert verdict.startswith("A sync would fail: HTTP 401 (Incorrect API key provided")
    assert verdict.endswith(MEANING[Cause.WRONG_KEY])
    assert failed.split(maxsplit=2)[2] in verdict
    assert KEY[-6:] not in outcome.out + outcome.log


def test_a_check_makes_few_requests(command: TapCommand) -> None:
    checked(command, event_types=["user.added"])
    assert command.sandbox.control.requests()["count"] <= 6


# The key


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ({"wrong_key": True}, Cause.WRONG_KEY),
        ({"key_expired": True}, Cause.EXPIRED_KEY),
        ({"missing_scope": True, "missing_scope_status": 401}, Cause.MISSING_SCOPE),
        ({"missing_scope": True, "missing_scope_status": 403}, Cause.MISSING_SCOPE),
        ({"wrong_organization": True}, Cause.WRONG_ORGANIZATION),
    ],
    ids=["wrong", "expired", "without scope, 401", "without scope, 403", "of another"],
)
def test_a_key_that_is_refused_is_told(
    command: TapCommand, behaviour: dict[str, Any], cause: Cause
) -> None:
    command.sandbox.control.behave(**behaviour)
    found = checked(command)
    assert found.outcome.code == 1
    assert found["connection"]["status"] == "ok"
    assert (found["key"]["status"], found["key"]["cause"]) == ("failed", cause.value)
    assert found["logging"]["status"] == "skipped"
    assert found.said["verdict"] == f"A sync would fail: {found['key']['text']}"
    assert ", request id req_" in found["key"]["text"]
    assert found["key"]["text"].endswith(f": {MEANING[cause]}")


def test_a_sync_that_is_refused_ends_with_the_same_words(command: TapCommand) -> None:
    command.sandbox.control.behave(missing_scope=True)
    before, after = checked(command)["key"]["text"].split(", request id ")
    sync = command.run()
    assert sync.code == 1
    assert before in sync.last_line
    assert sync.last_line.endswith(after.partition(": ")[2])


def test_an_organization_that_is_not_the_keys_is_told(command: TapCommand) -> None:
    found = checked(command, organization_id="org-other")
    assert found["key"]["cause"] == "wrong_organization"


def test_a_project_key_is_told_before_any_request(command: TapCommand) -> None:
    found = checked(command, admin_key="sk-proj-abc")
    assert found.outcome.code == 1
    assert found["settings"]["status"] == "failed"
    assert "admin_key is a project key" in found["settings"]["text"]
    assert command.sandbox.control.requests()["count"] == 0


def test_all_problems_of_the_settings_are_told_at_once(command: TapCommand) -> None:
    found = checked(command, organization_id="", admin_key="", concurrency=0)
    told = found["settings"]["problems"]
    assert [problem.split()[0] for problem in told] == [
        "organization_id", "admin_key", "concurrency",
    ]  # fmt: skip
    assert {name for name, s in found.statuses.items() if s == "skipped"} == {
        *CHECKS[1:]
    }


# The connection


def assert_not_connected(found: Checked, cause: Cause) -> None:
    assert found.outcome.code == 1
    assert found["connection"]["status"] == "failed"
    assert found["connection"]["cause"] == cause.value
    assert found["connection"]["text"].endswith(MEANING[cause])
    assert found["key"]["status"] == "skipped"


def test_an_unknown_host_is_told(command: TapCommand) -> None:
    direct = {"HTTPS_PROXY": "", "ALL_PROXY": ""}
    found = checked(command, direct, api_url="https://nonexistent.invalid/v1")
    assert_not_connected(found, Cause.UNKNOWN_HOST)
    assert "nonexistent.invalid" in found["connection"]["text"]


def test_a_proxy_that_is_down_is_told(command: TapCommand) -> None:
    with closed_port() as port:
        env = {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "NO_PROXY": ""}
        found = checked(command, env, api_url="https://api.example.com/v1")
    assert_not_connected(found, Cause.PROXY)


def test_a_certificate_that_cannot_be_verified_is_told(
    command: TapCommand, tmp_path: Path
) -> None:
    _, tls = self_signed(tmp_path)
    with LocalServer(OK, tls=tls) as server:
        found = checked(command, {"NO_PROXY": "127.0.0.1"}, api_url=f"{server.url}/v1")
    assert_not_connected(found, Cause.TLS)
    assert not server.requests


def test_a_closed_port_is_told(command: TapCommand) -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}/v1"
        assert_not_connected(checked(command, api_url=url), Cause.UNREACHABLE)


def test_a_captive_portal_is_told(command: TapCommand) -> None:
    with LocalServer(response(302, "Location: http://portal.example.com/")) as portal:
        found = checked(command, api_url=f"{portal.url}/v1")
    assert_not_connected(found, Cause.REDIRECT)
    assert "portal.example.com" in found["connection"]["text"]


def test_a_fault_that_may_pass_is_told_with_how_long_a_sync_tries(
    command: TapCommand,
) -> None:
    command.sandbox.control.faults(
        {"kind": "status", "status": 503, "headers": {"Retry-After": "60"}}
    )
    found = checked(command, max_retry_seconds=600)
    assert found["connection"]["cause"] == "server_error"
    assert "the API asks to wait 60 s" in found["connection"]["text"]
    end = "; a check tries for 10 s, a sync for 600 s"
    assert found["connection"]["text"].endswith(MEANING[Cause.SERVER_ERROR] + end)


def test_an_api_that_hangs_does_not_hold_a_check(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limit, "_SECONDS", 1)
    monkeypatch.setattr(time_limit, "_REQUEST_SECONDS", 1)
    # An answer that comes after all would be none of the check's errors.
    sandbox.control.faults({"kind": "hang", "seconds": 60})
    config = {
        "organization_id": sandbox.organization_id,
        "admin_key": KEY,
        "api_url": sandbox.url,
        "lookback_seconds": 3600,
        "tenant_events": True,
        "concurrency": 8,
        "request_timeout_seconds": 60,
        "max_retry_seconds": 600,
        "user_agent": "test",
    }
    signals = Signals()
    with (
        time_limit.TimeLimit(signals) as limit,
        pytest.raises(RequestFailed) as caught,
    ):
        Probes(
            Settings.of(config),
            limit,
            signals=signals,
            logger=logging.getLogger(__name__),
        ).page(ORGANIZATION)
    text = f"No answer within the 1 s of the check: {MEANING[Cause.TIMEOUT]}"
    assert str(caught.value) == text


def test_a_check_ends_when_it_is_told_to(command: TapCommand) -> None:
    control = command.sandbox.control
    control.faults({"kind": "status", "status": 503})
    with subprocess.Popen(
        command.arguments("--check", max_retry_seconds=600),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(None),
    ) as process:
        deadline = time.monotonic() + DEADLINE
        while not control.requests()["count"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (128 + signal.SIGTERM, b"")


# The log


def test_a_log_that_misses_what_was_made_is_told_as_likely_off(
    command: TapCommand,
) -> None:
    command.sandbox.control.behave(logging_off=True)
    found = checked(command)
    assert found.outcome.code == 1
    log = found["logging"]
    assert (log["status"], log["state"], log["certainty"]) == (
        "failed",
        "off",
        "likely",
    )
    assert LOGGING_PAGE in log["text"]
    assert found.said["verdict"] == f"A sync would bring nothing: {log['text']}"
    assert found["key"]["status"] == "ok"
    assert found["newest_event"]["status"] == "skipped"


def test_an_api_that_says_that_logging_is_off_is_believed(command: TapCommand) -> None:
    body = b'{"error": {"message": "Audit logging is not enabled."}}'
    with LocalServer(response(403, body=body)) as server:
        found = checked(command, api_url=f"{server.url}/v1")
    log = found["logging"]
    assert (log["state"], log["certainty"]) == ("off", "certain")
    assert found.said["verdict"] == f"A sync would fail: {log['text']}"
    assert log["text"].endswith(MEANING[Cause.LOGGING_OFF])


def test_a_log_of_a_quiet_organization_is_told_as_empty(
    quiet: SandboxProcess, tmp_path: Path
) -> None:
    found = checked(TapCommand(quiet, tmp_path))
    log = found["logging"]
    assert (log["status"], log["state"]) == ("warning", "empty")
    assert log["certainty"] == "unknown"
    assert "no admin key or project was made in the last 30 days" in log["text"]
    assert (found.outcome.code, found.said["verdict"]) == (0, "A sync would work.")


def test_a_key_that_may_list_nothing_else_makes_the_verdict_unsure(
    command: TapCommand,
) -> None:
    control = command.sandbox.control
    control.behave(logging_off=True)
    control.faults(
        {"kind": "status", "status": 403, "path": PROJECTS},
        {"kind": "status", "status": 403, "path": ADMIN_KEYS},
    )
    found = checked(command)
    log = found["logging"]
    assert (log["state"], log["certainty"]) == ("empty", "unknown")
    assert "/organization/projects: HTTP 403" in log["text"]
    assert "/organization/admin_api_keys: HTTP 403" in log["text"]
    assert found.outcome.code == 0


@pytest.mark.parametrize(
    ("tenant", "status", "text"),
    [
        ("available", "ok", "They are available"),
        ("empty", "ok", "There are none so far"),
        ("refused", "warning", MEANING[Cause.BAD_REQUEST]),
    ],
)
def test_tenant_events_are_available_or_not_and_a_sync_works(
    command: TapCommand, tenant: str, status: str, text: str
) -> None:
    command.sandbox.control.behave(tenant=tenant)
    found = checked(command)
    assert found["tenant_events"]["status"] == status
    assert text in found["tenant_events"]["text"]
    assert found["tenant_events"]["available"] is (tenant != "refused")
    assert found.outcome.code == 0


def test_filters_that_match_nothing_are_told_and_hide_nothing(
    command: TapCommand,
) -> None:
    found = checked(command, actor_emails=["nobody@example.com"])
    assert found["filters"]["status"] == "warning"
    assert found["filters"]["text"].startswith("No event matches actor_emails: ")
    assert found["logging"]["state"] == "on"
    assert found["newest_event"]["status"] == "ok"
    assert found.outcome.code == 0


def test_filters_that_match_events_are_told(command: TapCommand) -> None:
    found = checked(command, start_date="2020-01-01T00:00:00Z")
    assert found["filters"]["text"] == "start_date match events"


def test_a_filter_that_the_api_refuses_fails_as_in_a_sync(command: TapCommand) -> None:
    command.sandbox.control.faults(
        {
            "kind": "status",
            "status": 400,
            "at": [3],
            "path": "/v1/organization/audit_logs",
        }
    )
    found = checked(command, project_ids=["proj_x"])
    assert (found["filters"]["status"], found["filters"]["cause"]) == (
        "failed", "bad_request",
    )  # fmt: skip
    assert found.outcome.code == 1


def test_a_clock_that_is_wrong_is_told_and_a_sync_works(command: TapCommand) -> None:
    skew, slowest = 86_400, 120
    command.sandbox.control.behave(clock_skew_seconds=skew)
    found = checked(command)
    assert found["clock"]["status"] == "warning"
    ahead = found["clock"]["ahead_seconds"]
    assert skew - slowest < -ahead < skew + slowest
    assert f"{-ahead} s behind the API's" in found["clock"]["text"].replace(",", "")
    assert found.outcome.code == 0


@pytest.fixture
def with_wrong_times(tmp_path: Path) -> Iterator[TapCommand]:
    """A log of which the test adds events."""
    options = {"events": 30, "tenant_events": 0, "start": "30d", "end": "now"}
    with SandboxProcess(admin_key=KEY, **options) as process:
        process.control.add_events()
        yield TapCommand(process, tmp_path, {"max_retry_seconds": 0})


def event(id_: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "login.succeeded", "actor": None, **fields}


def test_an_event_dated_in_milliseconds_is_named(with_wrong_times: TapCommand) -> None:
    control = with_wrong_times.sandbox.control
    raw = [event("audit_log-ms", effective_at=int(control.now()) * 1000)]
    control.add_events(raw=raw, at=control.now())
    found = checked(with_wrong_times)
    assert found.outcome.code == 0
    said = found["newest_event"]
    assert said["status"] == "warning"
    assert "effective_at is in milliseconds (event audit_log-ms)" in said["text"]
    assert "in the future" not in said["text"]
    assert said["age_seconds"] < HOUR


def test_an_event_without_a_time_is_named(with_wrong_times: TapCommand) -> None:
    raw = [event("audit_log-1"), event("audit_log-2")]
    control = with_wrong_times.sandbox.control
    control.add_events(raw=raw, at=control.now())
    said = checked(with_wrong_times)["newest_event"]
    assert said["status"] == "warning"
    assert "effective_at is missing (event audit_log-" in said["text"]
    assert "and 1 more)" in said["text"]


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (NOW, None),
        (NOW + 0.5, None),
        (str(NOW), None),
        ("2026-11-23T08:15:00Z", None),
        (-5, None),
        (SECONDS_END - 1, None),
        (None, "is missing"),
        (NOW * 1000, "is in milliseconds"),
        (str(NOW * 1000), "is in milliseconds"),
        (NOW * 10**6, "is in microseconds"),
        (NOW * 10**9, "is in nanoseconds"),
        (10**30, "is no time"),
        ("yesterday", "is no time"),
        (True, "is no time"),
        ([], "is no time"),
    ],
)
def test_what_is_wrong_with_a_time_is_told(at: object, wrong: str | None) -> None:
    assert what_is_wrong(at) == wrong


def test_the_newest_event_is_found_in_any_order(command: TapCommand) -> None:
    newest = max(e.effective_at for e in command.sandbox.control.events("organization"))
    before = int(command.sandbox.control.now())
    age = checked(command)["newest_event"]["age_seconds"]
    assert before - newest <= age <= command.sandbox.control.now() - newest
    command.sandbox.control.behave(order="oldest_first")
    text = checked(command)["newest_event"]["text"]
    assert text.startswith("The newest event is at most ")


# The conclusions


def concluded(newest: int | None = None, **evidence: Any) -> Finding:
    return about_logging(Evidence(NOW, newest, **evidence))


def project(age: int) -> Made:
    return Made("project proj_abc", NOW - age)


def test_an_event_proves_that_logging_is_on() -> None:
    found = concluded(NOW - 400 * DAY)
    assert (found.status, found.facts["state"]) == (Status.OK, "on")
    assert found.facts["certainty"] == "certain"


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (60, "empty"),
        (HOUR, "empty"),
        (HOUR + 1, "off"),
        (29 * DAY, "off"),
        (30 * DAY, "empty"),
        (400 * DAY, "empty"),
    ],
)
def test_only_what_the_log_must_hold_speaks_against_it(age: int, state: str) -> None:
    assert concluded(made=[project(age)]).facts["state"] == state


def test_what_was_made_before_the_newest_event_is_no_evidence() -> None:
    found = concluded(NOW - 2 * DAY, made=[project(3 * DAY), project(2 * DAY - 60)])
    assert found.facts["state"] == "on"


def test_a_log_that_ended_is_told_with_a_warning() -> None:
    found = concluded(NOW - 9 * DAY, made=[project(2 * DAY), project(5 * DAY)])
    assert (found.status, found.facts["state"]) == (Status.WARNING, "off")
    assert found.text.startswith("The last event is of 2026-09-12T")
    assert "project proj_abc was made at 2026-09-19T" in found.text


def test_an_event_of_the_tenant_alone_is_told_as_likely_on() -> None:
    found = concluded(newest_of_tenant=NOW - DAY)
    assert (found.status, found.facts["certainty"]) == (Status.WARNING, "likely")
    assert found.facts["state"] == "on"


def test_what_was_made_just_now_asks_to_check_again() -> None:
    found = concluded(made=[project(5 * 60), project(90 * DAY)])
    assert "was made 5 minutes ago" in found.text
    assert "may take 60 minutes to appear: check again" in found.text


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (0, "0 s old"),
        (119, "119 s old"),
        (120, "2 minutes old"),
        (7200, "2 hours old"),
        (2 * DAY, "2 days old"),
        (-30, "dated 30 s in the future"),
    ],
)
def test_an_age_is_told_in_words(age: int, words: str) -> None:
    assert words in about_age(NOW - age, NOW, ordered=True).text


@pytest.mark.parametrize(
    ("ahead", "status"),
    [
        (None, Status.SKIPPED),
        (60.0, Status.OK),
        (-60.0, Status.OK),
        (61.0, Status.WARNING),
        (-61.0, Status.WARNING),
    ],
)
def test_a_minute_is_forgiven_a_clock(ahead: float | None, status: Status) -> None:
    assert about_clock(ahead).status is status


# What the sync refuses


def test_a_state_of_another_tap_fails_as_in_a_sync(command: TapCommand) -> None:
    state: dict[str, Any] = {"bookmarks": {"github_issues": {}}}
    outcome = command.run("--check=json", state=state)
    found = Checked(outcome)
    assert (outcome.code, found["state"]["status"]) == (1, "failed")
    assert "of a stream github_issues that this tap lacks" in found["state"]["text"]
    assert command.run(state=state).last_line.endswith(found["state"]["text"])


def test_a_stream_map_that_is_none_fails_as_in_a_sync(command: TapCommand) -> None:
    maps = {"audit_logs": {"x": "undefined_fn(("}}
    found = checked(command, stream_maps=maps)
    assert (found.outcome.code, found["settings"]["status"]) == (1, "failed")
    (problem,) = found["settings"]["problems"]
    assert problem.startswith("stream_maps must be")
    assert problem in command.run(stream_maps=maps).log


def test_tenant_events_that_came_before_and_are_refused_fail_as_in_a_sync(
    command: TapCommand,
) -> None:
    state = command.run().state
    command.sandbox.control.behave(tenant="refused")
    outcome = command.run("--check=json", state=state)
    found = Checked(outcome)
    assert (outcome.code, found["tenant_events"]["status"]) == (1, "failed")
    assert command.run(state=state).code == 1
    assert Checked(command.run("--check=json")).outcome.code == 0


# A workspace


@pytest.fixture(scope="module")
def workspace() -> Iterator[SandboxProcess]:
    options = {"events": 20, "tenant_events": 0, "start": "2d", "end": "now"}
    with SandboxProcess(admin_key=KEY, workspace_events=50, **options) as process:
        yield process


@pytest.fixture
def of_workspace(workspace: SandboxProcess, tmp_path: Path) -> Iterator[TapCommand]:
    usual = workspace.control.behaviour()
    yield WorkspaceCommand(workspace, tmp_path, {"max_retry_seconds": 0})
    workspace.control.behave(**usual)


def test_a_workspace_is_checked(of_workspace: TapCommand) -> None:
    found = checked(of_workspace)
    assert found.said["works"]
    assert found.statuses == {
        "settings": "ok",
        "workspace_audit_logs": "ok",
        "workspace_auth_logs": "ok",
        "workspace_files": "ok",
        "state": "skipped",
    }
    assert found["settings"]["text"].startswith("Workspace 5f0f1d4e")
    requests = of_workspace.sandbox.control.requests()
    assert {r["host"] for r in requests["log"]} == {"workspace", "files"}
    assert requests["leaks"] == 0


def test_a_permission_that_the_workspace_key_lacks_is_named(
    of_workspace: TapCommand,
) -> None:
    of_workspace.sandbox.control.behave(workspace_missing_scope="AUTH_LOG")
    found = checked(of_workspace)
    assert not found.said["works"]
    assert found["workspace_audit_logs"]["status"] == "ok"
    assert found["workspace_auth_logs"]["cause"] == "missing_scope"
    assert (
        "compliance_logs_platform.auth_log.read" in found["workspace_auth_logs"]["text"]
    )


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"key": "sk-proj-0123456789"}, "project_key"),
        ({"key": "0123456789"}, "wrong_key"),
        ({"workspace_id": "00000000-0000-0000-0000-000000000000"}, "not_found"),
    ],
)
def test_what_is_wrong_with_a_workspace_is_told(
    of_workspace: TapCommand, changes: dict[str, str], cause: str
) -> None:
    found = checked(of_workspace, None, **changes)
    assert not found.said["works"]
    assert found["workspace_audit_logs"]["cause"] == cause
    assert found["workspace_audit_logs"]["text"].endswith(
        meaning(Cause(cause), Api.WORKSPACE)
    )


def test_a_host_of_files_that_hands_out_none_is_told(of_workspace: TapCommand) -> None:
    of_workspace.sandbox.control.behave(signed_url_seconds=-1)
    found = checked(of_workspace)
    assert found["workspace_files"]["cause"] == "file_host"


def test_a_state_of_a_workspace_says_where_it_stands(
    of_workspace: TapCommand, tmp_path: Path
) -> None:
    state = tmp_path / "given.json"
    state.write_text(json.dumps(of_workspace.run().state))
    found = Checked(of_workspace.run("--check=json", "--state", str(state)))
    audit, auth = found["state"]["scopes"]
    assert (audit["scope"], auth["scope"]) == ("workspace_audit", "workspace_auth")
    assert audit["reads_from"] < audit["bookmark"]
    assert "workspace_auth: emitted up to" in found["state"]["text"]
