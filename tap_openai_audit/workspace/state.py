"""The state of a workspace's streams: one object reads and writes each bookmark.

docs/state.md describes each field. Kept are texts, numbers and null alone, and all of
them are always written, because Meltano merges dictionaries of an old state into a new
one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from tap_openai_audit.errors import BadState
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.state_values import (
    allow_only,
    list_of,
    maybe_second,
    number_of,
    or_beginning,
    text_of,
    unless_beginning,
)
from tap_openai_audit.timestamps import iso, unix, utc
from tap_openai_audit.windows import BEGINNING
from tap_openai_audit.workspace.hashes import KnownEvents, KnownFiles
from tap_openai_audit.workspace.log_files import LogFile
from tap_openai_audit.workspace.position import Position
from tap_openai_audit.workspace.reports import Begun

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1

FEEDS = {"workspace_audit_logs": "audit", "workspace_auth_logs": "auth"}
"""The streams of events, and what each is called in the bookmark of the ledger."""

LOG_FILES = "workspace_log_files"
"""The name of the ledger."""

REPLICATION_KEY = "file_end_time"

_FEED_FIELDS = frozenset(
    {
        "version", "workspace_id", "covered_from", "chain_id", "run_id",
        "replication_key", "replication_key_value", "known_from", "files", "events",
        "deep_look_at", "begun_file_id", "begun_end_time", "begun_size", "begun_sha256",
        "begun_content_sha256", "begun_items", "begun_emitted", "begun_filtered",
        "begun_ids_checksum",
    }
)  # fmt: skip


@dataclass(frozen=True)
class FeedState:
    """What is kept of a feed between runs."""

    position: Position
    workspace_id: str | None = None
    """Whose files they are. None without a state."""
    covered_from: int = BEGINNING
    """From when on the chain covers what there is, in Unix seconds."""
    chain_id: str | None = None
    """Of all runs that began from each other's state. None without a state."""
    run_id: str | None = None
    """The run that wrote it."""

    @classmethod
    def read(cls, bookmark: Mapping[str, Any], stream: str) -> FeedState:
        """Read the bookmark of a feed.

        Raises:
            BadState: If it cannot be read. It is never guessed at: a wrong bookmark
                would lose events silently.
        """
        if bookmark in ({}, {"partitions": []}):
            return cls(Position())
        try:
            version = bookmark["version"]
            if type(version) is not int or version != VERSION:
                raise BadState(
                    f"The state of {stream} is of version {redacted(version)}, which a"
                    " newer version of this tap wrote",
                    "update the tap",
                )
            return cls._read(bookmark)
        except KeyError as error:
            what = f"it lacks {error}"
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            what = redacted(error)
        raise BadState(f"The state of {stream} cannot be read ({what})")

    @classmethod
    def _read(cls, bookmark: Mapping[str, Any]) -> FeedState:
        allow_only(_FEED_FIELDS, bookmark)
        if bookmark["replication_key"] != REPLICATION_KEY:
            raise ValueError(f"its replication_key is not {REPLICATION_KEY}")
        value = bookmark["replication_key_value"]
        reached = None if value is None else utc(text_of(value))
        known_from = or_beginning(bookmark["known_from"])
        if reached is not None and known_from > unix(reached):
            raise ValueError("its known_from lies after its bookmark")
        return cls(
            Position(
                reached,
                known_from,
                KnownFiles.decode(text_of(bookmark["files"])),
                KnownEvents.decode(text_of(bookmark["events"])),
                _begun(bookmark),
                maybe_second(bookmark["deep_look_at"]),
            ),
            text_of(bookmark["workspace_id"]),
            or_beginning(bookmark["covered_from"]),
            text_of(bookmark["chain_id"]),
            text_of(bookmark["run_id"]),
        )

    def refuse_others_than(self, workspace_id: str) -> None:
        """Refuse to be read for another workspace.

        Raises:
            BadState: If the state is of another one.
        """
        if self.workspace_id not in (None, workspace_id):
            raise BadState(
                f"The state is of the workspace {redacted(self.workspace_id)}, the"
                f" settings are of {workspace_id}",
                "give each workspace a state of its own (in Meltano --state-id-suffix),"
                " or set workspace_id to that of the state",
            )

    def write(self, bookmark: dict[str, Any]) -> None:
        """Write the bookmark, all of it."""
        position, begun = self.position, self.position.begun
        bookmark.pop("partitions", None)
        bookmark.update(
            version=VERSION,
            workspace_id=self.workspace_id,
            covered_from=unless_beginning(self.covered_from),
            chain_id=self.chain_id,
            run_id=self.run_id,
            replication_key=REPLICATION_KEY,
            replication_key_value=position.bookmark,
            known_from=unless_beginning(position.known_from),
            files=position.files.encode(),
            events=position.events.encode(),
            deep_look_at=(
                None if position.deep_look_at is None else iso(position.deep_look_at)
            ),
            begun_file_id=begun and begun.file.id,
            begun_end_time=begun and begun.file.end_time,
            begun_size=begun and begun.file.size,
            begun_sha256=begun and begun.file.sha256,
            begun_content_sha256=begun and begun.sha256,
            begun_items=begun and begun.items,
            begun_emitted=begun and begun.emitted,
            begun_filtered=begun and begun.filtered,
            begun_ids_checksum=begun and begun.ids_checksum,
        )


@dataclass(frozen=True)
class EnteredDays:
    """Which files the ledger has rows of: by day how many, and the sum of hashes.

    Where a target confirms each stream by itself, rows can be lost of files whose
    events were confirmed. The days that differ tell.
    """

    workspace_id: str | None = None
    audit: Mapping[int, tuple[int, int]] | None = None
    auth: Mapping[int, tuple[int, int]] | None = None

    @classmethod
    def read(cls, bookmark: Mapping[str, Any]) -> EnteredDays:
        """Read the bookmark of the ledger.

        Raises:
            BadState: If it cannot be read.
        """
        if bookmark in ({}, {"partitions": []}):
            return cls()
        try:
            allow_only({found.name for found in fields(cls)}, bookmark)
            return cls(
                text_of(bookmark["workspace_id"]),
                _days(bookmark["audit"]),
                _days(bookmark["auth"]),
            )
        except KeyError as error:
            what = f"it lacks {error}"
        except (TypeError, ValueError, OverflowError) as error:
            what = redacted(error)
        raise BadState(f"The state of {LOG_FILES} cannot be read ({what})")

    def lost(self, feed: str, files: KnownFiles) -> set[int]:
        """Return the days of which rows are lost, by the second at which each begins.

        Args:
            feed: `audit` or `auth`.
            files: Those that are done.
        """
        entered = {"audit": self.audit, "auth": self.auth}[feed] or {}
        done = files.days()
        return {day for day, found in done.items() if entered.get(day) != found}

    def write(
        self, bookmark: dict[str, Any], workspace_id: str, feed: str, files: KnownFiles
    ) -> EnteredDays:
        """Write that all files of a feed that are done have a row."""
        days = {"audit": self.audit, "auth": self.auth, feed: files.days()}
        after = EnteredDays(workspace_id, days["audit"], days["auth"])
        bookmark.pop("partitions", None)
        bookmark.update(
            workspace_id=workspace_id,
            audit=_lines(after.audit),
            auth=_lines(after.auth),
        )
        return after


def _lines(days: Mapping[int, tuple[int, int]] | None) -> list[str]:
    return [
        f"{iso(day)[:10]} {count} {total}"
        for day, (count, total) in sorted((days or {}).items())
    ]


def _days(lines: object) -> dict[int, tuple[int, int]]:
    found = {}
    for line in list_of(lines):
        day, count, total = text_of(line).split(" ")
        found[int(unix(day))] = int(count), int(total)
    return found


def _begun(bookmark: Mapping[str, Any]) -> Begun | None:
    id_, end_time = bookmark["begun_file_id"], bookmark["begun_end_time"]
    if id_ is None:
        return None
    size, sha256 = bookmark["begun_size"], bookmark["begun_sha256"]
    end_time = text_of(end_time)
    return Begun(
        LogFile(
            text_of(id_),
            end_time,
            unix(end_time),
            None if size is None else number_of(size),
            None if sha256 is None else text_of(sha256),
        ),
        text_of(bookmark["begun_content_sha256"]),
        number_of(bookmark["begun_items"]),
        number_of(bookmark["begun_emitted"]),
        number_of(bookmark["begun_filtered"]),
        number_of(bookmark["begun_ids_checksum"]),
    )
