"""The state of `audit_logs`: one object reads and writes a feed's part.

docs/state.md describes each field. A feed is a partition of the Singer state; all that
is kept in it are texts, numbers and lists of texts, because Meltano merges dictionaries
of an old state into a new one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tap_openai_audit.audit_logs.cells import Cells
from tap_openai_audit.audit_logs.days import Days
from tap_openai_audit.audit_logs.known import Known
from tap_openai_audit.audit_logs.position import Position
from tap_openai_audit.audit_logs.recent_ids import RecentIds
from tap_openai_audit.errors import BadState
from tap_openai_audit.redaction import redacted
from tap_openai_audit.singer.state_values import (
    allow_only,
    list_of,
    maybe_iso,
    maybe_second,
    number_of,
    or_beginning,
    text_of,
    unless_beginning,
)
from tap_openai_audit.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION = 3

_LONGEST_FILTERS = 4 * 1024
"""Characters of the filters as JSON. Longer ones are kept as a checksum: it tells that
they have changed, but not whether they became wider."""

MOST_SET_ASIDE = 100
"""Ids of events without a usable time that are kept: more are no slip of the API."""

_REPLICATION_KEY = "effective_at"
_FIELDS = frozenset(
    {
        "context", "version", "organization_id", "filters", "covered_from", "end_date",
        "chain_id", "run_id", "state_number", "replication_key",
        "replication_key_value", "read_to", "look_from", "known_from", "recent_from",
        "minutes_from", "quarters_from", "recent_ids", "cells", "counted_from", "days",
        "scanned_at", "set_aside",
    }
)  # fmt: skip


class Change(Enum):
    """How the filters of the settings differ from those of the state."""

    NONE = "none"
    NARROWED = "narrowed"
    WIDENED = "widened"
    """They let events through that those before did not."""


@dataclass(frozen=True)
class Filters:
    """The filters under which a feed is read, as the state keeps them."""

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
    """What is kept of a feed between runs. Times are Unix seconds."""

    position: Position = field(default_factory=Position)
    organization_id: str | None = None
    """Whose events they are. None if no state tells."""
    filters: Filters | None = None
    """Under which filters it was read. None if no state tells."""
    covered_from: int = BEGINNING
    """From when on the chain covers what its filters let through."""
    end_date: int | None = None
    """Before which the chain reads. None for everything up to now."""
    chain_id: str | None = None
    """Of all runs that began from each other's state. None without a state."""
    run_id: str | None = None
    """The run that wrote it."""
    number: int = 0
    """How many STATE messages of that run came before."""
    scanned_at: int | None = None
    """When the last late-arrival scan was."""
    set_aside: tuple[str, ...] = ()
    """The ids of events without a usable time that runs have seen."""

    @property
    def mark(self) -> str:
        """What no other STATE has."""
        return f"{self.run_id} {self.number}"

    @classmethod
    def read(cls, partition: Mapping[str, Any]) -> ScopeState:
        """Read a partition.

        Raises:
            BadState: If it cannot be read. It is never guessed at: a wrong bookmark
                would lose events silently.
        """
        if partition.keys() <= {"context"}:
            return cls()
        version = partition.get("version")
        if type(version) is not int or version != VERSION:
            named = "no version" if version is None else f"version {redacted(version)}"
            raise BadState(
                f"The state of audit_logs has {named}, and this tap reads version"
                f" {VERSION}",
                "run once without it (in Meltano with --full-refresh), which repeats"
                " all events",
            )
        try:
            state = cls._read(partition)
        except KeyError as error:
            what = f"it lacks {error}"
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            what = redacted(error)
        else:
            return state
        raise BadState(f"The state of audit_logs cannot be read ({what})")

    @classmethod
    def _read(cls, partition: Mapping[str, Any]) -> ScopeState:
        allow_only(_FIELDS, partition)
        if partition["replication_key"] != _REPLICATION_KEY:
            raise ValueError(f"its replication_key is not {_REPLICATION_KEY}")
        cells = Cells.decode(
            text_of(partition["cells"]),
            quarters_from=or_beginning(partition["quarters_from"]),
            minutes_from=or_beginning(partition["minutes_from"]),
        )
        known = Known(
            or_beginning(partition["known_from"]),
            or_beginning(partition["recent_from"]),
            RecentIds.decode(text_of(partition["recent_ids"])),
            cells,
        )
        position = Position(
            maybe_second(partition["replication_key_value"]),
            or_beginning(partition["look_from"]),
            maybe_second(partition["read_to"]),
            known,
            Days.decode(text_of(partition["days"])),
            maybe_second(partition["counted_from"]),
        )
        state = cls(
            position,
            text_of(partition["organization_id"]),
            Filters(tuple(text_of(line) for line in list_of(partition["filters"]))),
            or_beginning(partition["covered_from"]),
            maybe_second(partition["end_date"]),
            text_of(partition["chain_id"]),
            text_of(partition["run_id"]),
            number_of(partition["state_number"]),
            maybe_second(partition["scanned_at"]),
            tuple(text_of(id_) for id_ in list_of(partition["set_aside"])),
        )
        state.check()
        return state

    def check(self) -> None:
        """Check the fields against each other.

        Raises:
            ValueError: If some contradict each other: events would be lost.
        """
        position = self.position
        known, bookmark = position.known, position.bookmark
        seconds, starts = known.ids.seconds, known.cells.starts_between(BEGINNING, END)
        first_cell = known.cells.start_of(known.known_from)
        faults = {
            "known_from is after look_from": known.known_from > position.look_from,
            "known_from is after recent_from": known.known_from > known.recent_from,
            "look_from is after the bookmark": (
                bookmark is not None and position.look_from > bookmark
            ),
            "it has a bookmark and no read_to": (
                bookmark is not None and position.read_to is None
            ),
            "covered_from is after the bookmark": (
                bookmark is not None and self.covered_from > bookmark
            ),
            "end_date is not after the bookmark": (
                bookmark is not None
                and self.end_date is not None
                and self.end_date <= bookmark
            ),
            "an id is before recent_from": (
                bool(seconds) and seconds[0] < known.recent_from
            ),
            "a cell is before known_from": bool(starts) and starts[0] < first_cell,
            "a cell is after recent_from": (
                bool(starts) and starts[-1] >= known.recent_from
            ),
            "a width begins after recent_from": (
                known.cells.minutes_from > known.recent_from
            ),
        }
        for fault, applies in faults.items():
            if applies:
                raise ValueError(fault)

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
        position, known = self.position, self.position.known
        partition.update(
            version=VERSION,
            organization_id=self.organization_id,
            filters=[] if self.filters is None else list(self.filters.lines),
            covered_from=unless_beginning(self.covered_from),
            end_date=maybe_iso(self.end_date),
            chain_id=self.chain_id,
            run_id=self.run_id,
            state_number=self.number,
            replication_key=_REPLICATION_KEY,
            replication_key_value=maybe_iso(position.bookmark),
            look_from=unless_beginning(position.look_from),
            read_to=maybe_iso(position.read_to),
            known_from=unless_beginning(known.known_from),
            recent_from=unless_beginning(known.recent_from),
            minutes_from=unless_beginning(known.cells.minutes_from),
            quarters_from=unless_beginning(known.cells.quarters_from),
            recent_ids=known.ids.encode(),
            cells=known.cells.encode(),
            counted_from=maybe_iso(position.counted_from),
            days=position.days.encode(),
            scanned_at=maybe_iso(self.scanned_at),
            set_aside=list(self.set_aside),
        )
