"""Writes the events of the organization's ChatGPT workspace."""

from __future__ import annotations

import json
import random
from datetime import datetime, timezone
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from sandbox.organization.actors import client
from sandbox.organization.things import new_id
from sandbox.organization.workspace_actions import (
    action_end,
    actions,
    hostile_end,
    sign_in_ends,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.organization.things import Organization

AUDIT_LOG, AUTH_LOG = TYPES = ("AUDIT_LOG", "AUTH_LOG")
_PEOPLE = 60  # the first of the organization: they stay for good
_KEYS, _GUESTS = 4, 5
_ORIGINS = 48


class WorkspaceEvent(NamedTuple):
    """One event: its `event_id`, and itself as JSON."""

    id: str
    body: bytes


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
        self._people = [actor_of("ACCOUNT_USER", u.id, u.email) for u in users]
        self._people += [
            actor_of("EXTERNAL_COLLABORATION_USER", new_id(rng, "user"), address)
            for address in (f"guest{number}@example.com" for number in range(_GUESTS))
        ]
        self._keys = [
            actor_of(
                "API_KEY", None, None, redacted_id=f"sk-***{rng.getrandbits(16):04x}"
            )
            for _ in range(_KEYS)
        ]
        self._origins = [_origin(rng, number) for number in range(_ORIGINS)]
        self._actions = actions(rng, organization)
        self._sign_ins = sign_in_ends(rng)

    def write(self, event_type: str, times: Sequence[float]) -> list[WorkspaceEvent]:
        """Return events of a type, one for each time; every action comes in its turn.

        Args:
            event_type: One of TYPES.
            times: Unix seconds.
        """
        made = self._audits if event_type == AUDIT_LOG else self._auths
        return [
            self._event(event_type, at, actor, end)
            for at, (actor, end) in zip(times, made(len(times)), strict=True)
        ]

    def request(
        self, action: str, data: dict[str, object], at: float
    ) -> WorkspaceEvent:
        """Return the event that a request of the workspace's own key leaves behind."""
        return self._event(AUDIT_LOG, at, self._keys[0], action_end(action, data))

    def hostile(self, event_type: str, at: float) -> WorkspaceEvent:
        """Return an event of unknown action and fields, big numbers and rude texts."""
        return self._event(event_type, at, self._people[0], hostile_end())

    def _audits(self, count: int) -> Iterator[tuple[bytes, bytes]]:
        order = self._rng.sample(self._actions, len(self._actions))
        for action in islice(cycle(order), count):
            actors = self._keys if action.by_key else self._people
            yield self._rng.choice(actors), self._rng.choice(action.ends)

    def _auths(self, count: int) -> Iterator[tuple[bytes, bytes]]:
        order = self._rng.sample(self._sign_ins, len(self._sign_ins))
        for end in islice(cycle(order), count):
            yield self._rng.choice(self._people), end

    def _event(
        self,
        event_type: str,
        at: float,
        actor: bytes,
        end: bytes,
        origin: bytes | None = None,
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
            rng.choice(self._origins) if origin is None else origin,
            end,
        )
        return WorkspaceEvent(event_id, body)


def timestamp(at: float, microseconds: int = 0) -> str:
    """Return a moment as ISO 8601 in UTC; without a fraction if there is none."""
    whole = datetime.fromtimestamp(int(at), timezone.utc).replace(tzinfo=None)
    fraction = f".{microseconds:06}" if microseconds else ""
    return f"{whole.isoformat()}{fraction}Z"


def actor_of(kind: str, user_id: str | None, email: str | None, **more: str) -> bytes:
    """Return who does something as part of an event."""
    return _dump({"type": kind, "user_id": user_id, "user_email": email, **more})


def request_metadata(seen: dict[str, Any]) -> dict[str, Any]:
    """Return a `client` of the organization's log as the workspace describes it."""
    return {
        "client_ip": seen["ip_address"],
        "client_ip_details": seen["ip_address_details"],
        "client_user_agent": seen["user_agent"],
        "client_ja3": seen["ja3"],
        "client_ja4": seen["ja4"],
        "destination_hostname": "chatgpt.com",
    }


def _origin(rng: random.Random, number: int) -> bytes:
    """Return `request_metadata` as part of an event: one in four is complete.

    Any part of it may be missing, null or empty, and so may be the whole.
    """
    seen = client(rng, number)
    details = seen["ip_address_details"]
    details["asn"] = ("", details["asn"], f"AS{details['asn']}")[number % 3]
    metadata = request_metadata(seen)
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
    return origin_of(metadata)


def origin_of(metadata: dict[str, Any]) -> bytes:
    """Return `request_metadata` as part of an event."""
    return b',"request_metadata":' + _dump(metadata)


def _dump(value: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
