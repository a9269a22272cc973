from __future__ import annotations

import pytest

from testing.warehouse import Warehouse

# With `--dist=loadgroup` one process makes what all tests of a warehouse read.
KINDS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(kind))
    for kind in ("postgres", "duckdb")
]


@pytest.fixture(scope="module", params=KINDS)
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """A database of each kind, with schemas named after the tests' file."""
    kind = request.param
    database = request.getfixturevalue("postgres") if kind == "postgres" else None
    name = request.path.stem.removeprefix("test_")
    directory = tmp_path_factory.mktemp(name)
    return Warehouse(kind, directory, database, name, directory / "audit.duckdb")


@pytest.fixture
def own(warehouse: Warehouse) -> Warehouse:
    """The warehouse with nothing in it. It keeps its names, so dbt parses once."""
    warehouse.clear()
    return warehouse
