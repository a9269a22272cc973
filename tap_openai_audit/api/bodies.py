"""What a body holds, whatever state it comes in.

Bodies are seen in production that hold several JSON documents one after the other, and
texts in them are written by whoever signs up. What cannot be text in any target, a
lone surrogate or a byte that is not UTF-8, becomes U+FFFD; all else is kept as it is,
numbers to the last digit, because events are passed on as the bytes they came in.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class BadBody(Exception):  # noqa: N818 - it is named for what it holds
    """A body that is not what the API sends. Says what it is instead."""


def documents(body: bytes, decoder: msgspec.json.Decoder[_T]) -> list[_T]:
    """Decode the JSON documents that a body holds, one as a rule.

    Raises:
        BadBody: If the body is empty, cut off, or no JSON of the expected shape.
    """
    body = _as_text(body)
    try:
        return [decoder.decode(body)]
    except (msgspec.DecodeError, RecursionError):
        return [_decoded(part, decoder) for part in _parts(body)]


def _decoded(part: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    try:
        return decoder.decode(part)
    except msgspec.ValidationError as error:
        raise BadBody(f"JSON of another shape ({error})") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadBody(f"JSON that cannot be read ({error})") from None


def _as_text(body: bytes) -> bytes:
    """The body in valid UTF-8 without lone surrogates."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode(errors="replace").encode()
    if rb"\ud" in body or rb"\uD" in body:
        body = _ESCAPE.sub(
            lambda match: rb"\ufffd" if match["lone"] else match[0], body
        )
    return body


def _parts(body: bytes) -> list[bytes]:
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
    parts, position = [], 0
    while position < len(text):
        try:
            _, end = decoder.raw_decode(text, position)
        except ValueError:
            what = "JSON that is cut off or broken" if text[0] in "{[" else "no JSON"
            raise BadBody(what) from None
        except RecursionError:
            raise BadBody("JSON that is nested too deeply") from None
        parts.append(text[position:end].encode())
        position = len(text) - len(text[end:].lstrip())
    return parts


def _ignored(_digits: str) -> Any:  # noqa: ANN401 - json's own signature
    """Numbers need no value here: only where the document ends matters."""
    return None
