"""What holds for every sentence, whatever is in the event.

One query makes the sentences of many events, from tables like those of other models.
"""

from __future__ import annotations

import csv
import json
import re
from contextlib import closing
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

from testing.warehouse import PROJECT, Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

with (PROJECT / "seeds/openai_audit__event_types.csv").open(encoding="utf-8") as _seed:
    CATALOGUE = {row["event_type"]: row for row in csv.DictReader(_seed)}
#: Those of an organization: the sentences of a workspace name nothing.
TYPES = sorted(name for name in CATALOGUE if name.islower() and "." in name)
VERBS = {
    row[column].split()[0].split("{")[0]
    for row in CATALOGUE.values()
    for column in ("sentence", "otherwise")
    if row[column]
} | {"performed"}
#: How names are written here, so that each is found in a sentence.
NAME = re.compile(r"Nm\w+?x")
#: Ids with a name that is known. Each stands for itself alone.
NAMES = {
    "user-1": "Nm1x",
    "user_2": "Nm2x",
    "svc_1": "Nm3x",
    "group-1": "Nm4x",
    "role-1": "Nm5x",
    "proj_1": "Nm6x",
    "proj_2": "Nm7x",
    "key_1": "Nm8x",
    "thing-1": "Nm9x",
}
UNNAMED = ["user-8", "svc_8", "group-8", "role-8", "proj_8", "key_8", "thing-8"]
#: Where the lists say that a key and a service account are.
HOMES = {"key_1": "proj_2", "svc_1": "proj_2"}
LISTS = {
    "ip_allowlist.updated": (["allowed_ips"], False),
    "ip_allowlist.created": (["allowed_ips"], False),
    "api_key.created": (["data", "scopes"], False),
    "api_key.updated": (["changes_requested", "scopes"], False),
    "role.created": (["permissions"], False),
    "role.updated": (["changes_requested", "permissions_removed"], False),
    "certificates.activated": (["certificates"], True),
    "ip_allowlist.config.deactivated": (["configs"], True),
}

TYPES_OF = {
    "occurred_at": "timestamp",
    "loaded_at": "timestamp",
    "latitude": "double",
    "longitude": "double",
    "asn": "bigint",
    "batch": "bigint",
    "details": "json",
}


@dataclass
class Happened:
    """An event, and what its sentence may and must say.

    Attributes:
        row: Its columns.
        listed: The elements of its list.
    """

    row: dict[str, Any]
    listed: list[str]

    @property
    def actor(self) -> str:
        """Return what a sentence calls the actor, by the columns alone."""
        row = self.row
        kinds = {"user": "user ", "service_account": "service account "}
        person = kinds.get(row["actor_kind"], "") + (row["actor_id"] or "")
        if name := NAMES.get(row["actor_id"]):
            email = row["actor_email"]
            person = f"{name} ({email})" if email else name
        elif row["actor_email"]:
            person = row["actor_email"]
        if row["actor_kind"] == "other":
            return f"an unknown actor ({row['actor_type']})"
        if key := row["api_key_id"]:
            called = f"key “{NAMES[key]}”" if key in NAMES else f"key {key}"
            return called if row["actor_kind"] == "api_key" else f"{called} of {person}"
        return person if row["actor_kind"] != "none" else "an unknown actor"

    @property
    def ids(self) -> list[str]:
        """Return the ids that the event holds where they mean something."""
        said = {**self.row}
        in_project = CATALOGUE[self.row["event_type"]]["in_project"] == "true"
        if self.row["api_key_id"] or not in_project:
            said["project_id"] = said["project_name"] = None
        text = json.dumps(said, ensure_ascii=False)
        return re.findall(r"(?:user|svc|group|role|proj|key|thing)[-_]\d", text)

    @property
    def names(self) -> set[str]:
        """Return the names that the sentence may have."""
        led_to = {*self.ids, *(HOMES[id_] for id_ in self.ids if id_ in HOMES)}
        held = {k: v for k, v in self.row.items() if k != "project_name"}
        names = set(NAME.findall(json.dumps(held, ensure_ascii=False)))
        if self.row["project_id"] in self.ids:
            names |= {self.row["project_name"]}
        return names | {NAMES[id_] for id_ in led_to if id_ in NAMES}


def happened(event_type: str, chance: Random) -> Happened:
    """Make an event up: anything that is optional may be there."""

    def some(*values: Any) -> Any:
        return chance.choice(values)

    def maybe() -> bool:
        return chance.random() < 1 / 2

    kind = some("user", "service_account", "api_key", "none", "other")
    by_key = kind == "api_key" or (kind not in {"none", "other"} and maybe())
    actor_ids = {
        "user": ("user-1", "user-8"),
        "service_account": ("svc_1", "svc_8"),
        "api_key": ("key_9",),
    }
    actor_id = some(*actor_ids.get(kind, (None,)))
    project = some(None, "proj_1", "proj_8")
    # Nobody does something to themselves here, so that no name has to be said twice.
    object_id = some(None, *(id_ for id_ in (*NAMES, *UNNAMED) if id_ != actor_id))
    details: dict[str, Any] = {}
    listed: list[str] = []
    batch: list[str] = []
    if event_type in LISTS:
        path, by_name = LISTS[event_type]
        numbers = chance.sample(range(99), some(0, 1, 2, 5, 6, 9))
        listed = [f"Nm{number:0>40}x" for number in numbers]
        items: Any = [{"name": text} for text in listed] if by_name else listed
        for key in reversed(path):
            items = {key: items}
        details = items
        if by_name:
            object_id, batch = None, listed
    if "assignment" in event_type:
        details = {
            "role_id": some(*{None, "role-1", "role-9"} - {object_id}),
            "principal_type": some(None, "user", "service_account"),
        }
        if maybe() and object_id != "proj_2":
            details |= {"resource_id": "proj_2", "resource_type": "api.project"}
    if event_type == "login.failed":
        details = {
            "error_code": some(None, "", "wrong"),
            "error_message": some(None, "", "NmErrorx"),
        }
    row = {
        "event_type": event_type,
        "actor_kind": kind,
        "actor_type": "NmSyncx" if kind == "other" else None,
        "actor_id": actor_id,
        "actor_email": some(None, "NmMailx@example.com") if kind == "user" else None,
        "api_key_id": "key_9" if by_key else None,
        "project_id": project,
        "project_name": NAMES.get(project, "NmOthersx") if project else None,
        "object_id": object_id,
        "object_names": ", ".join(batch) or None,
        "new_name": some(None, "NmNewx", NAMES.get(object_id)),
        "role": some(None, "owner"),
        "target": ", ".join(details.get("allowed_ips", [])) or some(None, "NmTargetx"),
        "details": details,
    }
    return Happened(row, listed)


@pytest.fixture(scope="module")
def connection(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the mart alone, above tables that a test fills."""
    directory = tmp_path_factory.mktemp("sentences")
    file = directory / "audit.duckdb"
    warehouse = Warehouse("duckdb", directory, None, "tests", file)
    mart = (PROJECT / "models/marts/openai_audit__events.sql").read_text("utf-8")
    query = warehouse.compiled(mart)
    tables = {
        "openai_audit__names": "account_id text, id text, kind text, name text,"
        " email text, known_from timestamp, known_until timestamp",
        "int_openai_audit__listed": "stream text, organization_id text, id text,"
        " project_id text",
        "int_openai_audit__matches": "event_id text, rule text",
    }
    about = PROJECT / "models/intermediate/_intermediate.yml"
    for model in yaml.safe_load(about.read_text("utf-8"))["models"]:
        if model["name"] == "int_openai_audit__events":
            tables[model["name"]] = ", ".join(
                f"{column['name']} {TYPES_OF.get(column['name'], 'text')}"
                for column in model["columns"]
            )
    with closing(duckdb.connect(str(file))) as connection:
        connection.execute(f"create schema if not exists {warehouse.answers}")
        connection.execute(f"use {warehouse.answers}")
        for name, columns in tables.items():
            connection.execute(f"create table {name} ({columns})")
        connection.execute(
            "create table openai_audit__event_types as select * from read_csv(?,"
            " header=true, all_varchar=true)",
            [str(PROJECT / "seeds/openai_audit__event_types.csv")],
        )
        connection.execute(
            "alter table openai_audit__event_types alter column in_project type boolean"
        )
        connection.executemany(
            "insert into openai_audit__names (account_id, id, kind, name)"
            " values ('o', ?, 'thing', ?)",
            [[id_, name] for id_, name in NAMES.items()],
        )
        connection.executemany(
            "insert into int_openai_audit__listed values"
            " ('project_api_keys', 'o', ?, ?)",
            [[id_, project] for id_, project in HOMES.items()],
        )
        connection.execute(f"create view said as {query}")
        yield connection


def check(happened: Happened, sentence: str) -> None:
    actor = happened.actor
    assert sentence.startswith(f"{actor} ")
    verb = sentence.removeprefix(f"{actor} ").split()[0].rstrip(":,")
    assert verb in VERBS
    said = NAME.findall(sentence)
    assert set(said) <= happened.names, "a name that the event does not lead to"
    assert len(said) == len(set(said)), "a name twice"
    assert sentence.count(" in the project ") <= 1
    assert not re.search(r"“\s*”|\(\s*\)|[{}]|  |\s$", sentence)
    assert sentence.count("“") == sentence.count("”")
    assert sentence.count("(") == sentence.count(")")
    named = [id_ for id_ in happened.ids if id_ in NAMES]
    assert not [id_ for id_ in named if id_ in sentence], "an id that has a name"
    if listed := happened.listed:
        by_name = LISTS[happened.row["event_type"]][1]
        shown = [f"“{text}”" if by_name else text for text in listed[:5]]
        more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
        assert ", ".join(shown) + more in sentence
    else:
        assert " more" not in sentence


def test_every_sentence_says_what_the_event_holds_and_no_more(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    chance = Random(20261201)  # noqa: S311
    history = [happened(name, chance) for name in TYPES for _ in range(8)]
    history += [happened(name, chance) for name in LISTS for _ in range(30)]
    written = tmp_path / "events.jsonl"
    with written.open("w") as file:
        for place, event in enumerate(history):
            file.write(json.dumps({"event_id": str(place), **event.row}) + "\n")
    columns = ["event_id", *history[0].row]
    kinds = ", ".join(f"'{c}': '{TYPES_OF.get(c, 'text')}'" for c in columns)
    connection.execute(
        "insert into int_openai_audit__events"
        f" (account_id, source, occurred_at, {', '.join(columns)})"
        f" select 'o', 'organization', '2026-11-01', {', '.join(columns)}"
        f" from read_json(?, columns={{{kinds}}})",
        [str(written)],
    )
    told = connection.execute("select event_id, sentence from said").fetchall()
    assert len(told) == len(history)
    wrong = {}
    for place, sentence in told:
        event = history[int(place)]
        try:
            check(event, sentence)
        except AssertionError as error:
            wrong[sentence] = f"{error}".splitlines()[0], event.row
    assert not wrong, f"{len(wrong)}, such as {next(iter(wrong.items()))}"
