"""Which cases of the fault suite the tests of a commit have."""

from __future__ import annotations

import random
import subprocess

from fault_suite import CASES, KINDS, ROOT

DRAWN = 60


def commit() -> str:
    """The commit's hash, empty where there is no repository."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        found = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return found.stdout.strip()


def drawn(seed: str) -> list[int]:
    """The numbers of the cases that a commit draws: one of each kind, and more."""
    chance = random.Random(seed)  # noqa: S311 - reproducible
    of_kinds = [chance.choice(range(n, CASES, len(KINDS))) for n in range(len(KINDS))]
    others = sorted({*range(CASES)} - {*of_kinds})
    return sorted([*of_kinds, *chance.sample(others, DRAWN - len(of_kinds))])
