"""The sandbox keeps the API's contract, as clients written by others see it."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections import Counter
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai
import pytest
import requests
from openai.types.admin.organization.audit_log_list_response import (
    AuditLogListResponse,
)

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVENTS, TENANT_EVENTS = 600, 120
AUDIT_LOGS = "/organization/audit_logs"
HANGS_SECONDS = 60  # bounds a hang, and nothing else: no test is about speed
Json = dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(events=EVENTS, tenant_events=TENANT_EVENTS) as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    usual = running.control.behaviour()
    yield running
    running.control.behave(**usual)
    running.control.faults()
    running.control.forget_requests()


@pytest.fixture(scope="module")
def extra() -> Iterator[SandboxProcess]:
    """A small sandbox for tests that add events."""
    with SandboxProcess(events=30, tenant_events=5) as process:
        yield process


@pytest.fixture(scope="module")
def official(running: SandboxProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        admin_api_key=running.admin_key, base_url=running.url, max_retries=0
    ) as made:
        yield made


@pytest.fixture
def client(sandbox: SandboxProcess, official: openai.OpenAI) -> openai.OpenAI:
    """The official client, for a sandbox that is put back as it was."""
    assert sandbox.url in str(official.base_url)
    return official


def ask(
    sandbox: SandboxProcess,
    path: str = AUDIT_LOGS,
    *,
    timeout: int = HANGS_SECONDS,
    **options: Any,
) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.admin_key}"}
    url = sandbox.url + path
    return requests.get(url, headers=headers, timeout=timeout, **options)


def connected(sandbox: SandboxProcess) -> socket.socket:
    """A connection with a request on it."""
    parts = urlsplit(sandbox.url)
    address = (str(parts.hostname), int(parts.port or 0))
    connection = socket.create_connection(address, timeout=HANGS_SECONDS)
    connection.sendall(b"GET /v1/organization/users HTTP/1.1\r\nHost: x\r\n\r\n")
    return connection


def clock_of(response: requests.Response, header: str = "date") -> float:
    return parsedate_to_datetime(response.headers[header]).timestamp()


def fetch(sandbox: SandboxProcess, path: str = AUDIT_LOGS, /, **params: Any) -> Json:
    response = ask(sandbox, path, params=params)
    response.raise_for_status()
    found: Json = response.json()
    return found


def every_event(sandbox: SandboxProcess, **params: Any) -> list[Json]:
    return every_row(sandbox, AUDIT_LOGS, limit=100, **params)


def every_row(sandbox: SandboxProcess, path: str, /, **params: Any) -> list[Json]:
    rows: list[Json] = []
    page = fetch(sandbox, path, **params)
    rows += page["data"]
    while page["has_more"]:
        params["after"] = page["next"] if "next" in page else page["last_id"]
        page = fetch(sandbox, path, **params)
        rows += page["data"]
    return rows


def ids(events: list[Any]) -> list[str]:
    return [e["id"] if isinstance(e, dict) else e.id for e in events]


def truth(sandbox: SandboxProcess, scope: str) -> set[str]:
    return {row.id for row in sandbox.control.events(scope) if row.visible}


# The official client


@pytest.mark.parametrize(
    ("scope", "count"), [("organization", EVENTS), ("tenant", TENANT_EVENTS)]
)
def test_the_official_client_reads_every_event_once(
    sandbox: SandboxProcess, client: openai.OpenAI, scope: str, count: int
) -> None:
    pages = client.admin.organization.audit_logs.list(
        tenant_only=scope == "tenant", limit=100
    )
    found = ids(list(pages))
    assert len(found) == count
    assert set(found) == truth(sandbox, scope)


def test_events_are_listed_newest_first(client: openai.OpenAI) -> None:
    pages = client.admin.organization.audit_logs.list(limit=100)
    times = [event.effective_at for event in pages]
    assert times == sorted(times, reverse=True)


def test_the_default_page_has_twenty_events(client: openai.OpenAI) -> None:
    page = client.admin.organization.audit_logs.list()
    assert len(page.data) == 20
    assert page.has_more is True
    assert page.last_id == page.data[-1].id


def test_before_goes_back_to_the_page_one_came_from(client: openai.OpenAI) -> None:
    logs = client.admin.organization.audit_logs
    first = logs.list(limit=30)
    second = logs.list(limit=30, after=first.data[-1].id)
    third = logs.list(limit=30, after=second.data[-1].id)
    back = logs.list(limit=30, before=third.data[0].id)
    assert ids(back.data) == ids(second.data)
    assert back.has_more is True
    start = logs.list(limit=30, before=second.data[0].id)
    assert ids(start.data) == ids(first.data)
    assert start.has_more is False


@pytest.mark.parametrize(
    ("window", "inside"),
    [
        ({"gt": 0}, lambda at, a, _: at > a),
        ({"gte": 0}, lambda at, a, _: at >= a),
        ({"lt": 1}, lambda at, _, b: at < b),
        ({"lte": 1}, lambda at, _, b: at <= b),
        ({"gte": 0, "lt": 1}, lambda at, a, b: a <= at < b),
        ({"gt": 0, "lte": 1}, lambda at, a, b: a < at <= b),
    ],
)
def test_time_ranges_have_exact_edges(
    sandbox: SandboxProcess,
    client: openai.OpenAI,
    window: dict[str, int],
    inside: Callable[[int, int, int], bool],
) -> None:
    rows = sandbox.control.events("organization")
    times = sorted(row.effective_at for row in rows)
    edges = times[len(times) // 3], times[len(times) // 2]
    effective_at: Any = {name: edges[edge] for name, edge in window.items()}
    found = client.admin.organization.audit_logs.list(
        effective_at=effective_at, limit=100
    )
    wanted = {row.id for row in rows if inside(row.effective_at, *edges)}
    assert set(ids(list(found))) == wanted
    assert 0 < len(wanted) < EVENTS


def session_user(event: Json) -> Json:
    actor = event["actor"] or {}
    user: Json = actor.get("session", {}).get("user", {})
    return user


def actor_ids(event: Json) -> set[str]:
    key = (event["actor"] or {}).get("api_key", {})
    holders = (session_user(event), key, key.get("user"), key.get("service_account"))
    return {holder["id"] for holder in holders if holder}


def actor_email(event: Json) -> str:
    key = (event["actor"] or {}).get("api_key", {})
    user = session_user(event) or key.get("user") or {}
    return str(user.get("email", "")).lower()


def details_id(event: Json) -> str | None:
    details: Json = event.get(event["type"], {})
    return details.get("id")


FILTERS: list[tuple[str, Callable[[Json], set[str]]]] = [
    ("event_types", lambda e: {e["type"]}),
    ("project_ids", lambda e: {(e.get("project") or {}).get("id", "")}),
    ("actor_ids", actor_ids),
    ("actor_emails", lambda e: {actor_email(e)}),
    ("resource_ids", lambda e: {details_id(e) or ""}),
]


@pytest.mark.parametrize(("name", "read"), FILTERS, ids=[f[0] for f in FILTERS])
def test_each_filter_finds_exactly_its_events(
    sandbox: SandboxProcess,
    client: openai.OpenAI,
    name: str,
    read: Callable[[Json], set[str]],
) -> None:
    events = every_event(sandbox)
    counted = Counter(value for e in events for value in read(e) if value)
    values = [value for value, _ in counted.most_common(3)[1:]]
    arguments: Any = {name: values}
    found = client.admin.organization.audit_logs.list(limit=9, **arguments)
    wanted = [e["id"] for e in events if read(e) & set(values)]
    assert ids(list(found)) == wanted
    assert len(wanted) >= 2


def test_filters_combine(sandbox: SandboxProcess, client: openai.OpenAI) -> None:
    events = every_event(sandbox)
    types = {"login.succeeded", "logout.succeeded"}
    user = Counter(
        session_user(e)["id"] for e in events if e["type"] in types and session_user(e)
    ).most_common(1)[0][0]
    middle = events[len(events) // 2]["effective_at"]
    found = client.admin.organization.audit_logs.list(
        event_types=["login.succeeded", "logout.succeeded"],
        actor_ids=[user],
        effective_at={"gte": middle - 90 * 86_400},
        limit=1,
    )
    wanted = [
        e["id"]
        for e in events
        if e["type"] in types
        and user in actor_ids(e)
        and e["effective_at"] >= middle - 90 * 86_400
    ]
    assert ids(list(found)) == wanted
    assert wanted


def test_lists_are_accepted_with_and_without_brackets(sandbox: SandboxProcess) -> None:
    types = ["login.failed", "user.deleted"]
    with_brackets = fetch(sandbox, **{"event_types[]": types})
    assert fetch(sandbox, event_types=types) == with_brackets
    assert {e["type"] for e in with_brackets["data"]} == set(types)


def test_the_clients_models_accept_every_documented_event(
    sandbox: SandboxProcess,
) -> None:
    documented = {
        field.alias or name: name
        for name, field in AuditLogListResponse.model_fields.items()
        if "." in (field.alias or "")
    }
    kinds = AuditLogListResponse.model_fields["type"].annotation
    known = set(getattr(kinds, "__args__", ()))
    seen = set()
    for event in [*every_event(sandbox), *every_event(sandbox, tenant_only="true")]:
        if event["type"] not in known:
            continue
        seen.add(event["type"])
        model = AuditLogListResponse.model_validate(event, strict=True)
        attribute = documented.get(event["type"])
        if attribute and event["type"] in event:
            details = getattr(model, attribute)
            assert not isinstance(details, dict)
            assert details is not None
    organization_wide = {k for k in known if not k.startswith("tenant.")}
    assert organization_wide - seen == set()


def test_typed_details_come_through_the_client(client: openai.OpenAI) -> None:
    page = client.admin.organization.audit_logs.list(event_types=["user.added"])
    added = page.data[0].user_added
    assert added is not None
    assert added.data is not None
    assert added.data.role in ("owner", "reader")


def test_a_login_has_no_details(sandbox: SandboxProcess) -> None:
    page = fetch(sandbox, event_types="login.succeeded")
    assert page["data"]
    assert all("login.succeeded" not in event for event in page["data"])


def test_unknown_types_fields_and_actors_occur(sandbox: SandboxProcess) -> None:
    events = every_event(sandbox)
    assert any(e["type"] == "future.thing.happened" for e in events)
    assert any("x_new_top_level" in e for e in events)
    actors = {(e["actor"] or {"type": "nobody"})["type"] for e in events}
    assert actors == {"session", "api_key", "workload_identity", "nobody"}
    assert any(":" in json.dumps(e["actor"]) for e in events)
    assert max(Counter(e["effective_at"] for e in events).values()) > 2


# Refusals


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"after": "audit_log-nothing"}, "after"),
        ({"before": "audit_log-nothing"}, "before"),
        ({"effective_at[gte]": "yesterday"}, "effective_at[gte]"),
        ({"tenant_only": "perhaps"}, "tenant_only"),
        ({"tenant_only": "true", "event_types[]": "user.added"}, "event_types"),
    ],
)
def test_a_bad_parameter_is_refused_and_named(
    sandbox: SandboxProcess, params: Json, param: str
) -> None:
    response = ask(sandbox, params=params)
    assert response.status_code == 400
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["param"] == param


def test_a_wrong_key_is_refused_and_partly_repeated(client: openai.OpenAI) -> None:
    wrong = client.with_options(admin_api_key="sk-admin-wrong-xyz")
    with pytest.raises(openai.AuthenticationError) as caught:
        wrong.admin.organization.audit_logs.list()
    assert "Incorrect API key provided: sk-adm***...xyz." in str(caught.value)
    assert caught.value.code == "invalid_api_key"


def test_a_missing_key_is_refused(sandbox: SandboxProcess) -> None:
    response = requests.get(sandbox.url + AUDIT_LOGS, timeout=HANGS_SECONDS)
    assert response.status_code == 401


def test_another_organization_is_refused(
    sandbox: SandboxProcess, client: openai.OpenAI
) -> None:
    right = client.with_options(organization=sandbox.organization_id)
    assert right.admin.organization.audit_logs.list().data
    other = client.with_options(organization="org-other")
    with pytest.raises(openai.AuthenticationError) as caught:
        other.admin.organization.audit_logs.list()
    assert caught.value.type == "mismatched_organization"


def test_an_unknown_path_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.admin.organization.users.retrieve("user-nobody")


def test_responses_have_the_apis_headers(sandbox: SandboxProcess) -> None:
    response = ask(sandbox)
    assert response.headers["x-request-id"].startswith("req_")
    assert response.headers["openai-organization"] == "sandbox-slug"
    assert response.headers["openai-version"]
    assert clock_of(response) == sandbox.control.now()


# Behaviours


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_without_the_scope_is_told_which_one(
    sandbox: SandboxProcess, client: openai.OpenAI, status: int
) -> None:
    sandbox.control.behave(missing_scope=True, missing_scope_status=status)
    with pytest.raises(openai.APIStatusError) as caught:
        client.admin.organization.audit_logs.list()
    assert caught.value.status_code == status
    assert "Missing scopes: api.audit_logs.read" in str(caught.value)


@pytest.mark.parametrize("name", ["wrong_key", "wrong_organization", "key_expired"])
def test_a_good_key_can_be_refused(
    sandbox: SandboxProcess, client: openai.OpenAI, name: str
) -> None:
    sandbox.control.behave(**{name: True})
    with pytest.raises(openai.AuthenticationError):
        client.admin.organization.audit_logs.list()


@pytest.mark.parametrize(
    ("envelope", "between"), [("bare_documents", "\n"), ("bare_list", ",")]
)
def test_events_can_come_without_an_envelope(
    sandbox: SandboxProcess, envelope: str, between: str
) -> None:
    usual = fetch(sandbox)["data"]
    sandbox.control.behave(envelope=envelope)
    text = ask(sandbox).text
    assert text.startswith("[") == (envelope == "bare_list")
    found = json.loads(f"[{text.strip('[]')}]".replace("}\n{", "},{"))
    assert found == usual
    assert text.count(f"}}{between}{{") >= len(usual) - 1
    # A client pages by the last event's id: nothing else is there to go by.
    rest = ask(sandbox, params={"after": usual[-1]["id"]}).text
    assert usual[0]["id"] not in rest


# Faults


@pytest.mark.parametrize(
    ("status", "exception"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
        (520, openai.InternalServerError),
    ],
)
def test_a_status_becomes_the_clients_exception(
    sandbox: SandboxProcess,
    client: openai.OpenAI,
    status: int,
    exception: type[openai.APIStatusError],
) -> None:
    sandbox.control.faults({"kind": "status", "status": status})
    with pytest.raises(exception) as caught:
        client.admin.organization.audit_logs.list()
    assert caught.value.request_id is not None


def test_the_official_client_retries_what_it_is_told_to(
    sandbox: SandboxProcess, client: openai.OpenAI
) -> None:
    headers = {"retry-after-ms": "1"}
    fault = {"kind": "status", "status": 429, "headers": headers, "times": 2}
    sandbox.control.faults(fault)
    patient = client.with_options(max_retries=2)
    assert patient.admin.organization.audit_logs.list().data
    log = sandbox.control.requests()["log"]
    assert [request["status"] for request in log] == [429, 429, 200]


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ("json", '"message": "'),
        ("string_error", '{"error": "The sandbox'),
        ("html", "<html>"),
        ("empty", ""),
    ],
)
def test_error_bodies_come_in_every_form(
    sandbox: SandboxProcess, body: str, content: str
) -> None:
    fault = {"kind": "status", "status": 502, "body": body}
    sandbox.control.faults(fault | {"headers": {"x-should-retry": "false"}})
    response = ask(sandbox)
    assert response.status_code == 502
    assert response.headers["x-should-retry"] == "false"
    assert content in response.text
    assert bool(response.text) == (body != "empty")


def test_a_redirect_says_where_to(sandbox: SandboxProcess) -> None:
    headers = {"Location": "http://127.0.0.1:1/elsewhere"}
    sandbox.control.faults({"kind": "status", "status": 302, "headers": headers})
    response = ask(sandbox, allow_redirects=False)
    assert response.headers["location"] == "http://127.0.0.1:1/elsewhere"


def test_a_retry_date_is_counted_from_now(sandbox: SandboxProcess) -> None:
    sandbox.control.faults({"kind": "retry_after_date", "seconds": 60})
    response = ask(sandbox)
    assert response.status_code == 429
    assert clock_of(response, "retry-after") - clock_of(response) == 60


@pytest.mark.parametrize(
    ("kind", "exception"),
    [
        ("reset", requests.ConnectionError),
        ("close", requests.ConnectionError),
        ("close_mid_body", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_a_connection_can_break(
    sandbox: SandboxProcess, kind: str, exception: type[Exception]
) -> None:
    sandbox.control.faults({"kind": kind, "at": [0]})
    with pytest.raises(exception):
        ask(sandbox)
    assert ask(sandbox).status_code == 200


@pytest.mark.parametrize(("kind", "reset"), [("reset", True), ("close", False)])
def test_a_reset_is_not_an_orderly_close(
    sandbox: SandboxProcess, kind: str, *, reset: bool
) -> None:
    sandbox.control.faults({"kind": kind})
    with connected(sandbox) as connection:
        if reset:
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        else:
            assert connection.recv(1) == b""


def test_a_truncated_answer_looks_complete_to_http(sandbox: SandboxProcess) -> None:
    sandbox.control.faults({"kind": "truncated"})
    response = ask(sandbox)
    assert response.status_code == 200
    assert int(response.headers["content-length"]) == len(response.content)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


@pytest.mark.parametrize("kind", ["html", "text", "empty"])
def test_a_success_can_be_something_else_than_json(
    sandbox: SandboxProcess, kind: str
) -> None:
    sandbox.control.faults({"kind": kind})
    response = ask(sandbox)
    assert response.status_code == 200
    assert response.text.startswith("<html>") == (kind == "html")
    assert bool(response.content) == (kind != "empty")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


@pytest.mark.parametrize("kind", ["drip", "drip_headers"])
def test_an_answer_can_drip(sandbox: SandboxProcess, kind: str) -> None:
    sandbox.control.faults({"kind": kind, "bytes_per_second": 4000})
    start = time.monotonic()
    response = ask(sandbox, params={"limit": 1})
    assert time.monotonic() - start > 0.05, "two drops, a twentieth of a second apart"
    assert len(response.json()["data"]) == 1


def test_a_small_body_can_swell_to_a_large_one(sandbox: SandboxProcess) -> None:
    whole, size = fetch(sandbox), 50_000_000
    sandbox.control.faults({"kind": "swell", "bytes": size})
    response = ask(sandbox)
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) < size / 500
    assert len(response.content) > size
    assert response.json() == whole


# Time


def test_an_event_becomes_visible_by_the_apis_clock(extra: SandboxProcess) -> None:
    (added,) = extra.control.add_events(1, visible_in_seconds=3_600)

    def seen() -> tuple[bool, bool]:
        visible = {row.id: row.visible for row in extra.control.events()}[added]
        return visible, added in ids(every_event(extra))

    assert seen() == (False, False)
    extra.control.behave(clock_skew_seconds=3_600)
    assert seen() == (True, True)
    extra.control.behave(clock_skew_seconds=0)


@pytest.mark.parametrize("skew", [-172_800, 172_800])
def test_a_log_can_end_now_by_a_clock_that_is_wrong(skew: int) -> None:
    with SandboxProcess(
        events=20, tenant_events=5, start="9d", end="now", clock_skew_seconds=skew
    ) as process:
        rows = process.control.events()
        assert all(row.visible for row in rows)
        newest = max(row.effective_at for row in rows)
        assert -2 <= newest - process.control.now() <= 0


@pytest.mark.parametrize(
    "at",
    [
        -99_999_999_999,
        -62_135_596_801,
        -86_400,
        0,
        4_102_444_800,
        253_402_300_799,
        10**12,
    ],
    ids=["BC", "year 0", "1969", "1970", "2100", "9999", "after 9999"],
)
def test_an_event_of_any_year_is_found_by_windows(
    extra: SandboxProcess, at: int
) -> None:
    (added,) = extra.control.add_events(1, at=at)

    def found(low: int, high: int) -> list[str]:
        window = {"effective_at[gte]": low, "effective_at[lt]": high}
        return ids(every_event(extra, **window))

    assert found(at, at + 1) == [added]
    assert found(at - 10, at) == found(at + 1, at + 10) == []
    events = every_event(extra)
    assert {e["id"]: e["effective_at"] for e in events}[added] == at
    times = [e["effective_at"] for e in events]
    assert times == sorted(times, reverse=True)


def test_events_that_retention_removed_are_no_cursors() -> None:
    with SandboxProcess(events=30, tenant_events=5) as process:
        rows = sorted(process.control.events(), key=lambda row: row.effective_at)
        moment = rows[20].effective_at
        old = {row.id for row in rows if row.effective_at < moment}
        cursor = next(row.id for row in rows if row.scope == "organization")
        assert process.control.remove_events(before=moment) == len(old)
        assert {row.id for row in process.control.events()} == set(ids(rows)) - old
        assert not old & set(ids(every_event(process)))
        refused = ask(process, params={"after": cursor})
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "invalid_cursor"


def test_raw_events_are_served_byte_for_byte(extra: SandboxProcess) -> None:
    now = int(extra.control.now())
    nested = "[" * 5000 + "]" * 5000
    hostile = (
        f'{{"id" : "audit_log-raw", "type":"x.y", "effective_at": {now},'
        f' "x.y": {{"s": "\\ud800", "deep": {nested}, "n": 1e400}}}}'
    )
    plain = {"id": "audit_log-dict", "type": "a.b", "effective_at": now - 1}
    assert extra.control.add_events(raw=[hostile, plain]) == [
        "audit_log-raw",
        "audit_log-dict",
    ]
    response = ask(extra, params={"limit": 9})
    assert hostile.encode() in response.content
    assert fetch(extra, event_types="a.b")["data"] == [plain]


def test_the_log_grows_as_the_apis_time_passes() -> None:
    with SandboxProcess(
        events=20, tenant_events=0, grow_per_second=0.01, start="2d", end="now"
    ) as process:
        before = len(every_event(process))
        newest = fetch(process)["data"][0]["effective_at"]
        process.control.behave(clock_skew_seconds=10_000)
        grown = every_event(process)
        assert len(grown) >= before + 100
        assert grown[0]["effective_at"] > newest + 9_000
        assert len(every_event(process)) >= len(grown)


@pytest.mark.parametrize(("seed", "same"), [(7, True), (8, False)])
def test_a_seed_decides_everything(
    sandbox: SandboxProcess, seed: int, *, same: bool
) -> None:
    def content(process: SandboxProcess) -> list[Any]:
        return [
            every_event(process),
            every_event(process, tenant_only="true"),
            every_row(process, "/organization/users", limit=100),
        ]

    with SandboxProcess(events=EVENTS, tenant_events=TENANT_EVENTS, seed=seed) as other:
        assert (content(other) == content(sandbox)) == same


# Reference endpoints


@pytest.fixture(scope="module")
def known(running: SandboxProcess) -> dict[str, set[str]]:
    """The ids of everything the reference endpoints list."""

    def some(path: str, **params: Any) -> set[str]:
        rows = every_row(running, f"/organization/{path}", **params)
        return {row["id"] for row in rows}

    found = {
        name: some(name)
        for name in ("users", "invites", "admin_api_keys", "groups", "roles")
    }
    found["certificates"] = some("certificates")
    found["projects"] = some("projects", include_archived="true")
    active = some("projects")
    found["archived"] = found["projects"] - active
    for name in ("api_keys", "service_accounts", "rate_limits"):
        found[name] = set()
    for project in active:
        found["api_keys"] |= some(
            f"projects/{project}/api_keys", owner_project_access="any", limit=100
        )
        found["service_accounts"] |= some(f"projects/{project}/service_accounts")
        found["rate_limits"] |= some(f"projects/{project}/rate_limits")
    return found


NAMED_IN: dict[str, tuple[str, ...]] = {
    "user": ("users",),
    "invite": ("invites",),
    "group": ("groups",),
    "role": ("roles",),
    "certificate": ("certificates",),
    "project": ("projects",),
    "api_key": ("api_keys", "admin_api_keys"),
    "service_account": ("service_accounts",),
    "rate_limit": ("rate_limits",),
}


def named_ids(event: Json) -> Iterator[tuple[str, str]]:
    """Return kind and id of everything an event names that can be looked up."""
    kind, _, verb = event["type"].rpartition(".")
    details: Json = event.get(event["type"], {})
    if kind in NAMED_IN and details_id(event) and verb != "teleported":
        yield kind, details["id"]
    if "project" in event:
        yield "project", event["project"]["id"]
    if session_user(event):
        yield "user", session_user(event)["id"]
    key = (event["actor"] or {}).get("api_key")
    if key:
        yield "api_key", key["id"]
        yield key["type"], key[key["type"]]["id"]
    for name, of in (
        ("principal_id", details.get("principal_type")),
        ("role_id", "role"),
    ):
        if name in details:
            yield str(of), details[name]
    for certificate in details.get("certificates", []):
        yield "certificate", certificate["id"]


def test_every_id_resolves_or_was_deleted_later(
    sandbox: SandboxProcess, known: dict[str, set[str]]
) -> None:
    events = every_event(sandbox)[::-1] + every_event(sandbox, tenant_only="true")
    gone: dict[str, int] = {
        e[e["type"]]["id"]: e["effective_at"]
        for e in events
        if e["type"].endswith(".deleted") and details_id(e)
    }
    checked: Counter[str] = Counter()
    for event in events:
        for kind, name in named_ids(event):
            checked[kind] += 1
            if name in gone:
                assert event["effective_at"] <= gone[name], (kind, event)
                assert not any(name in known[place] for place in NAMED_IN[kind])
            else:
                assert any(name in known[place] for place in NAMED_IN[kind]), event
    assert set(checked) == set(NAMED_IN)
    assert len(gone) > 10


def test_the_official_client_pages_through_the_reference_endpoints(
    client: openai.OpenAI, known: dict[str, set[str]]
) -> None:
    organization = client.admin.organization
    assert set(ids(list(organization.users.list(limit=7)))) == known["users"]
    assert set(ids(list(organization.groups.list(limit=5)))) == known["groups"]
    assert set(ids(list(organization.roles.list(limit=2)))) == known["roles"]
    assert set(ids(list(organization.invites.list()))) == known["invites"]
    keys = list(organization.admin_api_keys.list(limit=1))
    assert set(ids(keys)) == known["admin_api_keys"]
    certificates = list(organization.certificates.list(limit=2, order="asc"))
    assert set(ids(certificates)) == known["certificates"]
    project = next(iter(organization.projects.list()))
    of_project = organization.projects
    groups = list(of_project.groups.list(project.id, limit=1))
    assert all(group.project_id == project.id for group in groups)
    members = list(of_project.users.list(project.id, limit=10))
    assert len(members) == len(set(ids(members))) > 100
    some_group = max(
        (list(organization.groups.users.list(g, limit=3)) for g in known["groups"]),
        key=len,
    )
    assert set(ids(some_group)) <= known["users"]


def test_archived_projects_show_on_request_and_hide_their_members(
    client: openai.OpenAI, known: dict[str, set[str]]
) -> None:
    assert known["archived"]
    for project in known["archived"]:
        with pytest.raises(openai.BadRequestError):
            client.admin.organization.projects.users.list(project)
        with pytest.raises(openai.BadRequestError):
            client.admin.organization.projects.service_accounts.list(project)
    with pytest.raises(openai.NotFoundError):
        client.admin.organization.projects.users.list("proj_nowhere")


def test_some_keys_show_only_to_those_who_ask_for_any(client: openai.OpenAI) -> None:
    projects = client.admin.organization.projects
    project = next(iter(projects.list()))

    def keys(**access: Any) -> set[str]:
        return set(ids(list(projects.api_keys.list(project.id, **access))))

    everything = keys(owner_project_access="any")
    inactive = keys(owner_project_access="inactive")
    assert inactive
    assert keys() == everything - inactive
    for key in projects.api_keys.list(project.id):
        assert key.redacted_value.startswith("sk-***")


def test_users_are_found_by_email(sandbox: SandboxProcess) -> None:
    wanted = fetch(sandbox, "/organization/users", limit=5)["data"][2:4]
    emails = [user["email"].upper() for user in wanted]
    assert fetch(sandbox, "/organization/users", emails=emails)["data"] == wanted


def test_a_project_group_has_no_id(sandbox: SandboxProcess) -> None:
    rows = [
        row
        for project in fetch(sandbox, "/organization/projects")["data"]
        for row in fetch(sandbox, f"/organization/projects/{project['id']}/groups")[
            "data"
        ]
    ]
    assert rows
    assert all("id" not in row and row["group_id"] for row in rows)


def test_reference_lists_refuse_bad_parameters(sandbox: SandboxProcess) -> None:
    for path, params in (
        ("/organization/users", {"limit": 101}),
        ("/organization/users", {"after": "user-nobody"}),
        ("/organization/groups", {"order": "sideways"}),
        ("/organization/groups", {"limit": 1001}),
    ):
        assert ask(sandbox, path, params=params).status_code == 400


# The process


def test_the_process_ends_when_it_is_told_whoever_waits() -> None:
    process = SandboxProcess(events=10, tenant_events=0).start()
    process.control.faults({"kind": "hang", "seconds": HANGS_SECONDS})
    url = process.url
    with connected(process):
        assert process.stop() != -signal.SIGKILL, "it had to be killed"
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=HANGS_SECONDS)
