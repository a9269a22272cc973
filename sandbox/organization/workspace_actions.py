"""What is done in a workspace: for each action, the end of an event as ready JSON.

Such an end follows the actor: it begins with a comma and lacks the closing brace.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random

    from sandbox.organization.things import Organization

#: The documented actions; those of this category are requests of API keys.
_CATALOGUE = (
    Path(__file__).parents[2] / "tap_openai_audit" / "audit_logs" / "event_types.json"
)
_OF_KEYS = "compliance_api"
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


class Action(NamedTuple):
    """An action of AUDIT_LOG.

    Attributes:
        by_key: Whether API keys do it, and not people.
        ends: Variants of the end of its events.
    """

    by_key: bool
    ends: tuple[bytes, ...]


def actions(rng: random.Random, organization: Organization) -> list[Action]:
    """Return every documented action of AUDIT_LOG."""
    users = [
        {"user_id": user.id, "user_email": user.email}
        for user in list(organization.users.values())[:_PEOPLE]
    ]
    groups = [
        {"group_id": group.id, "name": group.name}
        for group in list(organization.groups.values())[:_GROUPS]
    ]
    found = []
    catalogue = json.loads(_CATALOGUE.read_text("utf-8"))
    for name, about in catalogue["workspace_audit"].items():
        words = set(name.split("_"))
        ends = []
        for result in ("SUCCESS", "SUCCESS", rng.choice(("BLOCKED", "ERROR"))):
            data: dict[str, object] = {}
            for word in sorted(words & _DATA.keys()):
                data |= _DATA[word]
            if words & {"USER", "USERS", "OWNER", "ROLE"}:
                data |= rng.choice(users)
            if words & {"GROUP", "GROUPS"}:
                data |= rng.choice(groups)
            ends.append(action_end(name, data, result))
        found.append(Action(about["category"] == _OF_KEYS, tuple(ends)))
    return found


def action_end(action: str, data: dict[str, object], result: str = "SUCCESS") -> bytes:
    """Return the end of an event of AUDIT_LOG."""
    return _end(
        action=action, action_result=result, action_privilege="ADMIN", action_data=data
    )


def sign_in_ends(rng: random.Random) -> list[bytes]:
    """Return ends of events of AUTH_LOG; what comes more often is there more often."""
    return [
        sign_in_end(
            action,
            rng.choice(("account-owner", "account-admin", "standard-user")),
            rng.choice(("saml", "google-oauth2", None)),
        )
        for action in _SIGN_INS
    ]


def sign_in_end(action: str, role: str, provider: str | None) -> bytes:
    """Return the end of an event of AUTH_LOG."""
    return _end(
        action_data={"action": action, "role": role, "auth_provider_name": provider}
    )


def hostile_end() -> bytes:
    """Return the end of an event of unknown action and fields, with rude texts."""
    # Half a surrogate pair has no bytes: it has to be escaped.
    return b"," + json.dumps(_HOSTILE)[1:-1].encode() + _BIG


def _end(**fields: object) -> bytes:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return f",{text[1:-1]}".encode()
