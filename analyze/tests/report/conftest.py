from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.report.browsers import NoBrowser, started
from tests.report.stage import Stage, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from testing.warehouse import Warehouse

# With `--dist=loadgroup` one process makes what all tests of a warehouse read.
KINDS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(kind))
    for kind in ("postgres", "duckdb")
]


@pytest.fixture(scope="session", params=KINDS)
def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """A month of a company with an incident, as the demo has it, and a workspace."""
    kind = request.param
    database = request.getfixturevalue("postgres") if kind == "postgres" else None
    return told(kind, tmp_path_factory.mktemp("demo"), database)


@pytest.fixture(params=KINDS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Models without rows in a database of each kind."""
    database = (
        request.getfixturevalue("postgres") if request.param == "postgres" else None
    )
    with Stage.made(tmp_path, database) as made:
        yield made


@pytest.fixture
def duckdb_stage(tmp_path: Path) -> Iterator[Stage]:
    """The same in DuckDB only, for what is not about databases."""
    with Stage.made(tmp_path, None) as made:
        yield made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Whatever real browser there is."""
    try:
        with started() as browser:
            yield browser
    except NoBrowser as problem:
        pytest.skip(str(problem))
