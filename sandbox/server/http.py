"""Requests as parameters, and responses before they are bytes on a connection."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Sequence

HTML = b"<html><head><title>Gateway</title></head><body><h1>Gateway</h1></body></html>"
_INTEGER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True)
class Page:
    """One page of a list: ready items and the other fields of the envelope.

    Attributes:
        items: The items as JSON.
        fields: What stands behind them.
        before: What stands in front of them, as JSON.
    """

    items: list[bytes]
    fields: dict[str, object]
    before: bytes = b'"object":"list",'

    def body(self, envelope: str = "normal") -> bytes:
        """Return it as JSON.

        Args:
            envelope: `normal`, `bare_documents`, which are the items one after the
                other, or `bare_list`.
        """
        if envelope == "bare_documents":
            return b"\n".join(self.items)
        listed = b"[%b]" % b",".join(self.items)
        if envelope == "bare_list":
            return listed
        rest = json.dumps(self.fields).encode()[1:]
        return b'{%b"data":%b%b%b' % (
            self.before,
            listed,
            b"," if self.fields else b"",
            rest,
        )

    def without(self, id_: str) -> Page:
        """Return the page without the object of an id."""
        items = [item for item in self.items if json.loads(item).get("id") != id_]
        fields = dict(self.fields)
        if fields.get("last_id") == id_:
            fields["last_id"] = json.loads(items[-1])["id"] if items else None
        return replace(self, items=items, fields=fields)

    def split(self, parts: int) -> bytes:
        """Return several JSON documents that together have this page's items."""
        size = -(-len(self.items) // parts)
        pages = [
            replace(self, items=self.items[size * n : size * (n + 1)], fields={})
            for n in range(parts)
        ]
        pages[-1] = replace(pages[-1], fields=self.fields)
        return b"".join(page.body() for page in pages)


@dataclass(frozen=True)
class Response:
    """A status, a body and headers; `page` too where the body is one."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    page: Page | None = None
    content_type: str = "application/json"

    def with_html(self) -> Response:
        """Return it with a gateway's body instead of its own."""
        return replace(self, body=HTML, content_type="text/html; charset=utf-8")


class RefusedError(Exception):
    """A request that the API answers with an error."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def listed(page: Page, envelope: str = "normal") -> Response:
    """Return a page of a list as a response."""
    return Response(200, page.body(envelope), page=page)


def error(
    status: int,
    message: str,
    *,
    error_type: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> Response:
    """Return an error in the API's envelope."""
    content = {"message": message, "type": error_type, "param": param, "code": code}
    return Response(status, json.dumps({"error": content}, indent=2).encode())


def invalid(param: str, message: str, code: str | None = None) -> Response:
    """Return the refusal of a parameter."""
    return error(400, message, param=param, code=code)


def bearer(headers: dict[bytes, bytes]) -> str:
    """Return the key that a request carries; empty when there is none."""
    authorization = headers.get(b"authorization", b"").decode("latin-1")
    scheme, _, key = authorization.partition(" ")
    return key if scheme.lower() == "bearer" else ""


class Query:
    """The parameters of one request; lists come with or without brackets."""

    def __init__(self, text: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True)
        for name, value in pairs:
            self._values.setdefault(name.removesuffix("[]"), []).append(value)

    def many(self, name: str) -> list[str]:
        """Return every value of a list parameter."""
        return self._values.get(name, [])

    def one(self, name: str) -> str | None:
        """Return the last value of a parameter, or None."""
        return self.many(name)[-1] if self.many(name) else None

    def integer(self, name: str) -> int | None:
        """Return a whole number, or None.

        Raises:
            RefusedError: It is not a number.
        """
        text = self.one(name)
        if text is None:
            return None
        if not _INTEGER.fullmatch(text):
            raise RefusedError(invalid(name, f"Invalid type for '{name}': {text!r}."))
        return int(text)

    def limit(self, default: int, least: int, most: int) -> int:
        """Return the number of objects wanted.

        Raises:
            RefusedError: It is out of range.
        """
        limit = self.integer("limit")
        if limit is None:
            return default
        if not least <= limit <= most:
            side = "above_max" if limit > most else "below_min"
            message = f"Invalid 'limit': expected {least} to {most}, got {limit}."
            raise RefusedError(invalid("limit", message, f"integer_{side}_value"))
        return limit

    def flag(self, name: str) -> bool:
        """Return a true-or-false parameter; false when it is not given.

        Raises:
            RefusedError: It is neither.
        """
        return self.choice(name, ("true", "false"), "false") == "true"

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        """Return a parameter that has a few possible values.

        Raises:
            RefusedError: It has another value.
        """
        text = (self.one(name) or default).lower()
        if text not in options:
            message = f"Invalid value for '{name}': {text!r}."
            raise RefusedError(invalid(name, message, "invalid_value"))
        return text
