"""A command of the package: a tap, started quickly and ended with one line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tap_openai_audit import startup

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_openai_audit.singer.cli import CommandLine


def run(load: Callable[[], type[CommandLine]]) -> None:
    """Run a tap.

    Args:
        load: Imports the tap, which imports the SDK.
    """
    startup.end_when_interrupted()
    startup.keep_memory_small()
    startup.defer()
    # All after `defer`.
    from tap_openai_audit.errors import TapError  # noqa: PLC0415
    from tap_openai_audit.singer import inputs  # noqa: PLC0415
    from tap_openai_audit.singer.cli import discard_stdout, fail  # noqa: PLC0415

    tap = load()
    with inputs.logging_set_up(tap.name):
        command = tap.cli
    try:
        try:
            command()
        finally:
            # Here, because at the interpreter's end nobody can handle that it fails.
            if sys.stdout is not None:
                sys.stdout.flush()
    except TapError as error:
        fail(tap.logger, error)
    except OSError as error:
        discard_stdout()
        sys.exit(f"The output cannot be written to stdout ({error.strerror})")
