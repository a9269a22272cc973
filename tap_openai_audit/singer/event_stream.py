"""What streams of events have in common: how their records are written.

Records are encoded already, which is several times faster than the SDK's way. Where
selection or stream maps change them, the SDK makes the messages.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from tap_openai_audit.singer.email_addresses import (
    without_addresses,
    without_addresses_in_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import Catalog

    from tap_openai_audit.singer.writer import LineWriter


class EventStream(Stream):
    """A stream that reads incrementally, and writes records that are JSON already."""

    is_sorted = True  # records come oldest first, whatever the order of the pages

    # The records are made of JSON, and keys that the schema does not name are kept.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap, *, writer: LineWriter) -> None:
        """Take part in a run of a tap.

        Args:
            tap: What the SDK needs of it.
            writer: Writes messages.
        """
        super().__init__(tap)
        self.forced_replication_method = "INCREMENTAL"
        self._writer = writer
        self._state_writer = tap.state_writer
        self._omits_addresses = bool(self.config.get("omit_email_addresses"))

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take a catalog, which may select and map, but not ask for a full table."""
        super().apply_catalog(catalog)
        if self.forced_replication_method != "INCREMENTAL":
            self.logger.warning(
                "%s is always read incrementally, though the catalog asks for %s: to"
                " read everything again run without a state (in Meltano with"
                " --full-refresh)",
                self.name,
                self.forced_replication_method,
            )
            self.forced_replication_method = "INCREMENTAL"

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the engine bounds the bookmark itself, by the API's own clock."""
        return

    @property
    def _plain(self) -> bool:
        """Whether neither selection nor stream maps change records."""
        maps = self.stream_maps
        return (
            len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and all(self.mask.values())
        )

    def _write_plain(self, records: Iterable[bytes]) -> None:
        """Write records that are JSON, after all of them are made.

        Args:
            records: Each with the key of the stream as its first column.
        """
        if self._omits_addresses:
            records = map(without_addresses_in_json, records)
        extracted = datetime.now(timezone.utc).isoformat().encode()
        name = msgspec.json.encode(self.name)
        begin = b'{"type":"RECORD","stream":%b,"record":' % name
        end = b',"time_extracted":"%b"}\n' % extracted
        self._writer.write_lines([begin + record + end for record in records])

    def _mapped(self, record: dict[str, Any]) -> list[tuple[bytes, dict[str, Any]]]:
        """Make the messages of a record with the SDK's features.

        Returns:
            The messages, encoded, and the record that each holds. What a map raises
            passes.
        """
        made = []
        for message in list(self._generate_record_messages(record)):
            if self._omits_addresses:
                message.record = without_addresses(message.record, self.primary_keys)
            # The writer uses one buffer for all.
            made.append((bytes(self._writer.format_message(message)), message.record))
        return made
