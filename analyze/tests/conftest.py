from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.demo.postgres import Database, EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    """A real PostgreSQL. Tests keep apart by schemas of their own."""
    with EmbeddedPostgres() as server:
        yield server.database
