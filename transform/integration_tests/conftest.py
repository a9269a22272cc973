from __future__ import annotations

import pytest

from integration_tests.steps import Steps
from testing.warehouse import Warehouse

# With `--dist=loadgroup` one process makes what all tests of a warehouse read.
KINDS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(kind))
    for kind in ("postgres", "duckdb")
]
#: For what dbt does before the database gets SQL: there the kind makes no difference.
in_duckdb = pytest.mark.parametrize("warehouse", KINDS[1:], indirect=True)


@pytest.fixture(scope="session", params=KINDS)
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """A database of each kind, whose names stay the same: dbt parses once."""
    kind = request.param
    database = request.getfixturevalue("postgres") if kind == "postgres" else None
    directory = tmp_path_factory.mktemp(kind)
    file = directory / "audit.duckdb"
    return Warehouse(kind, directory, database, "tests", file)


@pytest.fixture
def own(warehouse: Warehouse) -> Warehouse:
    """The warehouse with nothing in it."""
    warehouse.clear()
    return warehouse


@pytest.fixture(scope="session")
def steps(request: pytest.FixtureRequest, warehouse: Warehouse) -> Steps:
    """All scenarios of the tests that are run, after their last step."""
    marks = [item.get_closest_marker("steps") for item in request.session.items]
    # A test has one for each warehouse.
    scenarios = {id(mark.args[0]): mark.args[0] for mark in marks if mark}
    warehouse.clear()
    steps = Steps(warehouse)
    steps.take([*scenarios.values()])
    return steps
