"""Writes the events of the organization's ChatGPT workspace."""

from __future__ import annotations

import json
import random
from datetime import datetime, timezone
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from sandbox.organization.actors import client
from sandbox.organization.things import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.organization.things import Organization

AUDIT_LOG, AUTH_LOG = TYPES = ("AUDIT_LOG", "AUTH_LOG")
#: OpenAI documents these actions; more will come.
_ACTIONS: list[str] = json.loads(
    Path(__file__).with_name("workspace_actions.json").read_text("utf-8")
)
#: Actions that begin so are requests of API keys, the others are people's.
_OF_KEYS = (
    "ADD_WORKSPACE_", "DELETE_", "DOWNLOAD_", "EXPORT_", "GET_", "ISOLATE_", "LIST_",
    "UNPUBLISH_",
)  # fmt: skip
_SIGN_INS = (
    *["login_success"] * 5, *["logout_success"] * 2, "login_failed", "token_issued",
)  # fmt: skip
#: What `action_data` may hold, by a word of the action.
_DATA: dict[str, dict[str, object]] = {
    "ALLOWLIST": {"enabled": True, "ip_ranges": ["203.0.113.0/24", "2001:db8::/48"]},
    "APP": {"app_id": "app_7f31", "app_name": "Kalendář"},
    "CODE": {"environment_id": "env_20c4", "repository": "example/search"},
    "CODEX": {"task_id": "task_81aa"},
    "CONVERSATION": {"conversation_id": "68fe01d2-7a1c-8330-9b07-2f6f0a6c1d55"},
    "DOMAIN": {"domain": "example.com", "verified": False},
    "FEATURE": {"feature": "canvas", "enabled": True, "previous": None},
    "FILE": {"file_id": "file-9Qx2", "file_name": "Übersicht Q3 (final).xlsx"},
    "GPT": {"gpt_id": "g-4b1c", "gpt_name": "Onboarding 助手", "sharing": "workspace"},
    "INSTRUCTION": {"system_instruction": "Odpovídej stručně.\nAnswer in English."},
    "INVITE": {"emails": ["guest1@example.com", "guest2@example.com"], "role": None},
    "INVITES": {"emails_enabled": False},
    "OVERAGE": {"limit": 12500.5, "currency": "EUR"},
    "POLICY": {"policy": {"text": "No customer data.", "versions": [1, 2, 2.5]}},
    "PROJECT": {"project_id": "g-p-12ab", "project_name": "R&D <lab>"},
    "SAML": {"connection_id": "conn_5d", "issuer": "https://idp.example.com"},
    "SESSION": {"session_id": "sess_77", "reason": ""},
    "SKILL": {"skill_id": "skill_0e", "skill_name": "Rédaction"},
    "TOKEN": {"token_id": "pat_31", "token_name": "laptop ✓", "expires_at": None},
}
_HOSTILE = {
    "action": "FUTURE_THING_HAPPENED",
    "action_data": {
        "__proto__": {"": [[[None]]], "a.b": True},
        "name": "=HYPERLINK() \u202egpj.exe\u2066 '; DROP TABLE x; -- {{ y }} %s",
        "note": "\x00 \x1b[31m \ud800 \u2028 👩\u200d💻",
        "numbers": [9007199254740993, 10**30, 1e-7, -0.0],
    },
    "x_new_top_level": {"déjà": [1, 2.5, None, True]},
}
#: Numbers that a float cannot hold: written into the text, as they stand.
_BIG = (
    b',"x_big":[1234567890123456789012345678901234567890,0.1234567890123456789,1e400]'
)
_PEOPLE, _GROUPS = 60, 8  # the first of the organization: they stay for good
_KEYS, _GUESTS = 4, 5
_ORIGINS = 48
_VARIANTS = 3


class WorkspaceEvent(NamedTuple):
    """One event: its `event_id`, and itself as JSON."""

    id: str
    body: bytes


class _Action(NamedTuple):
    """An action of AUDIT_LOG: what follows the actor in its events, ready as JSON."""

    by_key: bool
    variants: tuple[bytes, ...]


class WorkspaceWriter:
    """Makes the events of one workspace, whose people are the organization's."""

    def __init__(
        self, seed: int, workspace_id: str, organization: Organization
    ) -> None:
        """Look at who is there.

        Args:
            seed: The same seed makes the same events.
            workspace_id: The workspace's id.
            organization: Whose people act.
        """
        self._rng = rng = random.Random(f"{seed} workspace")
        self._principal = _dump({"id": workspace_id, "type": "CHATGPT_WORKSPACE"})
        users = list(organization.users.values())[:_PEOPLE]
        self._people = [_actor("ACCOUNT_USER", u.id, u.email) for u in users]
        self._people += [
            _actor("EXTERNAL_COLLABORATION_USER", new_id(rng, "user"), address)
            for address in (f"guest{number}@example.com" for number in range(_GUESTS))
        ]
        self._keys = [
            _actor(
                "API_KEY", None, None, redacted_id=f"sk-***{rng.getrandbits(16):04x}"
            )
            for _ in range(_KEYS)
        ]
        self._origins = [_origin(rng, number) for number in range(_ORIGINS)]
        targets = [{"user_id": u.id, "user_email": u.email} for u in users]
        groups = [
            {"group_id": g.id, "name": g.name}
            for g in list(organization.groups.values())[:_GROUPS]
        ]
        self._actions = [_action(rng, name, targets, groups) for name in _ACTIONS]
        self._sign_ins = [_sign_in(rng, name) for name in _SIGN_INS]

    def write(self, event_type: str, times: Sequence[float]) -> list[WorkspaceEvent]:
        """Return events of a type, one for each time; every action comes in its turn.

        Args:
            event_type: One of TYPES.
            times: Unix seconds.
        """
        tails = self._audits if event_type == AUDIT_LOG else self._auths
        return [
            self._event(event_type, at, actor, tail)
            for at, (actor, tail) in zip(times, tails(len(times)), strict=True)
        ]

    def request(
        self, action: str, data: dict[str, object], at: float
    ) -> WorkspaceEvent:
        """Return the event that a request of the workspace's own key leaves behind."""
        tail = _audit(action, "SUCCESS", data)
        return self._event(AUDIT_LOG, at, self._keys[0], tail)

    def hostile(self, event_type: str, at: float) -> WorkspaceEvent:
        """Return an event of unknown action and fields, big numbers and rude texts."""
        tail = b"," + _dump(_HOSTILE, ascii_only=True)[1:-1] + _BIG
        return self._event(event_type, at, self._people[0], tail)

    def _audits(self, count: int) -> Iterator[tuple[bytes, bytes]]:
        order = self._rng.sample(self._actions, len(self._actions))
        for action in islice(cycle(order), count):
            actors = self._keys if action.by_key else self._people
            yield self._rng.choice(actors), self._rng.choice(action.variants)

    def _auths(self, count: int) -> Iterator[tuple[bytes, bytes]]:
        order = self._rng.sample(self._sign_ins, len(self._sign_ins))
        for tail in islice(cycle(order), count):
            yield self._rng.choice(self._people), tail

    def _event(
        self, event_type: str, at: float, actor: bytes, tail: bytes
    ) -> WorkspaceEvent:
        rng = self._rng
        event_id = str(UUID(bytes=rng.randbytes(16), version=4))
        body = (
            b'{"event_id":"%b","type":"%b","timestamp":"%b",'
            b'"principal":%b,"actor":%b%b%b}'
        ) % (
            event_id.encode(),
            event_type.encode(),
            timestamp(at, rng.choice((0, rng.randrange(1_000_000)))).encode(),
            self._principal,
            actor,
            rng.choice(self._origins),
            tail,
        )
        return WorkspaceEvent(event_id, body)


def timestamp(at: float, microseconds: int = 0) -> str:
    """Return a moment as ISO 8601 in UTC; without a fraction if there is none."""
    whole = datetime.fromtimestamp(int(at), timezone.utc).replace(tzinfo=None)
    fraction = f".{microseconds:06}" if microseconds else ""
    return f"{whole.isoformat()}{fraction}Z"


def _actor(kind: str, user_id: str | None, email: str | None, **more: str) -> bytes:
    return _dump({"type": kind, "user_id": user_id, "user_email": email, **more})


def _origin(rng: random.Random, number: int) -> bytes:
    """Return `request_metadata` as part of an event: one in four is complete.

    Any part of it may be missing, null or empty, and so may be the whole.
    """
    seen = client(rng, number)
    details = seen["ip_address_details"]
    details["asn"] = ("", details["asn"], f"AS{details['asn']}")[number % 3]
    metadata = {
        "client_ip": seen["ip_address"],
        "client_ip_details": details,
        "client_user_agent": seen["user_agent"],
        "client_ja3": seen["ja3"],
        "client_ja4": seen["ja4"],
        "destination_hostname": "chatgpt.com",
    }
    if number < 3:  # noqa: PLR2004 - three of them are as good as nothing
        return (b"", b',"request_metadata":null', b',"request_metadata":{}')[number]
    name = list(metadata)[number // 4 % len(metadata)]
    match number % 4:
        case 1:
            del metadata[name]
        case 2:
            metadata[name] = None
        case 3:
            metadata[name] = {} if name == "client_ip_details" else ""
    return b',"request_metadata":' + _dump(metadata)


def _action(
    rng: random.Random,
    name: str,
    users: list[dict[str, str]],
    groups: list[dict[str, str]],
) -> _Action:
    words = set(name.split("_"))
    variants = []
    for number in range(_VARIANTS):
        data: dict[str, object] = {}
        for word in sorted(words & _DATA.keys()):
            data |= _DATA[word]
        if words & {"USER", "USERS", "OWNER", "ROLE"}:
            data |= rng.choice(users)
        if words & {"GROUP", "GROUPS"}:
            data |= rng.choice(groups)
        result = ("SUCCESS", "SUCCESS", rng.choice(("BLOCKED", "ERROR")))[number]
        variants.append(_audit(name, result, dict(sorted(data.items()))))
    return _Action(name.startswith(_OF_KEYS), tuple(variants))


def _audit(action: str, result: str, data: dict[str, object]) -> bytes:
    fields = {
        "action": action,
        "action_result": result,
        "action_privilege": "ADMIN",
        "action_data": data,
    }
    return b"," + _dump(fields)[1:-1]


def _sign_in(rng: random.Random, action: str) -> bytes:
    data = {
        "action": action,
        "role": rng.choice(("account-owner", "account-admin", "standard-user")),
        "auth_provider_name": rng.choice(("saml", "google-oauth2", "password", None)),
    }
    return b',"action_data":' + _dump(data)


def _dump(value: Any, *, ascii_only: bool = False) -> bytes:  # noqa: ANN401 - JSON
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    return text.encode()
