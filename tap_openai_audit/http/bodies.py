"""What a body holds, whatever state it comes in.

Bodies are seen in production that hold several JSON documents one after the other, and
texts in them are written by whoever signs up. What cannot be text in every target, a
NUL character, a lone surrogate or a byte that is not UTF-8, becomes U+FFFD, or one
event would stop the batch of all others. All else is kept as it is, numbers to the last
digit, because events are passed on as the bytes they came in.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tap_openai_audit.http.nesting import shallow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")
_PIECE = 1 << 16
"""Bytes of a body that are looked at as text at once: a usual page is two of them."""

_NUL = rb"\u0000"
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<no_text>u[dD][89a-fA-F][0-9a-fA-F]{2}|u0000)|.)",
    re.DOTALL,
)


class BadBody(Exception):
    """A body that is not what the API sends. Says what it is instead.

    It stays within `api/`: who reads a body does not know which response it came with,
    so `client` makes a `BadResponse` of it, with the request id.
    """


def documents(body: bytes, decode: Callable[[bytes], _T]) -> list[_T]:
    """Decode the JSON documents that a body holds, one as a rule.

    Args:
        body: The body of a response.
        decode: Decodes one document, and raises msgspec's errors.

    Raises:
        BadBody: If the body is empty, cut off, or no JSON of the expected shape.
    """
    found, flaw = readable(body, decode)
    if flaw is not None:
        raise flaw
    return found


def readable(
    body: bytes, decode: Callable[[bytes], _T]
) -> tuple[list[_T], BadBody | None]:
    """Decode what can be read of a body.

    Args:
        body: The body of a response, or a part of it.
        decode: Decodes one document, and raises msgspec's errors.

    Returns:
        The documents, and what is wrong with the first of those that are left out.
    """
    if not body.isascii():
        body = _as_utf8(body)
    try:
        # The first test is many times faster than the second, and mostly decides.
        if b"\\" in body and _NUL in body:
            body = _without_what_is_no_text(body)
        return [_decoded(body, decode)], None
    except (msgspec.DecodeError, RecursionError):
        body = shallow(_without_what_is_no_text(body))
    found: list[_T] = []
    flaw = None
    try:
        for part in _parts(body):
            try:
                found.append(_decoded(part, decode))
            except msgspec.DecodeError as error:  # noqa: PERF203 - one as a rule
                flaw = flaw or _flaw(error)
    except BadBody as error:
        flaw = flaw or error
    return found, flaw


def _flaw(error: msgspec.DecodeError) -> BadBody:
    if isinstance(error, msgspec.ValidationError):
        return BadBody(f"JSON of another shape ({error})")
    return BadBody(f"JSON that cannot be read ({error})")


def _decoded(body: bytes, decode: Callable[[bytes], _T]) -> _T:
    """Decode one document. Raw parts of it never hold a line feed: a message is a line.

    The API indents what it sends. White space outside strings is all that is dropped.
    """
    if b"\n" in body or b"\r" in body:
        body = msgspec.json.format(body, indent=-1)
    return decode(body)


def _as_utf8(body: bytes) -> bytes:
    """Replace what is not UTF-8.

    A text takes four times the memory of its bytes, so a long body is looked at in
    pieces.
    """
    pieces = range(0, len(body), _PIECE)
    view = memoryview(body)
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        for at in pieces:
            decoder.decode(view[at : at + _PIECE], final=at + _PIECE >= len(body))
    except UnicodeDecodeError:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return b"".join(
            decoder.decode(
                view[at : at + _PIECE], final=at + _PIECE >= len(body)
            ).encode()
            for at in pieces
        )
    return body


def _without_what_is_no_text(body: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: rb"\ufffd" if match["no_text"] else match[0], body)


def _parts(body: bytes) -> Iterator[bytes]:
    """Where one document ends and the next begins.

    Raises:
        BadBody: If there is none, or the last one is cut off.
    """
    text = body.decode().strip()
    if not text:
        raise BadBody("an empty body")
    if text.startswith("<"):
        raise BadBody("an HTML page instead of JSON")
    decoder = json.JSONDecoder(parse_int=_ignored, parse_float=_ignored)
    position = 0
    while position < len(text):
        try:
            _, end = decoder.raw_decode(text, position)
        except ValueError:
            what = "JSON that is cut off or broken" if text[0] in "{[" else "no JSON"
            raise BadBody(what) from None
        except RecursionError:
            raise BadBody("JSON that is nested too deeply") from None
        yield text[position:end].encode()
        position = end
        while position < len(text) and text[position].isspace():
            position += 1


def _ignored(_digits: str) -> Any:  # noqa: ANN401 - json's own signature
    """Numbers need no value here: only where the document ends matters."""
    return None
