"""What is known of files and of events, as hashes by the second at which a file ends.

Both are bounded, because they are kept in the state: what is oldest is forgotten first.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from tap_openai_audit.varints import (
    VarintReader,
    unzigzag,
    varint,
    zigzag,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_openai_audit.workspace.log_files import LogFile

_DAY = 86_400
_FILE_BYTES = 4
"""Of the hash of a file. It is compared with those of files that end in the same second
alone, which are few: another file is taken for one of them once in 4,000,000,000
times."""

_EVENT_BYTES = 6
"""Of the hash of an event in the state: a new event is taken for one of 1,000 known
ones once in 280,000,000,000 times."""

_EVENT_BYTES_IN_MEMORY = 8
"""Within a run many more are compared with each other."""

MOST_FILES = 1_150
"""Files that are known: seven days and as much of today as there may be, of a file
every ten minutes. That takes 11 KiB at the most, as base64."""

MOST_EVENTS = 100_000
"""Events that are known within a run. They take 20 MB of memory."""

EVENTS_BUDGET = 7 * 1024
"""Characters of the ids of events in the state, as base64: some 890 of them."""

EVENTS_SECONDS = 2 * 3600
"""How long ids of events are known. The same event stands in files that are close."""

_LONGEST_GROUP = 8
"""Bytes of the head of a group: five for a second, three for a count."""


class _Hash(NamedTuple):
    second: int
    digest: bytes


class KnownFiles:
    """Files that are done."""

    def __init__(self, hashes: Iterable[_Hash] = ()) -> None:
        self._hashes = set(hashes)

    @classmethod
    def decode(cls, text: str) -> KnownFiles:
        """Read what `encode` wrote.

        Raises:
            ValueError: If it is something else.
        """
        return cls(_decode(text, _FILE_BYTES))

    def encode(self) -> str:
        """Write them as text."""
        return _encode(sorted(self._hashes))

    def __contains__(self, file: LogFile) -> bool:
        """Tell whether a file is done."""
        return _of_file(file) in self._hashes

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._hashes)

    def copy(self) -> KnownFiles:
        """Return the same files, which do not change."""
        return KnownFiles(self._hashes)

    def add(self, file: LogFile) -> None:
        """Know a file from now on."""
        self._hashes.add(_of_file(file))

    def forget_before(self, second: int) -> int:
        """Forget what ends before a second, and more if there are too many.

        Returns:
            The second from which on all are known.
        """
        ordered = sorted(self._hashes)
        if len(ordered) > MOST_FILES:
            second = max(second, ordered[-MOST_FILES - 1].second + 1)
        if ordered and ordered[0].second < second:
            self._hashes = {found for found in ordered if found.second >= second}
        return second

    def days(self) -> dict[int, tuple[int, int]]:
        """Sum them up by day.

        Returns:
            By the second at which a day of UTC begins: how many files end within it,
            and the sum of their hashes.
        """
        found: dict[int, tuple[int, int]] = {}
        for second, digest in self._hashes:
            day = second - second % _DAY
            count, total = found.get(day, (0, 0))
            found[day] = count + 1, total + int.from_bytes(digest, "big")
        return found


class KnownEvents:
    """Events of the last files."""

    def __init__(self, hashes: Iterable[_Hash] = ()) -> None:
        # In the order in which they were last seen.
        self._seconds = {digest: second for second, digest in hashes}

    @classmethod
    def decode(cls, text: str) -> KnownEvents:
        """Read what `encode` wrote.

        Raises:
            ValueError: If it is something else.
        """
        return cls(_decode(text, _EVENT_BYTES))

    def encode(self) -> str:
        """Write as many as fit, the last ones, as text."""
        room, kept, seconds = EVENTS_BUDGET * 3 // 4 - 3, [], set[int]()
        for digest, second in reversed(self._seconds.items()):
            room -= _EVENT_BYTES + (0 if second in seconds else _LONGEST_GROUP)
            if room < 0:
                break
            seconds.add(second)
            kept.append(_Hash(second, digest[:_EVENT_BYTES]))
        kept.reverse()
        # Sorted by second alone: within one they keep their order.
        return _encode(sorted(kept, key=lambda found: found.second))

    def __contains__(self, id_: str) -> bool:
        """Tell whether the event of an id is known."""
        digest = _digest(id_, _EVENT_BYTES_IN_MEMORY)
        return digest in self._seconds or digest[:_EVENT_BYTES] in self._seconds

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._seconds)

    def add(self, id_: str, second: int) -> None:
        """Know an event, or know it for longer.

        Args:
            id_: Its id.
            second: The second at which the file ends that it was seen in.
        """
        digest = _digest(id_, _EVENT_BYTES_IN_MEMORY)
        for form in (digest, digest[:_EVENT_BYTES]):
            self._seconds.pop(form, None)
        self._seconds[digest] = second
        if len(self._seconds) > MOST_EVENTS:
            self._forget_first()

    def forget_before(self, second: int) -> None:
        """Forget events of files that end before a second."""
        while self._seconds and next(iter(self._seconds.values())) < second:
            self._forget_first()

    def _forget_first(self) -> None:
        del self._seconds[next(iter(self._seconds))]


def _of_file(file: LogFile) -> _Hash:
    return _Hash(file.second, _digest(file.id, _FILE_BYTES))


def _digest(text: str, size: int) -> bytes:
    # The beginning of a longer one, so that one form can be made of another.
    return blake2b(text.encode("utf-8", "surrogatepass")).digest()[:size]


def _encode(hashes: Sequence[_Hash]) -> str:
    """Write hashes that are in the order of time.

    Of each second: the distance to the one before, how many hashes, and the hashes.
    """
    out, previous = bytearray(), 0
    for second, group in groupby(hashes, key=lambda found: found.second):
        digests = [digest for _, digest in group]
        out += varint(zigzag(second - previous)) + varint(len(digests))
        out += b"".join(digests)
        previous = second
    return b64encode(out).decode()


def _decode(text: str, size: int) -> Iterator[_Hash]:
    """Read hashes.

    Raises:
        ValueError: If the text holds something else.
    """
    data = VarintReader(text)
    second = 0
    while not data.at_end:
        second += unzigzag(data.varint())
        count = data.varint()
        if not count:
            raise ValueError("it has a second without a hash")
        for _ in range(count):
            yield _Hash(second, data.fixed(size).to_bytes(size, "big"))
