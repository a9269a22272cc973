"""What streams do alike that keep no bookmark of the SDK: all but the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_openai_audit.errors import MapFailed
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.email_addresses import without_addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog, RecordMessage

    from tap_openai_audit.errors import TapError


class MappedStream(Stream):
    """A stream that ends, alone and in one line, where a stream map fails."""

    def __init__(self, tap: Tap, *, failed: Callable[[TapError], None]) -> None:
        """Take part in a run of a tap.

        Args:
            tap: What the SDK needs of it.
            failed: Told what was not read in full. The run goes on and ends with it.
        """
        super().__init__(tap)
        self._failed = failed
        self._omits_addresses = bool(self.config.get("omit_email_addresses"))

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take a catalog, which may select and map, but not ask for a bookmark.

        The SDK would keep one of which the next run could make nothing.
        """
        super().apply_catalog(catalog)
        if self.replication_method != REPLICATION_FULL_TABLE:
            self.logger.warning(
                "%s is always written in full, though the catalog asks for %s: this has"
                " no effect",
                self.name,
                redacted(self.replication_method, longest=40),
            )
        self.replication_key = None
        self.forced_replication_method = REPLICATION_FULL_TABLE

    def passes(self, record: Record) -> bool:
        """Whether the filter of the stream map, if there is one, lets a record pass.

        Raises:
            MapFailed: If it fails.
        """
        try:
            return bool(self.stream_maps[0].get_filter_result(record))
        except Exception as error:  # noqa: BLE001 - a map may raise anything
            raise self._map_failed(record, error) from None

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        """None: the SDK would make one for each record, and filter it once more."""
        return ()

    # The SDK lets through what an expression raises, with a traceback and no word of
    # which record it was. `test_sdk_contract.py` watches both seams.
    @override
    def _generate_record_messages(
        self, record: Record
    ) -> Generator[RecordMessage, None, None]:
        """Make the messages of a record, without addresses where that is asked for.

        Raises:
            MapFailed: If a stream map fails on it.
        """
        try:
            for message in super()._generate_record_messages(record):
                if self._omits_addresses:
                    keys = self.primary_keys
                    message.record = without_addresses(message.record, keys)
                yield message
        except Exception as error:  # noqa: BLE001 - a map may raise anything
            raise self._map_failed(record, error) from None

    @override
    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Sync the records up to one on which a stream map fails."""
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        except MapFailed as error:
            self._failed(error)

    def _map_failed(self, record: Record, error: Exception) -> MapFailed:
        key = ", ".join(f"{name} {record.get(name)}" for name in self.primary_keys)
        return MapFailed.on_record(self.name, key, error)
