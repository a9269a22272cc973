"""Cells: the ids of some seconds as a count and a sum.

A cell is compared as a whole. If its events, read again, have the same count and sum,
none is new. If there are one or two more, the difference of the sums is the hash of the
new one, or the sum of the two, which is found by look-up. Otherwise the cell cannot be
resolved, and all its events are emitted again, which a primary key repairs, rather than
one be lost, which nothing repairs.

Cells are as wide as they are old: a minute, a quarter of an hour, an hour. Each width
divides the next one and the day, so that older cells add up and none crosses midnight.
"""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect_left
from hashlib import md5
from typing import TYPE_CHECKING, NamedTuple

from tap_openai_audit.varints import VarintReader, unzigzag, varint, zigzag
from tap_openai_audit.windows import BEGINNING, EARLIEST_NAMED, END

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MINUTE, QUARTER, HOUR = 60, 900, 3600  # seconds

MOST_RESOLVED = 2
"""New events of a cell that are found by the difference of its sums. Three would take a
search through all pairs."""

HASH_BYTES = 8
"""Two different sets of ids have the same count and sum with a chance of 1 in 2⁶⁴."""

_MASK = (1 << 8 * HASH_BYTES) - 1


def hash_of(id_: str) -> int:
    """Return the first 16 hexadecimal digits of the MD5 of an id, as a number."""
    digest = md5(id_.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:HASH_BYTES], "big")


class Cell(NamedTuple):
    """The ids of a cell."""

    events: int = 0
    """How many."""
    checksum: int = 0
    """The sum of their hashes, modulo 2⁶⁴."""

    def plus(self, other: Cell) -> Cell:
        """Return one cell for this one and another."""
        return Cell(
            self.events + other.events, (self.checksum + other.checksum) & _MASK
        )


EMPTY = Cell()


def cell_of(hashes: Iterable[int]) -> Cell:
    """Return the cell that holds some ids, given by their hashes."""
    found = list(hashes)
    return Cell(len(found), sum(found) & _MASK)


def new_among(known: Cell, hashes: Sequence[int]) -> list[int] | None:
    """Find the events of a cell that are not known.

    Args:
        known: What was known of the cell.
        hashes: Those of all its events, as they were read now.

    Returns:
        The places of the new ones, None if the cell cannot be resolved.
    """
    added = len(hashes) - known.events
    missing = (sum(hashes) - known.checksum) & _MASK
    if added == 0:
        return [] if missing == 0 else None
    if added == 1:
        return [hashes.index(missing)] if missing in hashes else None
    if added == MOST_RESOLVED:
        place = {own: position for position, own in enumerate(hashes)}
        for position, own in enumerate(hashes):
            found = place.get((missing - own) & _MASK)
            if found is not None and found != position:
                return sorted((position, found))
    return None


def _later(before: int, second: int, width: int) -> int:
    """Return where a width begins now: at a multiple of the wider one, from 1970 on."""
    second -= second % width
    return max(before, second) if second > EARLIEST_NAMED else before


class Cells:
    """Cells by the second in which they begin, and where each width begins."""

    def __init__(
        self,
        cells: Mapping[int, Cell] | None = None,
        *,
        quarters_from: int = BEGINNING,
        minutes_from: int = BEGINNING,
    ) -> None:
        """Take cells.

        Args:
            cells: By the second in which they begin.
            quarters_from: Before it a cell has an hour, from it on a quarter of one.
            minutes_from: From it on a cell has a minute. Not before `quarters_from`.
        """
        self._cells = dict(cells or {})
        self.quarters_from = quarters_from
        self.minutes_from = minutes_from

    def __eq__(self, other: object) -> bool:
        """Tell whether two hold the same."""
        return isinstance(other, Cells) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __len__(self) -> int:
        """Return how many cells there are."""
        return len(self._cells)

    def __getitem__(self, start: int) -> Cell:
        """Return the cell that begins here, an empty one if nothing is known of it."""
        return self._cells.get(start, EMPTY)

    def __setitem__(self, start: int, cell: Cell) -> None:
        """Know this of the cell that begins here."""
        self._cells[start] = cell

    @property
    def events(self) -> int:
        """How many ids all of them hold."""
        return sum(cell.events for cell in self._cells.values())

    def copy(self) -> Cells:
        """Return cells that change apart from these."""
        return Cells(
            self._cells,
            quarters_from=self.quarters_from,
            minutes_from=self.minutes_from,
        )

    def start_of(self, second: int) -> int:
        """Return where the cell of a second begins."""
        return second - second % self._width_at(second)

    def end_of(self, start: int) -> int:
        """Return where the cell ends that begins here."""
        return start + self._width_at(start)

    def _width_at(self, second: int) -> int:
        if second >= self.minutes_from:
            return MINUTE
        return QUARTER if second >= self.quarters_from else HOUR

    def starts_between(self, start: int, end: int) -> list[int]:
        """Return where the cells begin that begin within a range, in order."""
        starts = sorted(self._cells)
        return starts[bisect_left(starts, start) : bisect_left(starts, end)]

    def add(self, second: int, cell: Cell) -> None:
        """Add ids to the cell of a second."""
        start = self.start_of(second)
        self._cells[start] = self[start].plus(cell)

    def widen(self, quarters_from: int, minutes_from: int) -> None:
        """Add up older cells. No width begins earlier than before.

        Args:
            quarters_from: Where quarters of an hour begin: a full hour is taken.
            minutes_from: Where minutes begin: a full quarter of an hour is taken.
        """
        quarters_from = _later(self.quarters_from, quarters_from, HOUR)
        minutes_from = _later(self.minutes_from, minutes_from, QUARTER)
        minutes_from = max(minutes_from, quarters_from)
        if (quarters_from, minutes_from) == (self.quarters_from, self.minutes_from):
            return
        self.quarters_from, self.minutes_from = quarters_from, minutes_from
        cells, self._cells = self._cells, {}
        for start, cell in cells.items():
            self.add(start, cell)

    def forget_before(self, second: int) -> None:
        """Forget the cells that begin before a second."""
        for start in [start for start in self._cells if start < second]:
            del self._cells[start]

    def encode(self) -> str:
        """Return the form in which they are kept: base64 of integers.

        For each cell, the oldest first: the minutes from the start of the one before,
        of the first from 1970 and signed by zigzag; its count, of variable length; the
        eight bytes of its sum.
        """
        out, previous = bytearray(), None
        for start, cell in sorted(self._cells.items()):
            minute = start // MINUTE
            out += varint(zigzag(minute) if previous is None else minute - previous)
            out += varint(cell.events)
            out += cell.checksum.to_bytes(HASH_BYTES, "big")
            previous = minute
        return b64encode(out).decode()

    @classmethod
    def decode(cls, text: str, *, quarters_from: int, minutes_from: int) -> Cells:
        """Read the form in which they are kept.

        Raises:
            ValueError: If the text is not such a form.
        """
        found = cls(quarters_from=quarters_from, minutes_from=minutes_from)
        if minutes_from < quarters_from:
            raise ValueError("minutes before quarters of an hour")
        data, minute = VarintReader(text), None
        while not data.at_end:
            distance = data.varint()
            if minute is not None and not distance:
                raise ValueError("a cell twice")
            minute = unzigzag(distance) if minute is None else minute + distance
            start, events = minute * MINUTE, data.varint()
            if not events or not BEGINNING <= start < END:
                raise ValueError("a cell that no event has")
            if found.start_of(start) != start:
                raise ValueError("a cell of another width")
            found[start] = Cell(events, data.fixed(HASH_BYTES))
        return found
