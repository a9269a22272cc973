"""What the taps of this package have in common beside the command line."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_openai_audit.errors import SyncFailed, TapError
from tap_openai_audit.singer.cli import CommandLine
from tap_openai_audit.singer.signals import Signals
from tap_openai_audit.singer.state_input import unwrapped
from tap_openai_audit.singer.stream_maps import without_effect
from tap_openai_audit.singer.sync_reports import Ledger, SyncReports
from tap_openai_audit.singer.writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk import Stream

    from tap_openai_audit.singer.settings import SettingsCheck

# What the SDK lets through when it parses an expression that is none.
_RAISED_BY_BROKEN_MAPS = (IndexError, NotImplementedError, RecursionError, ValueError)


class BaseTap(CommandLine):
    """A tap whose streams go on where one fails, and say so at the end."""

    package_name = "tap-openai-audit"
    settings_check: ClassVar[SettingsCheck]
    order: ClassVar[Mapping[str, int]]
    """The place of each stream in a sync. One that is not named has place 2."""
    reports: ClassVar[Sequence[str]] = (SyncReports.name,)
    """The streams that say what became of the others, in their order."""
    message_writer_class = LineWriter
    message_writer: LineWriter

    capabilities: ClassVar[list[Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **options: Any) -> None:
        """Prepare a run.

        Args:
            options: Those of the SDK's taps.

        Raises:
            ConfigValidationError: If the settings cannot be used.
            BadState: If the state is not understood.
        """
        self.run_id = str(uuid.uuid4())
        self.signals = Signals()
        self.failures: list[TapError] = []
        self.ledger = Ledger(self.plugin_version)
        super().__init__(**options)

    @property
    def own_config(self) -> dict[str, Any]:
        """The configuration, with the user agent that is sent if none is set."""
        return {"user_agent": f"{self.name}/{self.plugin_version}", **self.config}

    # The SDK's adds the settings of capabilities that a tap does not have, and changes
    # the schema of the class. `test_sdk_contract.py` watches it.
    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add nothing: the schema has all settings, see `configuration.py`."""

    # The SDK's handlers would end the process with exit code 0.
    @override
    def _setup_signal_handlers(self) -> None:
        self.signals.listen()

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of their sync."""
        streams, order = super().streams, self.order
        return {
            name: streams[name]
            for name in sorted(streams, key=lambda name: (order.get(name, 2), name))
        }

    # Final in the SDK, which ends with the first stream that raises, and has no place
    # for what one reports that goes on.
    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        """Sync what is selected.

        Raises:
            SyncFailed: If a stream was not read in full, after all else is written.
            TargetStopped: If messages cannot be written any more.
            Terminated: If a signal ends the run.
        """
        if not any(stream.selected for stream in self.streams.values()):
            self.logger.warning(
                "No stream is selected, so nothing is read: select %s in the catalog,"
                " or run without one",
                next(iter(self.streams)),
            )
        columns = {n: s.schema.get("properties", {}) for n, s in self.streams.items()}
        for line in without_effect(self.config.get("stream_maps") or {}, columns):
            self.logger.warning("%s", line)
        self.begin_chains()
        if not self.state:
            # Some targets take the first STATE of a run for confirmed: see docs/sdk.md.
            self.state_writer.write_state({"bookmarks": {}})
        super().sync_all()
        self.keep_state()
        self.raise_failures()

    def begin_chains(self) -> None:
        """Put into the state which chain each feed goes on, before its first STATE."""

    def keep_state(self) -> None:
        """Write a STATE of what no stream has written, now that all reports are out."""

    @override
    def raise_failures(self) -> None:
        if self.failures:
            names = "One stream" if len(self.failures) == 1 else "Some streams"
            raise SyncFailed(f"{names} could not be read in full", (*self.failures,))

    @override
    def write_reports(self) -> None:
        for name in self.reports:
            if self.streams[name].selected:
                self.streams[name].sync()
        self.keep_state()

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take a state, as it is kept or as a whole message.

        Raises:
            BadState: If something in it is not understood.
        """
        super().load_state(unwrapped(state, self.streams))

    # There is no public way to choose the words. The SDK's own repeat the value that
    # does not fit the schema, the key included.
    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Say everything that is wrong with the settings, a line each."""
        for line in self.settings_check.warnings(self._config):
            self.logger.warning("%s", line)
        self._config = self.settings_check.completed(self._config)
        errors = self.settings_check.problems(self._config)
        if errors and raise_errors:
            raise ConfigValidationError("Config validation failed", errors=errors)
        return errors

    @override
    def setup_mapper(self) -> None:
        """Report a stream map that cannot work like any other setting."""
        try:
            super().setup_mapper()
        except (MappingError, *_RAISED_BY_BROKEN_MAPS) as error:
            line = self.settings_check.unmappable(self._config, error)
            raise ConfigValidationError(
                "Config validation failed", errors=[line]
            ) from None
