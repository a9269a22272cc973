from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from meltano_project import MeltanoProject

from sandbox.postgres import Database, EmbeddedPostgres
from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[SandboxProcess]:
    """A small organization of the last 30 days, with an event of this second."""
    options = {"events": 300, "tenant_events": 20, "start": "30d", "end": "now"}
    with SandboxProcess(**options) as process:
        process.control.add_events()
        yield process


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    """A real PostgreSQL. Tests keep apart by schemas of their own."""
    with EmbeddedPostgres() as server:
        yield server.database


@pytest.fixture
def meltano(tmp_path: Path, sandbox: SandboxProcess) -> MeltanoProject:
    """This repository's Meltano project without state, reading from the sandbox."""
    return MeltanoProject.copied_to(
        tmp_path,
        MELTANO_ENVIRONMENT="sandbox",
        TAP_OPENAI_AUDIT_API_URL=sandbox.url,
    )
