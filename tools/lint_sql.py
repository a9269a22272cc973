"""Check the style of the SQL of the dbt package, as PostgreSQL gets it.

Run it with the environment of the part, which has sqlfluff and a server: its templater
asks dbt, and dbt asks the database.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.demo.postgres import EmbeddedPostgres

_PACKAGE = Path(__file__).resolve().parents[1] / "transform"


def main() -> int:
    """Print what is not as it should be. Returns the exit code of sqlfluff."""
    sqlfluff = Path(sys.executable).with_name("sqlfluff")
    with (
        EmbeddedPostgres(durable=False) as server,
        tempfile.TemporaryDirectory() as directory,
    ):
        return subprocess.run(  # noqa: S603 - of our own environment
            [
                sqlfluff,
                "lint",
                "--disable-progress-bar",
                "--processes=0",
                "models",
                "tests",
            ],
            cwd=_PACKAGE,
            env={
                **os.environ,
                **server.database.environment,
                "DBT_PROFILES_DIR": str(_PACKAGE),
                "DBT_TARGET": "postgres",
                "DBT_TARGET_PATH": directory,
                "DBT_LOG_PATH": directory,
                "DO_NOT_TRACK": "1",
            },
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
