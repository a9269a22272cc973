"""A story holds together: who acts is there, and what is named exists at that time."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.options import Options
from sandbox.process import SandboxError, SandboxProcess
from sandbox.server.log import Log, Selection
from sandbox.server.workspace_files import WorkspaceFiles
from sandbox.story.people import SITES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.organization.things import Organization

Json = dict[str, Any]

END = datetime(2026, 11, 25, 15, tzinfo=timezone.utc).timestamp()
EVENTS, TENANT_EVENTS, HOUR, DAY = 2000, 50, 3600, 86_400
MONTH = Options(
    history="story",
    events=EVENTS,
    tenant_events=TENANT_EVENTS,
    start="30d",
    end=str(int(END)),
)
CATALOGUE = json.loads(
    (
        Path(__file__).parents[1]
        / "tap_openai_audit"
        / "audit_logs"
        / "event_types.json"
    ).read_text()
)["types"]
#: The steps of the incident, as often as they come.
STEPS = [
    "login.failed", "login.succeeded", "organization.updated", "invite.sent",
    "invite.accepted", "user.added", "login.succeeded", "api_key.created",
    "tenant.admin_api_key.created", "ip_allowlist.updated",
    "external_storage.registered", "invite.deleted", "api_key.deleted",
]  # fmt: skip
BEGINS = {"user": "added", "invite": "sent"}
KEPT = ("user", "invite", "group", "role", "project", "service_account", "api_key")


def events_of(log: Log) -> list[Json]:
    """Every visible event of both scopes, oldest first."""
    found = log.find("both", Selection(order="oldest_first", limit=10**9))
    return [json.loads(body) for body in found.bodies]


@cache
def told(options: Options) -> tuple[list[Json], Organization]:
    """The events of a story, and what exists at its end."""
    log = Log(options, lambda: END)
    return events_of(log), log.organization


def user_of(event: Json) -> str | None:
    """Who did it: a person, at a device or by a key."""
    actor = event["actor"]
    who = actor.get("session") or actor["api_key"]
    return who["user"]["id"] if "user" in who else None


def about(event: Json) -> tuple[str, str, Json]:
    kind, _, verb = event["type"].rpartition(".")
    return kind, verb, event.get(event["type"], {})


def lifetimes(events: list[Json]) -> dict[str, tuple[float, float]]:
    """When each thing was made and deleted, as far as events tell."""
    made: dict[str, float] = defaultdict(lambda: float("-inf"))
    gone: dict[str, float] = defaultdict(lambda: float("inf"))
    for event in events:
        kind, verb, details = about(event)
        if verb == BEGINS.get(kind, "created") and "id" in details:
            made[details["id"]] = event["effective_at"]
        elif verb == "deleted":
            gone[details["id"]] = event["effective_at"]
    return {name: (made[name], gone[name]) for name in (*made, *gone)}


stories = pytest.mark.parametrize(
    "options",
    [replace(MONTH, seed=seed, incident=i) for seed in range(6) for i in ("", "2h")],
    ids=lambda options: f"{options.seed}{options.incident and ' incident'}",
)


# A month


@pytest.mark.parametrize("count", [0, 3, 40, 700, 5000])
def test_a_story_has_as_many_events_as_asked_for(count: int) -> None:
    options = replace(MONTH, events=count, tenant_events=count // 10)
    events, _ = told(options)
    assert sum(e["type"].startswith("tenant.") for e in events) == count // 10
    assert len(events) == count + count // 10
    assert all(END - 30 * DAY <= e["effective_at"] < END for e in events)


def test_a_seed_decides_what_happens() -> None:
    first, second = (events_of(Log(MONTH, lambda: END)) for _ in range(2))
    assert first == second
    assert told(replace(MONTH, seed=8))[0] != first


@stories
def test_nobody_acts_before_they_join_or_after_they_leave(options: Options) -> None:
    events, organization = told(options)
    there = lifetimes(events)
    for event in events:
        user = user_of(event)
        if user is None:
            continue
        joined, left = there.get(user, (float("-inf"), float("inf")))
        welcome = 1 if event["type"] == "invite.accepted" else 0
        assert joined - welcome <= event["effective_at"] <= left, event
        assert user in organization.users or left <= END
    assert sum(e["type"] == "user.added" for e in events) > 2
    assert any(e["type"] == "user.deleted" for e in events)


@stories
def test_whatever_is_named_exists_then_and_is_listed_if_it_is_not_deleted(
    options: Options,
) -> None:
    events, organization = told(options)
    there = lifetimes(events)
    named = set()
    for event in events:
        kind, _, details = about(event)
        of_this = [(kind, details["id"])] if kind in KEPT and "id" in details else []
        key = event["actor"].get("api_key")
        if key:
            of_this += [("api_key", key["id"]), (key["type"], key[key["type"]]["id"])]
        if "project" in event:
            of_this.append(("project", event["project"]["id"]))
        for what, name in of_this:
            made, gone = there.get(name, (float("-inf"), float("inf")))
            early = 1 if event["type"] == "invite.accepted" else 0
            assert made - early <= event["effective_at"] <= gone, event
            named.add((what, name))
    for what, name in named:
        listed = organization.things(what) | (
            organization.admin_keys if what == "api_key" else {}
        )
        assert (name in listed) == (there.get(name, (0, float("inf")))[1] > END), name


@stories
def test_no_key_outlives_its_owner(options: Options) -> None:
    _, o = told(options)
    held = [key.owner.id for key in o.api_keys.values()]
    held += [key.owner.id for key in o.admin_keys.values()]
    assert set(held) <= {*o.users, *o.service_accounts}


@stories
def test_an_organization_is_administered_by_its_owners(options: Options) -> None:
    events, _ = told(options)
    _, founded = told(replace(options, events=0, tenant_events=0, incident=""))
    owners = {user.id for user in founded.users.values() if user.role == "owner"}
    assert 2 <= len(owners) <= 4
    of_owners = re.compile(
        r"(user|project|group|role|rate_limit|ip_allowlist|certificate|organization)s?\."
        r"|invite\.(sent|deleted)|external_storage"
    )
    made_owners = []
    for event in events:
        if of_owners.match(event["type"]):
            assert user_of(event) in owners, event
        _, _, details = about(event)
        given = details.get("data", {}) | details.get("changes_requested", {})
        if given.get("role") == "owner" and event["type"].startswith("user."):
            made_owners.append(event)
            owners.add(details["id"])
    assert made_owners


@stories
def test_types_and_details_are_those_of_the_catalogue(options: Options) -> None:
    json_types = {str: "string", int: "integer", bool: "boolean"}

    def paths(value: object, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from paths(inner, f"{path}.{name}" if path else name)
        elif isinstance(value, list) and isinstance(value[0], dict):
            for inner in value:
                yield from paths(inner, f"{path}[]")
        elif isinstance(value, list):
            yield path, "array<string>"
        else:
            yield path, json_types[type(value)]

    for event in told(options)[0]:
        described = CATALOGUE[event["type"]]
        scope = "tenant" if event["type"].startswith("tenant.") else "organization"
        assert described["scope"] == scope
        documented = described.get("details", {}) | described.get("observed", {})
        found = dict(paths(event.get(event["type"], {}), ""))
        assert found.items() <= documented.items(), event
        assert bool(found) == bool(documented), event


def test_people_work_by_day_at_one_place_and_robots_by_night() -> None:
    hours = {site.place.country: site.place.utc_hours for site in SITES}
    countries = defaultdict(set)
    robots = 0
    for event in told(MONTH)[0]:
        at = datetime.fromtimestamp(event["effective_at"], timezone.utc)
        session = event["actor"].get("session")
        if session is None:
            robots += 1
            assert 1 <= at.hour < 6, event
            continue
        country = session["ip_address_details"]["country"]
        countries[session["user"]["id"]].add(country)
        local = at + timedelta(hours=hours[country])
        # Who invited somebody need not be there when they are added.
        if event["type"] != "user.added":
            assert local.weekday() < 5, event
            assert 7 <= local.hour < 21, event
    assert robots > 100
    assert all(len(places) == 1 for places in countries.values())
    assert set.union(*countries.values()) == set(hours)


def test_events_that_are_added_are_by_people_who_are_there() -> None:
    log = Log(MONTH, lambda: END)
    added = [json.loads(e.body) for e in log.write("organization", [int(END)] * 50)]
    added += [json.loads(e.body) for e in log.write("tenant", [int(END)] * 50)]
    assert {user_of(event) for event in added} <= log.organization.users.keys()
    assert {e["type"].partition(".")[0] for e in added} == {"login", "logout", "tenant"}


# The incident


def incident(seed: int = 7) -> tuple[list[Json], list[Json]]:
    """The events of a month, and those that an incident puts on top."""
    month, _ = told(replace(MONTH, seed=seed))
    both, _ = told(replace(MONTH, seed=seed, incident="2h"))
    ids = {event["id"] for event in month}
    return month, [event for event in both if event["id"] not in ids]


@pytest.mark.parametrize("seed", range(6))
def test_an_incident_has_its_steps_in_order_on_top_of_the_month(seed: int) -> None:
    month, on_top = incident(seed)
    both, _ = told(replace(MONTH, seed=seed, incident="2h"))
    assert [event for event in both if event not in on_top] == month
    # Of one second, the log has no order.
    on_top.sort(key=lambda e: (e["effective_at"], e["type"]))
    assert [name for name, _ in groupby(e["type"] for e in on_top)] == STEPS
    assert on_top[0]["effective_at"] == END - 2 * HOUR
    assert on_top[-1]["effective_at"] < END


def test_an_incident_comes_from_where_nobody_is() -> None:
    month, on_top = incident()
    sessions = [e["actor"]["session"] for e in month if "session" in e["actor"]]
    foreign = [e["actor"]["session"] for e in on_top if "session" in e["actor"]]
    (address,) = {session["ip_address"] for session in foreign}
    assert address not in {session["ip_address"] for session in sessions}
    for field in ("country", "asn"):
        known = {session["ip_address_details"][field] for session in sessions}
        (new,) = {session["ip_address_details"][field] for session in foreign}
        assert new not in known
    sprayed = [user_of(e) for e in on_top if e["type"] == "login.failed"]
    assert len(sprayed) == len(set(sprayed)) > 30


def test_an_incident_leaves_an_owner_a_storage_and_an_open_allow_list() -> None:
    _, on_top = incident()
    _, organization = told(replace(MONTH, incident="2h"))
    details = {e["type"]: e[e["type"]] for e in on_top if e["type"] in e}
    taken = next(user_of(e) for e in on_top if e["type"] == "login.succeeded")
    changed = next(e for e in on_top if e["type"] == "organization.updated")
    assert user_of(changed) == taken
    assert changed[changed["type"]]["changes_requested"] == {
        "api_call_logging": "disabled"
    }
    intruder = organization.users[details["user.added"]["id"]]
    assert intruder.role == "owner"
    assert not intruder.email.endswith("@example.com")
    assert "0.0.0.0/0" in details["ip_allowlist.updated"]["allowed_ips"]
    assert "provider" in details["external_storage.registered"]["data"]
    deleted = [e for e in on_top if e["type"].endswith(".deleted")]
    assert {user_of(e) for e in deleted} == {intruder.id}
    assert len(deleted) >= 10
    assert details["invite.sent"]["id"] not in organization.invites
    assert details["api_key.created"]["id"] not in organization.admin_keys


def test_nothing_marks_an_incident() -> None:
    month, on_top = incident()

    def shape(event: Json) -> tuple[object, ...]:
        actor = event["actor"]
        known = {"type", *CATALOGUE} & event.keys()
        session = actor.get("session", {})
        return (
            *sorted(event.keys() - known), *sorted(session), len(event["id"]),
            *sorted(session.get("ip_address_details", {})),
        )  # fmt: skip

    shapes = {shape(event) for event in month}
    by_key = [event for event in on_top if "api_key" in event["actor"]]
    assert {shape(event) for event in on_top if event not in by_key} <= shapes
    assert [set(event["actor"]["api_key"]) for event in by_key] == [
        {"id", "type", "user"}
    ]
    text = json.dumps(on_top).lower()
    assert not re.search("incident|attack|intru|malicious|evil|hack|story", text)


def test_the_workspace_has_the_same_people_and_sees_the_sprayed_passwords() -> None:
    options = replace(MONTH, workspace_events=200, workspace_start="3h", incident="2h")
    log = Log(options, lambda: END)
    files = WorkspaceFiles(options, log.workspace, lambda: END + HOUR)
    events = [json.loads(event.body) for file in files for event in file.events]
    _, on_top = incident()
    foreign = on_top[0]["actor"]["session"]["ip_address"]
    assert len(events) > 200
    assert {e["actor"]["user_id"] for e in events} <= log.organization.users.keys()
    sprayed = [e for e in events if e["request_metadata"]["client_ip"] == foreign]
    assert {e["action_data"]["action"] for e in sprayed} == {"login_failed"}
    assert len({e["actor"]["user_id"] for e in sprayed}) == len(sprayed) > 30


def test_an_incident_shows_as_time_passes() -> None:
    now = END
    log = Log(MONTH, lambda: now)
    month, owners = len(events_of(log)), owners_of(log)
    log.begin_incident(int(END))
    assert len(events_of(log)) == month
    now = END + 10 * 60
    assert {e["type"] for e in events_of(log)[month:]} == {"login.failed"}
    assert owners_of(log) == owners
    now = END + 2 * HOUR
    assert len(owners_of(log)) == len(owners) + 1
    assert len(events_of(log)) > month + 40


def owners_of(log: Log) -> set[str]:
    return {u.id for u in log.organization.users.values() if u.role == "owner"}


def test_an_incident_needs_a_story() -> None:
    with pytest.raises(ValueError, match="an incident needs history=story"):
        Log(replace(MONTH, history="random", incident="2h"), lambda: END)


def test_an_incident_is_begun_on_a_running_sandbox_that_tells_a_story() -> None:
    with SandboxProcess(history="story", events=100, start="30d", end="now") as process:
        before = len(process.control.events())
        process.control.begin_incident()
        process.control.behave(clock_skew_seconds=2 * HOUR)
        assert len(process.control.events()) > before + 40
    with (
        SandboxProcess(events=10) as process,
        pytest.raises(SandboxError, match="an incident needs history=story"),
    ):
        process.control.begin_incident()
