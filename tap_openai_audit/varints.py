"""Integers of variable length: seven bits a byte, the lowest first, as base64 text."""

from __future__ import annotations

import binascii
from base64 import b64decode


def varint(number: int) -> bytes:
    """Encode an integer that is not negative."""
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def length_of(number: int) -> int:
    """Return how many bytes an integer takes."""
    return (number.bit_length() + 6) // 7 or 1


def zigzag(number: int) -> int:
    """Map integers to those that are not negative, small ones to small ones."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def unzigzag(number: int) -> int:
    """Undo `zigzag`."""
    return -(number >> 1) - 1 if number & 1 else number >> 1


class VarintReader:
    """Reads integers one after the other."""

    def __init__(self, text: str) -> None:
        """Read from the beginning.

        Raises:
            ValueError: If the text is not base64.
        """
        try:
            self._data = b64decode(text, validate=True)
        except binascii.Error:
            raise ValueError("it is not base64") from None
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether everything is read."""
        return self._position == len(self._data)

    @property
    def left(self) -> int:
        """How many bytes are not read yet."""
        return len(self._data) - self._position

    def fixed(self, size: int) -> int:
        """Read an integer of so many bytes, the highest first.

        Raises:
            ValueError: If the data ends before.
        """
        end = self._position + size
        if end > len(self._data):
            raise ValueError("it is cut off")
        number = int.from_bytes(self._data[self._position : end], "big")
        self._position = end
        return number

    def varint(self) -> int:
        """Read an integer of variable length.

        Raises:
            ValueError: If the data ends before.
        """
        number = shift = 0
        while self._position < len(self._data):
            byte = self._data[self._position]
            self._position += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte has its high bit clear
                return number
            shift += 7
        raise ValueError("it is cut off")
