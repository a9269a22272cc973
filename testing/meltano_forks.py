"""Runs commands of Meltano in processes that do not import it anew: half of a command.

Meltano's own Python runs this file. A line of stdin is a command, a line of stdout its
exit code.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from contextlib import suppress
from typing import Any

# What `meltano` imports when it starts, and what it imports later to run a pipeline.
_PRELOADED = (
    "meltano.cli",
    "alembic.command",
    "meltano.core.block.singer",
    "meltano.core.job_state",
    "meltano.core.logging.output_logger",
    "meltano.core.migration_service",
    "meltano.core.plugin.singer.catalog",
    "meltano.core.state_store",
    "sqlalchemy.dialects.sqlite.pysqlite",
)


def main() -> None:
    """Run commands until stdin ends."""
    for name in _PRELOADED:
        with suppress(ImportError):  # another version of Meltano
            importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


def _become(command: dict[str, Any]) -> None:
    """Be the process of a command to its end."""
    os.chdir(command["directory"])
    os.environ.clear()
    os.environ.update(command["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "log")):
        file = os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
    sys.argv = [command["program"], *command["arguments"]]
    code: object = 1
    try:
        code = importlib.import_module("meltano.cli").main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as Python does it at the end
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else bool(code))


if __name__ == "__main__":
    main()
