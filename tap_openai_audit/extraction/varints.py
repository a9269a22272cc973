"""Integers of variable length: seven bits a byte, lowest first."""

from __future__ import annotations


def varint(number: int) -> bytes:
    """Write a number that is not negative."""
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> int:
    """Fold the sign into the lowest bit, so that small numbers stay short."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def unzigzag(number: int) -> int:
    """Take the sign out of the lowest bit."""
    return -(number >> 1) - 1 if number & 1 else number >> 1


class ByteReader:
    """Reads what was written, one after the other.

    Each method raises `ValueError` where the bytes end too early.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether all is read."""
        return self._position == len(self._data)

    def take(self, count: int) -> bytes:
        """Read so many bytes."""
        end = self._position + count
        if end > len(self._data):
            raise ValueError("what is known is cut off")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def varint(self) -> int:
        """Read an integer of variable length."""
        number = shift = 0
        while self._position < len(self._data):
            byte = self._data[self._position]
            self._position += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte has its high bit clear
                return number
            shift += 7
        raise ValueError("what is known is cut off")
