from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from integration_tests.messages import extracted
from integration_tests.warehouse import Warehouse
from playwright.sync_api import sync_playwright

from report_tests.stage import Stage
from sandbox.demo.postgres import Database, EmbeddedPostgres
from sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

# With `--dist=loadgroup` one process makes what all tests of a warehouse read.
KINDS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(kind))
    for kind in ("postgres", "duckdb")
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What a browser would do by itself is switched off: no request is to leave.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    """A real PostgreSQL. Tests keep apart by schemas of their own."""
    with EmbeddedPostgres() as server:
        yield server.database


@pytest.fixture(scope="session", params=KINDS)
def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """A month of a company with an incident, as the demo has it, and a workspace."""
    kind = request.param
    database = request.getfixturevalue("postgres") if kind == "postgres" else None
    directory = tmp_path_factory.mktemp("demo")
    warehouse = Warehouse(kind, directory, database, "demo", directory / "demo.duckdb")
    options: dict[str, Any] = {"history": "story", "start": "30d", "end": "now"}
    options |= {"incident": "2h", "workspace_events": 300}
    with SandboxProcess(**options) as sandbox:
        warehouse.load(extracted(sandbox, directory))
    warehouse.build()
    return warehouse


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
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("needs Chromium: install it, as by apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=list(ARGUMENTS)
        )
        yield started
        started.close()
