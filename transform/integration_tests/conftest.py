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
    """An empty database of each kind, whose names stay the same: dbt parses once."""
    kind = request.param
    database = request.getfixturevalue("postgres") if kind == "postgres" else None
    directory = tmp_path_factory.getbasetemp() / kind
    directory.mkdir(exist_ok=True)
    file = directory / "audit.duckdb"
    warehouse = Warehouse(kind, directory, database, "tests", file)
    warehouse.clear()
    return warehouse


@pytest.fixture
def own(warehouse: Warehouse) -> Warehouse:
    """The warehouse with nothing in it."""
    warehouse.clear()
    return warehouse
