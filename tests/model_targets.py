"""Targets in memory that confirm states as real ones do, and can be killed anywhere.

What a target was given and had not loaded when it was killed is lost, and the next run
begins from the last state that it confirmed.
"""

from __future__ import annotations

import abc
import copy
from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import md5
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Message = dict[str, Any]
_KEYS = {
    "audit_logs": ("id",),
    "audit_log_digests": ("organization_id", "scope", "chain_id", "day"),
    "sync_reports": ("run_id", "scope"),
}


@dataclass
class ModelTarget(abc.ABC):
    """Tables with primary keys, and the last state that was confirmed."""

    tables: dict[str, dict[tuple[str, ...], Message]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    state: Message | None = None
    pending: list[tuple[str, Message]] = field(default_factory=list)

    def load(self, messages: Sequence[Message]) -> None:
        """Load all that a run writes."""
        self.read(messages)
        self.end()

    def read(self, messages: Sequence[Message]) -> None:
        """Read messages, and be killed then."""
        self.begin()
        for message in messages:
            if message["type"] == "RECORD":
                self.pending.append((message["stream"], message["record"]))
                self.took_record(message["stream"])
            elif message["type"] == "STATE":
                self.took_state(message["value"])

    def begin(self) -> None:
        self.pending = []

    def flush(self, streams: Collection[str] | None = None) -> None:
        """Load what is pending of some streams, by default of all."""
        for stream, record in self.pending:
            if streams is None or stream in streams:
                key = tuple(str(record[name]) for name in _KEYS.get(stream, record))
                self.tables[stream][key] = record
        self.pending = [
            one for one in self.pending if streams is not None and one[0] not in streams
        ]

    @abc.abstractmethod
    def took_record(self, stream: str) -> None:
        """Do what the target does after a record."""

    @abc.abstractmethod
    def took_state(self, state: Message) -> None:
        """Do what the target does after a STATE message."""

    @abc.abstractmethod
    def end(self) -> None:
        """Load and confirm what is left."""


@dataclass
class SdkTarget(ModelTarget):
    """As the Singer SDK's: all sinks are drained in parallel, then comes the STATE.

    Attributes:
        through: The streams whose sinks were through when it was killed.
    """

    through: Collection[str] = ()

    def took_record(self, stream: str) -> None:
        """Wait for the STATE."""

    def took_state(self, state: Message) -> None:
        self.flush()
        self.state = copy.deepcopy(state)

    def killed(self) -> None:
        self.flush(self.through)

    def end(self) -> None:
        self.flush()


@dataclass
class PerStreamTarget(ModelTarget):
    """As target-duckdb: a stream with a full batch is loaded, and confirmed by itself.

    The first STATE message of a run counts as confirmed.
    """

    batch: int = 4
    all_streams: bool = False
    latest: Message | None = None
    flushed: Message | None = None

    def begin(self) -> None:
        super().begin()
        self.latest = self.flushed = None

    def took_record(self, stream: str) -> None:
        if sum(name == stream for name, _ in self.pending) < self.batch:
            return
        if self.all_streams:
            self.flush()
            self.flushed = copy.deepcopy(self.latest)
        else:
            self.flush([stream])
            own = (self.latest or {}).get("bookmarks", {}).get(stream)
            if own is not None and self.flushed is not None:
                self.flushed.setdefault("bookmarks", {})[stream] = copy.deepcopy(own)
        if self.flushed is not None:
            self.state = copy.deepcopy(self.flushed)

    def took_state(self, state: Message) -> None:
        self.latest = state
        if not self.flushed:
            self.flushed = copy.deepcopy(state)

    def end(self) -> None:
        self.flush()
        self.state = copy.deepcopy(self.latest)


@dataclass
class AtEndTarget(ModelTarget):
    """As target-jsonl: a record is written at once, the state confirmed at the end."""

    latest: Message | None = None

    def took_record(self, stream: str) -> None:
        self.flush([stream])

    def took_state(self, state: Message) -> None:
        self.latest = copy.deepcopy(state)

    def end(self) -> None:
        self.state = self.latest


def differences(
    tables: dict[str, dict[tuple[str, ...], Message]], *, allow_surplus: bool = False
) -> list[str]:
    """Compare each day of the newest digests with the table, as a warehouse does.

    Args:
        tables: What a target has loaded.
        allow_surplus: Whether rows are expected that no digest counts.
    """
    found = []
    digests = {
        (digest["scope"], digest["day"]): digest
        for digest in sorted(
            tables["audit_log_digests"].values(), key=lambda d: str(d["updated_at"])
        )
    }
    days: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for row in tables["audit_logs"].values():
        days[row["scope"], row["effective_at"][:10]].append(row)
    for key in sorted({*digests, *days}):
        digest = digests.get(key)
        if digest is None:
            if not allow_surplus:
                found.append(f"{key}: no digest")
            continue
        rows = [r for r in days[key] if r["effective_at"] >= digest["counted_from"]]
        ids = {row["id"] for row in rows}
        told = (digest["events"], digest["ids_checksum"])
        if allow_surplus and len(ids) > digest["events"]:
            continue
        if told != (len(ids), sum(map(checksum, ids))):
            found.append(f"{key}: {len(ids)} rows, digest {digest}")
    return found


def checksum(id_: str) -> int:
    return int(md5(id_.encode(), usedforsecurity=False).hexdigest()[:8], 16)
