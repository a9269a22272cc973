"""The fixtures that the tests of several parts have: a plugin of pytest."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.demo.postgres import Database, EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres(testrun_uid: str, worker_id: str) -> Iterator[Database]:
    """A database of a real PostgreSQL, of which all processes of a run have one server.

    Each has a database of its own; in that, tests keep apart by schemas.
    """
    directory = Path(tempfile.gettempdir(), f"postgres-{testrun_uid[:12]}")
    with EmbeddedPostgres(directory, durable=False) as server:
        yield server.create(worker_id)
