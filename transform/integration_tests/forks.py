"""Runs dbt in processes that do not import it anew, which is a third of a run."""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["dbt.cli.main", "dbt.task.build", "dbt.adapters.duckdb", "dbt.adapters.postgres"]
)


def dbt(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    deadline: float,
) -> int | None:
    """Run a command of dbt and return its exit code, None if it took too long.

    Args:
        arguments: Those of the command line.
        environment: Variables beside those of this process.
        output: The file that gets what dbt prints.
        deadline: When to give up, in seconds.
    """
    process = _FORKS.Process(target=_run, args=(arguments, environment, output))
    process.start()
    process.join(deadline)
    if process.exitcode is None:
        process.kill()
        return None
    return process.exitcode


def _run(
    arguments: Sequence[str], environment: Mapping[str, str], output: Path
) -> None:
    os.environ.update(environment)
    with output.open("w", encoding="utf-8") as file:
        sys.stdout = sys.stderr = file
        # In the process that forked this one it is imported already.
        from dbt.cli.main import dbtRunner  # noqa: PLC0415

        result = dbtRunner().invoke([*arguments])
        if result.exception:
            traceback.print_exception(result.exception)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    # dbt and DuckDB leave threads behind that would be waited for.
    os._exit(0 if result.success else 1)
