"""The tap: its settings, its streams and its command."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_openai_audit import command
from tap_openai_audit.configuration import CONFIGURATION
from tap_openai_audit.run import Run
from tap_openai_audit.settings import problems
from tap_openai_audit.signals import Terminated
from tap_openai_audit.streams.audit_logs import AuditLogs
from tap_openai_audit.streams.reference_streams import REFERENCE_STREAMS
from tap_openai_audit.streams.sync_reports import SyncReports
from tap_openai_audit.writer import LineWriter

if TYPE_CHECKING:
    import click
    from singer_sdk import Stream
    from singer_sdk.plugin_base import _ConfigInput

_OWN_SETTINGS = frozenset(CONFIGURATION["properties"])


class TapOpenAIAudit(Tap):
    """Extracts the audit logs of an OpenAI organization, each event once."""

    name = "tap-openai-audit"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIGURATION
    message_writer_class = LineWriter
    message_writer: LineWriter

    capabilities: ClassVar[list[Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **options: Any) -> None:
        """Prepare a run."""
        self.run = Run(self.logger, self.plugin_version)
        super().__init__(**options)
        self.run.config = self.config
        self.run.signals.listen()

    def discover_streams(self) -> list[Stream]:
        """All streams that this tap has."""
        return [
            AuditLogs(self),
            *(stream(self) for stream in REFERENCE_STREAMS),
            SyncReports(self, self.run.reports),
        ]

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of their sync: audit logs first, reports last."""
        order = {AuditLogs.name: 0, SyncReports.name: 2}
        streams = super().streams
        return {
            name: streams[name]
            for name in sorted(streams, key=lambda name: (order.get(name, 1), name))
        }

    # There is no public way to choose the words. The SDK's own repeat the value that
    # does not fit the schema, the admin key included.
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Tell everything that is wrong with the settings, a line each."""
        self.append_builtin_config(self.config_jsonschema)
        found = list(
            JSONSchemaValidator(self.config_jsonschema).iter_errors(self._config)
        )
        errors = problems(self._config) + [
            f"{error.path[0]} {error.message}"
            for error in found
            if error.path and error.path[0] not in _OWN_SETTINGS
        ]
        for name in set(self._config) - set(self.config_jsonschema["properties"]):
            similar = command.meant(name, self.config_jsonschema)
            self.logger.warning(
                "%s is no setting of this tap and has no effect%s",
                name,
                f": did you mean {similar}?" if similar else "",
            )
        if errors and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=errors)
        return errors

    @classmethod
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the configuration from files and from the environment."""
        with command.readable("The configuration"):
            config = super().cb_config(ctx, param, value)
        if config.parse_env:
            # The SDK ends in a traceback where a variable is not a number.
            cls.append_builtin_config(cls.config_jsonschema)
            config.config |= command.environment(cls.name, cls.config_jsonschema)
            config.parse_env = False
        return config

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The command line: the SDK's, and `--check`."""
        singer_command = super().get_singer_command()
        singer_command.params.append(command.check_option())
        return singer_command

    @classmethod
    def invoke(  # type: ignore[override]  # noqa: PLR0913 - one for each option
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        check: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run the command line.

        The exit code is 0 after a complete sync, 1 after a failure, and 128 plus the
        number of the signal after one, so that no partial run looks like a success.
        """
        if about:
            cls.print_about(about_format)
            return
        if check:
            # Imported here: a sync has no use for it.
            from tap_openai_audit import check as checks  # noqa: PLC0415

            sys.exit(checks.check(cls, config.config if config else {}, check))
        cls.print_version(print_fn=cls.logger.info)
        tap = cls(
            config=config.config if config else {},
            state=command.loaded("The state", state),
            catalog=command.loaded("The catalog", catalog),
        )
        try:
            tap.sync_all()
        except Terminated as signal:
            reports = tap.streams[SyncReports.name]
            if reports.selected:
                reports.sync()
            cls.logger.warning(
                "Ended by %s: the state of all that was emitted is written, the next"
                " run continues from what the target has confirmed of it",
                signal.signal.name,
            )
            sys.exit(signal.exit_code)
        except BrokenPipeError:
            # Nothing can be written any more, not even by the interpreter at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            tap.run.failures.append(
                "The target stopped reading: see its own message; the next run"
                " continues from the last state that it confirmed"
            )
        for failure in tap.run.failures:
            cls.logger.error("%s", failure)
        if tap.run.failures:
            sys.exit(1)
