"""A plugin of dbt-duckdb: refuses files that target-duckdb could not open."""  # noqa: INP001 - dbt loads it by the path in profiles.yml

from __future__ import annotations

from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError


class Plugin(BasePlugin):  # type: ignore[misc] # dbt-duckdb has no types
    """Checks the version of DuckDB before dbt opens the file, which may create it.

    target-duckdb works with DuckDB 1.2 and no newer one, which can never open a file
    that DuckDB 2 created.
    """

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002 - dbt-duckdb passes it
        """Check the version.

        Raises:
            DbtRuntimeError: It is another one than target-duckdb has.
        """
        version: str = duckdb.__version__
        if not version.startswith("1.2."):
            raise DbtRuntimeError(
                f"DBT_TARGET=duckdb: dbt runs with DuckDB {version}, and target-duckdb"
                " cannot open files that it creates: use Python 3.10 to 3.13 for"
                " Meltano and install the plugin dbt again, or set DBT_TARGET=postgres"
            )
