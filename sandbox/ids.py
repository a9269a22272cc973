"""Random identifiers that look like those of the API."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_ALPHABET = string.ascii_letters + string.digits
# Random bytes are translated in bulk: a million ids take a fraction of a second.
_TABLE = bytes(ord(_ALPHABET[value % len(_ALPHABET)]) for value in range(256))
_PREFIXES = {
    "admin_key": "key_",
    "api_key": "key_",
    "certificate": "cert_",
    "group": "group_",
    "invite": "invite-",
    "project": "proj_",
    "role": "role_",
    "role.assignment": "role_assignment_",
    "service_account": "svc_acct_",
    "user": "user-",
}
LENGTH = 24


def random_ids(rng: random.Random, count: int) -> list[str]:
    """Return ids of 24 letters and digits."""
    text = rng.randbytes(LENGTH * count).translate(_TABLE).decode("ascii")
    return [text[at : at + LENGTH] for at in range(0, LENGTH * count, LENGTH)]


def new_id(rng: random.Random, kind: str) -> str:
    """Return an id with the prefix of its kind, such as ``user-`` or ``proj_``."""
    prefix = _PREFIXES.get(kind)
    if prefix is None:
        prefix = kind.replace(".", "_") + "_"
    return prefix + random_ids(rng, 1)[0]
