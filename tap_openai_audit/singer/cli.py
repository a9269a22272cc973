"""The command line: the SDK's, with `--check`, and with exit codes that tell the truth.

The exit code is 0 after a complete sync, 1 after a failure, and 128 plus the number of
the signal after one, so that no partial run looks like a success. What failed is logged
at the end, a line each.
"""

from __future__ import annotations

import abc
import os
import sys
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk import Tap
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_openai_audit.errors import SyncFailed, TapError, TargetStopped, Terminated
from tap_openai_audit.singer import inputs
from tap_openai_audit.singer.command import Command
from tap_openai_audit.singer.sync_reports import LEDGER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from logging import Logger

    from singer_sdk.plugin_base import _ConfigInput

    from tap_openai_audit.check.run import Check
    from tap_openai_audit.singer.signals import Signals

_TESTS = tuple(option.value for option in CliTestOptionValue)
"""The values of `--test`."""


class CommandLine(Tap):
    """A tap that is run from the command line."""

    signals: Signals
    failures: list[TapError]
    """What was not read in full."""

    @classmethod
    @abc.abstractmethod
    def check_names(cls) -> Sequence[str]:
        """Return the names of the checks that `--check` runs, in their order."""

    @abc.abstractmethod
    def check(self, state: Mapping[str, Any] | None) -> Check:
        """Prepare the checks that `--check` runs.

        Args:
            state: The state that a sync would be given, None without one.
        """

    @abc.abstractmethod
    def raise_failures(self) -> None:
        """Raise if a stream was not read in full.

        Raises:
            SyncFailed: If so.
        """

    @abc.abstractmethod
    def write_reports(self) -> None:
        """Write what has been entered in the ledger, if it is selected."""

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the configuration from files and from the environment."""
        with inputs.readable("The configuration"):
            config = super().cb_config(ctx, param, value)
        if config.parse_env:
            # The SDK ends in a traceback where a variable is not a number.
            cls.append_builtin_config(cls.config_jsonschema)
            config.config |= inputs.environment(cls.name, cls.config_jsonschema)
            config.parse_env = False
        return config

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Read one record of each stream that is selected by default.

        The SDK's own selects all streams, which may need permissions that the key
        lacks, and exits with 0 whatever happens.
        """
        if value not in _TESTS:
            # The SDK takes any other value for `all`, and ends with 0.
            raise click.BadParameter(f"{value!r} is not one of {', '.join(_TESTS)}.")
        if value != "all":
            super().cb_test(ctx, param, value)
            return
        config: _ConfigInput | None = ctx.params.get("config")
        tap = cls(config=config.config if config else {})

        def test() -> None:
            # The ledger has a few records only: cut short it would log an error.
            tap.run_sync_dry_run(
                1,
                [s for s in tap.streams.values() if s.selected and s.name != LEDGER],
            )
            tap.write_reports()
            tap.raise_failures()

        _run(tap, test)
        ctx.exit()

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """Add `--check` to the SDK's options, and keep keys out of click's errors."""
        singer_command = Command.of(super().get_singer_command())
        singer_command.params.append(inputs.check_option())
        return singer_command

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        check: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Do what the options say."""
        if about:
            cls.print_about(about_format)
            return
        settings = config.config if config else {}
        given = inputs.loaded("The state", state)
        if check:
            sys.exit(cls._check(check, settings, given))
        cls.print_version(print_fn=cls.logger.info)
        selected = inputs.catalog(catalog)
        tap = cls(config=settings, state=given, catalog=selected)
        _run(tap, tap.sync_all)

    @classmethod
    def _check(
        cls, output: str, config: dict[str, Any], state: dict[str, Any] | None
    ) -> int:
        """Make the checks, and return the exit code."""
        # Imported here: a sync has no use for it.
        from tap_openai_audit.check import run  # noqa: PLC0415

        return run.check(
            lambda: cls(config=config).check(state), cls.check_names(), output
        )


def _run(tap: CommandLine, sync: Callable[[], None]) -> None:
    """Run a tap, and end the process with the exit code for how that ends."""
    try:
        try:
            sync()
        except Terminated as ending:
            tap.write_reports()
            _tell(tap.logger, *tap.failures)
            tap.logger.warning(
                "Ended by %s: the state of all that was emitted is written, the next"
                " run continues from what the target has confirmed of it",
                ending.signal.name,
            )
            sys.exit(ending.exit_code)
    except SyncFailed as error:
        fail(tap.logger, *error.failures)
    except TapError as error:
        fail(tap.logger, *tap.failures, error)


def fail(log: Logger, *errors: TapError) -> NoReturn:
    """Tell what failed, a line each, and end the process."""
    if any(isinstance(error, TargetStopped) for error in errors):
        # Nothing can be written any more, not even by the interpreter at its end.
        discard_stdout()
    _tell(log, *errors)
    sys.exit(1)


def _tell(log: Logger, *errors: TapError) -> None:
    for error in errors:
        log.error("%s", error)


def discard_stdout() -> None:
    """Let what was not written go nowhere, at the end of the interpreter too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    if sys.stdout is None or sys.stdout.closed:
        sys.stdout = os.fdopen(nowhere, "w")
