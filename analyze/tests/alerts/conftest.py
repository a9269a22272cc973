from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from openai_audit_analyze.alerts.delivery import silence
from tests.alerts.receiver import HttpReceiver
from tests.alerts.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# With `--dist=loadgroup` one process starts PostgreSQL, and for all of its tests.
KINDS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(kind))
    for kind in ("postgres", "duckdb")
]


@pytest.fixture(scope="session", autouse=True)
def silent() -> None:
    """Apprise writes no log, as in the program."""
    silence()


@pytest.fixture(params=KINDS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """Findings in a database of each kind."""
    database = (
        request.getfixturevalue("postgres") if request.param == "postgres" else None
    )
    schema = f"answers_{uuid4().hex}"
    return Stage(request.param, schema, tmp_path / "audit.duckdb", database)


@pytest.fixture
def receiver(stage: Stage) -> Iterator[HttpReceiver]:
    """A receiver that has been introduced, and takes all that comes."""
    with HttpReceiver() as server:
        stage.receivers["channel"] = {"url": server.url}
        assert stage.send()
        server.received.clear()
        yield server
