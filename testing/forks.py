"""Runs programs in processes that do not import them anew, which is most of a run."""

from __future__ import annotations

import contextlib
import gc
import importlib
import multiprocessing
import os
import signal
import sys
import traceback
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection
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


def dbt(  # noqa: PLR0913 - all of a process
    arguments: Sequence[str],
    variables: str,
    environment: Mapping[str, str],
    output: Path,
    deadline: float,
    *,
    anew: bool,
) -> int | None:
    """Run a command of dbt and return its exit code, None if it took too long.

    The process that commands are forked from parses a project once for each set of
    variables, which takes as long as a run does.

    Args:
        arguments: Those of the command line, without `--vars`.
        variables: dbt's variables as JSON.
        environment: Variables beside those of this process.
        output: The file that gets what dbt prints.
        deadline: When to give up, in seconds.
        anew: Whether the command parses the project itself: its files may have changed.
    """
    process, connection = _dbt_server()
    connection.send((arguments, variables, environment, output, anew))
    if not connection.poll(deadline):
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        _dbt_server.cache_clear()
        return None
    code: int = connection.recv()
    return code


@cache
def _dbt_server() -> tuple[Any, Connection[Any, Any]]:
    """Start the process that dbt is forked from. It ends with this one."""
    here, there = _FORKS.Pipe()
    process = _FORKS.Process(target=_serve_dbt, args=(there,), daemon=True)
    process.start()
    there.close()
    return process, here


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


def _serve_dbt(connection: Connection[Any, Any]) -> None:
    """Run commands until the other end is closed."""
    os.setsid()  # to be killed with the command that it waits for
    parsed: dict[tuple[object, ...], Any] = {}
    while True:
        try:
            arguments, variables, environment, output, anew = connection.recv()
        except EOFError:
            os._exit(0)
        os.environ.update(environment)
        given = f"--vars={variables}"
        key = (variables, *sorted(environment.items()))
        with _printing_to(output):
            if not anew and key not in parsed:
                result = _invoked("--quiet", "--no-partial-parse", "parse", given)
                if not result.success:
                    connection.send(1)
                    continue
                parsed[key] = result.result
                gc.freeze()  # or else each child copies what it only looks at
            child = os.fork()
            if not child:
                result = _invoked(*arguments, given, parsed=parsed.get(key))
                sys.stdout.flush()
                # dbt and DuckDB leave threads behind that would be waited for.
                os._exit(0 if result.success else 1)
        _, status = os.waitpid(child, 0)
        connection.send(os.waitstatus_to_exitcode(status))


@contextlib.contextmanager
def _printing_to(output: Path) -> Iterator[None]:
    with output.open("w", encoding="utf-8") as file:
        sys.stdout = sys.stderr = file
        yield
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


def _invoked(*arguments: str, parsed: Any = None) -> Any:
    # In the process that forked this one it is imported already.
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    # Every warning is an error; and nobody reads the files that dbt writes about a run.
    options = ["--warn-error", "--no-use-colors", "--no-write-json"]
    # dbt's static parser starts threads, for which a process forked later would wait.
    options += ["--log-level-file=none", "--no-static-parser"]
    result = dbtRunner(manifest=parsed).invoke([*options, *arguments])
    if result.exception:
        traceback.print_exception(result.exception)
    return result


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
