"""The state of `audit_logs`: one object reads, migrates and writes a scope's part.

docs/state.md describes each field. A scope is a partition of the Singer state; all that
is kept in it are texts, numbers and lists of texts, because Meltano merges dictionaries
of an old state into a new one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tap_openai_audit.audit_logs.days import Days
from tap_openai_audit.audit_logs.event_types import ORGANIZATION, TENANT
from tap_openai_audit.audit_logs.position import Position
from tap_openai_audit.audit_logs.sketch import Sketch
from tap_openai_audit.audit_logs.state_of_0_1 import ids_of_0_1
from tap_openai_audit.errors import BadState
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.state_values import (
    allow_only,
    list_of,
    maybe_iso,
    maybe_second,
    or_beginning,
    text_of,
    unless_beginning,
)
from tap_openai_audit.timestamps import unix
from tap_openai_audit.windows import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION = 2

SKETCH_BUDGET = {ORGANIZATION: 20 * 1024, TENANT: 6 * 1024}
"""Characters of each scope's sketch. With all else the state stays under 64 KiB, as
Meltano keeps that of every run in its database. Tenant events are few."""

MOST_DAYS = {ORGANIZATION: 1_000, TENANT: 400}
"""Days that a scope keeps counted until their digests are confirmed, which takes two
runs. A day takes some twenty characters. Of a longer backfill the first days have no
digest."""

_LONGEST_FILTERS = 4 * 1024
"""Characters of the filters as JSON. Longer ones are kept as a checksum: it tells that
they have changed, but not whether they became wider."""

_REPLICATION_KEY = "effective_at"
_FIELDS = frozenset(
    {
        "context", "version", "organization_id", "filters", "covered_from", "chain_id",
        "run_id", "replication_key", "replication_key_value", "read_to", "look_from",
        "known_from", "known", "known_of_0_1", "counted_from", "days", "deep_look_at",
    }
)  # fmt: skip
_FIELDS_OF_0_1 = frozenset(
    {"context", "replication_key", "replication_key_value", "lookback"}
)
_LOOKBACK_OF_0_1 = frozenset({"since", "ids"})


class Change(Enum):
    """How the filters of the settings differ from those of the state."""

    NONE = "none"
    NARROWED = "narrowed"
    WIDENED = "widened"
    """They let events through that those before did not."""


@dataclass(frozen=True)
class Filters:
    """The filters under which a scope is read, as the state keeps them."""

    lines: tuple[str, ...] = ()
    """`name=value`, in order."""

    @classmethod
    def of(cls, filters: Mapping[str, Iterable[str]]) -> Filters:
        """Make them of values by name. No name stands for all values."""
        lines = tuple(
            sorted(f"{name}={value}" for name, own in filters.items() for value in own)
        )
        if len(json.dumps(lines)) > _LONGEST_FILTERS:
            checksum = sha256("\n".join(lines).encode()).hexdigest()
            lines = (f"sha256={checksum}",)
        return cls(lines)

    def change_to(self, other: Filters) -> Change:
        """Tell how other filters differ from these."""
        if self == other:
            return Change.NONE
        if not self.lines:
            return Change.NARROWED
        before, now = self._by_name(), other._by_name()
        if "sha256" in {*before, *now}:
            return Change.WIDENED
        narrower = all(
            now.get(name, values) <= values for name, values in before.items()
        )
        return (
            Change.NARROWED
            if narrower and before.keys() <= now.keys()
            else Change.WIDENED
        )

    def __str__(self) -> str:
        """Say how many values each name has: a line of a log need not hold them."""
        names = {name: len(values) for name, values in self._by_name().items()}
        return ", ".join(f"{name} ({n})" for name, n in names.items()) or "no filters"

    def _by_name(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in self.lines:
            name, _, value = line.partition("=")
            found.setdefault(name, set()).add(value)
        return found


@dataclass(frozen=True)
class ScopeState:
    """What is kept of a scope between runs. Times are Unix seconds."""

    position: Position
    organization_id: str | None = None
    """Whose events they are. None if no state tells."""
    filters: Filters | None = None
    """Under which filters it was read. None if no state tells."""
    covered_from: int = BEGINNING
    """From when on the chain covers what its filters let through."""
    chain_id: str | None = None
    """Of all runs that began from each other's state. None without a state."""
    run_id: str | None = None
    """The run that wrote it."""
    deep_look_at: int | None = None
    """When the last deep look was."""

    @classmethod
    def read(cls, partition: Mapping[str, Any]) -> ScopeState:
        """Read a partition, one of version 0.1.0 included.

        Raises:
            BadState: If it cannot be read. It is never guessed at: a wrong bookmark
                would lose events silently.
        """
        try:
            version = partition.get("version")
            if version is None and "version" not in partition:
                return cls._read_of_0_1(partition)
            if type(version) is not int or version != VERSION:
                raise BadState(
                    f"The state of audit_logs is of version {redacted(version)}, which"
                    " a newer version of this tap wrote",
                    "update the tap",
                )
            return cls._read(partition)
        except KeyError as error:
            what = f"it lacks {error}"
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            what = redacted(error)
        raise BadState(f"The state of audit_logs cannot be read ({what})")

    @classmethod
    def _read(cls, partition: Mapping[str, Any]) -> ScopeState:
        allow_only(_FIELDS, partition)
        _expect_key(partition)
        known_of_0_1 = partition["known_of_0_1"]
        return cls(
            Position(
                maybe_second(partition["replication_key_value"]),
                or_beginning(partition["look_from"]),
                or_beginning(partition["known_from"]),
                Sketch.decode(text_of(partition["known"])),
                Days.decode(text_of(partition["days"])),
                maybe_second(partition["counted_from"]),
                maybe_second(partition["read_to"]),
                None if known_of_0_1 is None else ids_of_0_1(known_of_0_1),
            ),
            text_of(partition["organization_id"]),
            Filters(tuple(text_of(line) for line in list_of(partition["filters"]))),
            or_beginning(partition["covered_from"]),
            text_of(partition["chain_id"]),
            text_of(partition["run_id"]),
            maybe_second(partition["deep_look_at"]),
        )

    @classmethod
    def _read_of_0_1(cls, partition: Mapping[str, Any]) -> ScopeState:
        """Read what 0.1.0 wrote: no organization, no filters, other hashes."""
        allow_only(_FIELDS_OF_0_1, partition)
        if partition.keys() <= {"context"}:
            return cls(Position())
        _expect_key(partition)
        bookmark = int(unix(text_of(partition["replication_key_value"])))
        lookback = partition.get("lookback", {})
        allow_only(_LOOKBACK_OF_0_1, lookback)
        since = maybe_second(lookback.get("since"))
        known_from = bookmark if since is None else min(since, bookmark)
        ids = ids_of_0_1(lookback.get("ids", ""))
        # What it emitted up to its bookmark nobody has counted.
        position = Position(
            bookmark,
            known_from,
            known_from,
            counted_from=bookmark + 1,
            known_of_0_1=ids,
        )
        return cls(position)

    def with_closed_days(self, most: int) -> ScopeState:
        """Leave out the oldest days that no look will change, but for so many."""
        closed = self.position.closed_days
        if len(closed) <= most:
            return self
        gone = closed[: len(closed) - most]
        return replace(self, position=self.position.without_days(gone))

    def refuse_others_than(self, organization_id: str) -> None:
        """Refuse to be read for another organization.

        Raises:
            BadState: If the state is of another one.
        """
        if self.organization_id not in (None, organization_id):
            raise BadState(
                f"The state is of the organization {redacted(self.organization_id)},"
                f" the settings are of {organization_id}",
                "give each organization a state of its own (in Meltano"
                " --state-id-suffix), or set organization_id to that of the state",
            )

    def write(self, partition: dict[str, Any]) -> None:
        """Write a partition, all of it.

        What does not apply is written as null: a field that is left out would come back
        out of an older state that Meltano merges with.
        """
        position = self.position
        partition.update(
            version=VERSION,
            organization_id=self.organization_id,
            filters=[] if self.filters is None else list(self.filters.lines),
            covered_from=unless_beginning(self.covered_from),
            chain_id=self.chain_id,
            run_id=self.run_id,
            replication_key=_REPLICATION_KEY,
            replication_key_value=maybe_iso(position.bookmark),
            look_from=unless_beginning(position.look_from),
            known_from=unless_beginning(position.known_from),
            read_to=maybe_iso(position.read_to),
            known=position.known.encode(),
            known_of_0_1=(
                None
                if position.known_of_0_1 is None
                else partition.get("known_of_0_1")
                or (partition.get("lookback") or {}).get("ids", "")
            ),
            counted_from=maybe_iso(position.counted_from),
            days=position.days.encode(),
            deep_look_at=maybe_iso(self.deep_look_at),
        )
        partition.pop("lookback", None)


def _expect_key(partition: Mapping[str, Any]) -> None:
    if partition["replication_key"] != _REPLICATION_KEY:
        raise ValueError(f"its replication_key is not {_REPLICATION_KEY}")
