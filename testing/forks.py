"""Runs programs in processes that do not import them anew, which is most of a run."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# Of these, each environment has what its tests run; those it lacks are left out.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "dbt.cli.main",
        "dbt.task.build",
        "dbt.adapters.duckdb",
        "dbt.adapters.postgres",
        "sandbox.server.api",
        "tap_openai_audit.tap",
        "tap_openai_audit.workspace.tap",
    ]
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
    return _run(_dbt, (arguments, environment, output), deadline)


def tap(  # noqa: PLR0913, PLR0917 - all of a process
    package: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    out: Path,
    log: Path,
    deadline: float,
) -> int | None:
    """Run a tap's command and return its exit code, None if it took too long.

    Args:
        package: What `python -m` would run: `tap_openai_audit` or another.
        arguments: Those of the command line.
        environment: All its variables. Those that Python or the C library read when
            they start have no effect.
        out: The file that gets what it writes to stdout.
        log: The same of stderr; at the end comes a line `MEMORY <bytes>`.
        deadline: When to give up, in seconds.
    """
    return _run(_tap, (package, arguments, environment, out, log), deadline)


def _run(
    target: Callable[..., None], arguments: tuple[object, ...], deadline: float
) -> int | None:
    process = _FORKS.Process(target=target, args=arguments)
    process.start()
    process.join(deadline)
    if process.exitcode is None:
        process.kill()
        process.join()
        return None
    return process.exitcode


def _dbt(
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


MEMORY = "\0memory "


def _tap(
    package: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    out: Path,
    log: Path,
) -> None:
    import resource  # noqa: PLC0415 - Windows has none

    command = importlib.import_module(f"{package}.__main__")

    os.environ.clear()
    os.environ.update(environment)
    for number, file in ((1, out), (2, log)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.argv = [package, *arguments]
    code: object = 0
    try:
        command.main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as Python does it at the end
        traceback.print_exc()
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)  # noqa: T201
        code = 1
    unit = 1 if sys.platform == "darwin" else 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.stderr.flush()
    os.write(2, f"{MEMORY}{most}".encode())
    os._exit(code or 0)
