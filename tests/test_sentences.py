from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
from meltano_project import program_of

from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.demo.postgres import Database

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SENTENCES = README.partition("<!-- sentences -->\n```sql\n")[2].partition("```")[0]
SCHEMA = "sentences"
DEADLINE = 300  # seconds; bounds a hang, and nothing else
Json = dict[str, Any]

GONE = re.compile(
    rb'"stream":"(users|projects|project_service_accounts|project_api_keys|roles)",'
    rb'"record"'
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(events=200, tenant_events=20, start="6d", end="now") as process:
        yield process


class Organization:
    """What there is to name, as the official client lists it."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        client = openai.OpenAI(base_url=sandbox.url, admin_api_key=sandbox.admin_key)
        of = client.admin.organization
        users = [user.to_dict() for user in of.users.list()]
        self.users = {user["id"]: user["name"] for user in users}
        self.ada, self.bo, *_ = users
        (self.project, *_) = plain(of.projects.list())
        self.home = {"id": self.project["id"], "name": "its former name"}
        of_project = of.projects
        (self.robot, *_) = plain(of_project.service_accounts.list(self.project["id"]))
        self.keys = plain(
            of_project.api_keys.list(self.project["id"], owner_project_access="any")
        )
        (self.admin_key, *_) = plain(of.admin_api_keys.list())
        (self.group, *_) = plain(of.groups.list())
        (self.invite, *_) = plain(of.invites.list())
        (self.role, *_) = plain(of.roles.list())
        self.certificates = plain(of.certificates.list())
        client.close()

    @property
    def by_ada(self) -> Json:
        user = {"id": self.ada["id"], "email": "old.address@example.com"}
        return {"type": "session", "session": {"user": user}}

    @property
    def by_robot(self) -> Json:
        (key, *_) = [k for k in self.keys if k["owner"]["type"] == "service_account"]
        of = {"type": "service_account", "service_account": {"id": self.robot["id"]}}
        return {"type": "api_key", "api_key": {"id": key["id"], **of}}

    @property
    def by_admin_key(self) -> Json:
        owner = {"id": self.admin_key["owner"]["id"]}
        of = {"id": self.admin_key["id"], "type": "user", "user": owner}
        return {"type": "api_key", "api_key": of}


def plain(page: Any) -> list[Json]:
    return [item.to_dict() for item in page.data]


@pytest.fixture(scope="module")
def organization(sandbox: SandboxProcess) -> Organization:
    return Organization(sandbox)


@pytest.fixture(scope="module")
def told(organization: Organization) -> dict[str, tuple[Json, str]]:
    """Events with what each should read as, by the id of the event."""
    o = organization
    ada, bo, project = o.ada["name"], o.bo["name"], o.project["name"]
    robot = o.robot["name"]
    robots = o.by_robot["api_key"]["id"]
    (name,) = [key["name"] for key in o.keys if key["id"] == robots]
    key, admin_key = f'the key "{name}"', f'the key "{o.admin_key["name"]}"'
    admin, new = o.admin_key["owner"]["name"], o.keys[-1]["name"]
    pair = sorted(o.certificates[:2], key=lambda found: found["id"])
    gone = {"type": "session", "session": {"user": {"email": "gone@example.com"}}}
    stories: list[tuple[str, Json | None, Json | None, Json | None, str]] = [
        ("user.updated", o.by_ada, None, o.bo, f'{ada} updated user "{bo}"'),
        (
            "api_key.created",
            o.by_robot,
            o.home,
            o.keys[-1],
            f'{robot} with {key} created api key "{new}" in the project "{project}"',
        ),
        (
            "invite.sent",
            o.by_admin_key,
            None,
            {"id": o.invite["id"], "data": {"email": "other@example.com"}},
            f'{admin} with {admin_key} sent invite "{o.invite["email"]}"',
        ),
        (
            "project.archived",
            o.by_ada,
            None,
            o.project,
            f'{ada} archived project "{project}"',
        ),
        (
            "service_account.updated",
            o.by_ada,
            o.home,
            o.robot,
            f'{ada} updated service account "{robot}" in the project "{project}"',
        ),
        (
            "api_key.deleted",
            o.by_ada,
            None,
            o.admin_key,
            f'{ada} deleted api key "{o.admin_key["name"]}"',
        ),
        (
            "role.assignment.created",
            o.by_ada,
            None,
            {"id": "assignment_1", "principal_id": o.group["id"]},
            f'{ada} created role assignment "{o.group["name"]}"',
        ),
        (
            "role.updated",
            o.by_ada,
            None,
            o.role,
            f'{ada} updated role "{o.role["name"]}"',
        ),
        (
            "certificates.activated",
            o.by_ada,
            None,
            {"certificates": [{"id": found["id"]} for found in pair]},
            f'{ada} activated certificates "{pair[0]["name"]}", "{pair[1]["name"]}"',
        ),
        ("login.failed", o.by_ada, None, {}, f"{ada} failed to log in"),
        ("logout.succeeded", gone, None, None, "gone@example.com logged out"),
        (
            "group.created",
            None,
            None,
            {"id": "group_gone", "data": {"group_name": "Night shift"}},
            'Somebody created group "Night shift"',
        ),
        (
            "user.deleted",
            gone,
            {"id": "proj_gone", "name": "Old project"},
            {"id": "user-gone"},
            'gone@example.com deleted user "user-gone" in the project "Old project"',
        ),
    ]
    found = {}
    for number, (kind, actor, home, details, sentence) in enumerate(stories):
        event = {
            "id": f"audit_log-told{number:020}",
            "type": kind,
            "effective_at": int(time.time()) - 60 * (number + 1),
            "actor": actor,
            "project": home,
        }
        if details is not None:
            event[kind] = details
        found[str(event["id"])] = (event, sentence)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("database")


@pytest.fixture(scope="module")
def messages(
    folder: Path, sandbox: SandboxProcess, told: dict[str, tuple[Json, str]]
) -> list[bytes]:
    """What the tap extracted, with all reference streams."""
    sandbox.control.add_events(raw=[event for event, _ in told.values()])
    old = int(time.time()) - 8 * 86_400
    sandbox.control.add_events(3, at=old)
    return extracted(sandbox, folder).splitlines(keepends=True)


@pytest.fixture(scope="module")
def database(messages: list[bytes], postgres: Database) -> Iterator[Any]:
    """PostgreSQL with what target-postgres loaded."""
    # Loaded a second time without these objects: they are gone.
    load(messages, postgres)
    load([m for m in messages if not GONE.search(m)], postgres)
    with postgres.connect(SCHEMA) as connection:
        yield connection


def extracted(sandbox: SandboxProcess, folder: Path) -> bytes:
    config = {
        "organization_id": sandbox.organization_id,
        "admin_key": sandbox.admin_key,
        "api_url": sandbox.url,
    }
    catalog = json.loads(tap("--discover"))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = True
    arguments = []
    for name, content in (("config", config), ("catalog", catalog)):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        arguments += [f"--{name}", str(path)]
    return tap(*arguments)


def tap(*arguments: str) -> bytes:
    command = [sys.executable, "-m", "tap_openai_audit", *arguments]
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, timeout=DEADLINE
    ).stdout


def load(messages: list[bytes], postgres: Database) -> None:
    loaded = subprocess.run(
        [program_of("target-postgres"), "--config", "ENV"],
        check=False,
        capture_output=True,
        input=b"".join(messages),
        timeout=DEADLINE,
        env={
            **os.environ,
            **postgres.environment,
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": SCHEMA,
            "TZ": "Asia/Tokyo",
        },
    )
    assert loaded.returncode == 0, loaded.stderr.decode()[-2000:]


@pytest.fixture(scope="module")
def asked_at() -> list[float]:
    """The moments between which `sentences` was asked for."""
    return []


@pytest.fixture(scope="module")
def sentences(database: Any, asked_at: list[float]) -> dict[str, str]:
    asked_at.append(time.time())
    rows = database.execute(SENTENCES).fetchall()
    asked_at.append(time.time())
    assert rows == sorted(rows, key=lambda row: row[0])
    found = {id_: sentence for _, id_, sentence in rows}
    assert len(found) == len(rows)
    return found


def test_each_event_of_the_week_is_one_sentence(
    sentences: dict[str, str], asked_at: list[float], sandbox: SandboxProcess
) -> None:
    begin, end = (moment - 7 * 86_400 for moment in asked_at)
    events = sandbox.control.events()
    assert sentences.keys() >= {e.id for e in events if e.effective_at > end}
    assert sentences.keys() <= {e.id for e in events if e.effective_at > begin}
    assert any(event.effective_at < begin for event in events)


def test_sentences_say_who_did_what_to_what_even_if_it_is_gone(
    sentences: dict[str, str], told: dict[str, tuple[Json, str]]
) -> None:
    expected = {id_: sentence for id_, (_, sentence) in told.items()}
    assert {id_: sentences[id_] for id_ in told} == expected


def test_who_exists_is_called_by_name(
    sentences: dict[str, str], organization: Organization, database: Any
) -> None:
    actors = database.execute("SELECT id, actor FROM audit_logs").fetchall()
    named = 0
    for id_, actor in actors:
        session = (actor or {}).get("session") or {}
        name = organization.users.get(session.get("user", {}).get("id"))
        if id_ in sentences and name is not None:
            assert sentences[id_].startswith(f"{name} ")
            named += 1
    assert named > len(sentences) / 2


def test_the_time_zone_of_a_session_does_not_change_the_week(
    database: Any, sentences: dict[str, str]
) -> None:
    database.execute("SET TIME ZONE 'Pacific/Kiritimati'")
    try:
        rows = database.execute(SENTENCES).fetchall()
    finally:
        database.execute("RESET TIME ZONE")
    assert {row[1] for row in rows} == sentences.keys()
