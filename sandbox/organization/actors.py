"""Who events are by: sessions on several devices, API keys, nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.organization.things import User

if TYPE_CHECKING:
    import random

    from sandbox.organization.things import Organization, Project, ServiceAccount

_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
_AGENTS = (
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_BLINK}",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Edg/142.0.0.0",
    f"Mozilla/5.0 (X11; Linux x86_64) {_BLINK} OPR/127.0.0.0",
)
_PLACES = (
    ("FR", "Paris", "Île-de-France", "IDF", "64500", "48.85341", "2.34880"),
    ("US", "San Francisco", "California", "CA", "64501", "37.77493", "-122.41942"),
    ("JP", "東京都", "東京", "13", "64502", "35.68950", "139.69171"),
    ("BR", "São Paulo", "São Paulo", "SP", "64503", "-23.54750", "-46.63611"),
    ("DE", "Köln", "Nordrhein-Westfalen", "NW", "64504", "50.93333", "6.95000"),
    ("ZA", "", "", "", "64505", "-29.00000", "24.00000"),
)
_PLACE_FIELDS = (
    "country", "city", "region", "region_code", "asn", "latitude", "longitude",
)  # fmt: skip
_NETWORKS = ("203.0.113.{}", "198.51.100.{}", "2001:db8:{0:x}::{0:x}:5")
_DEVICES = 3
_SHARE_OF_SESSIONS, _SHARE_OF_KEYS, _SHARE_OF_NOBODY = 80, 15, 5


class Actor(NamedTuple):
    """One way an event can be by somebody.

    Attributes:
        body: The event's `actor` as JSON.
        weight: How often it acts, relative to others.
        names: The ids it consists of; it stops acting when one of them is deleted.
        project: Where its events count whatever they are about, for admin keys.
    """

    body: bytes
    weight: float
    names: frozenset[str]
    project: Project | None = None


def actors(rng: random.Random, organization: Organization) -> list[Actor]:
    """Return everybody who can act in an organization."""
    users = list(organization.users.values())
    keys = list(organization.api_keys.values())
    admins = list(organization.admin_keys.values())
    found = []
    for user in users:
        for device in range(_DEVICES):
            weight = _SHARE_OF_SESSIONS / len(users) / _DEVICES
            found.append(_session(rng, user, device, weight))
    weight = _SHARE_OF_KEYS / (len(keys) + len(admins))
    default = next(iter(organization.projects.values()))
    found += [_key(key.id, key.owner, weight, None) for key in keys]
    found += [_key(key.id, key.owner, weight, default) for key in admins]
    found.append(Actor(b"null", _SHARE_OF_NOBODY, frozenset()))
    return found


def actor_of_unknown_kind() -> Actor:
    """Return an actor of a kind that no document knows: such kinds will come."""
    name = "wif_4a91"
    actor = {"type": "workload_identity", "workload_identity": {"id": name}}
    return Actor(_dump(actor), 1, frozenset({name}))


def _session(rng: random.Random, user: User, device: int, weight: float) -> Actor:
    email = user.email
    if rng.random() < 0.1:  # noqa: PLR2004 - one device in ten shows capitals
        email = email.upper()
    session = {"user": {"id": user.id, "email": email}, **client(rng, device)}
    body = _dump({"type": "session", "session": session})
    return Actor(body, weight, frozenset({user.id}))


def client(rng: random.Random, device: int) -> dict[str, Any]:
    """Return what a device shows of itself, as sessions have it."""
    fingerprint = f"{rng.getrandbits(128):032x}"
    return {
        "ip_address": rng.choice(_NETWORKS).format(rng.randrange(1, 255)),
        "user_agent": _AGENTS[device % len(_AGENTS)],
        "ja3": fingerprint,
        "ja4": f"t13d1516h2_{fingerprint[:12]}_{fingerprint[-12:]}",
        "ip_address_details": dict(
            zip(_PLACE_FIELDS, rng.choice(_PLACES), strict=True)
        ),
    }


def _key(
    key_id: str, owner: User | ServiceAccount, weight: float, project: Project | None
) -> Actor:
    key: dict[str, object] = {"id": key_id}
    if isinstance(owner, User):
        key |= {"type": "user", "user": {"id": owner.id, "email": owner.email}}
    else:
        key |= {"type": "service_account", "service_account": {"id": owner.id}}
    body = _dump({"type": "api_key", "api_key": key})
    return Actor(body, weight, frozenset({key_id, owner.id}), project)


def _dump(value: object) -> bytes:
    # Indented: the size of an event then is about that of real ones.
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text.replace("\n", "\n      ").encode()
