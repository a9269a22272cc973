"""Answers before they become bytes on a connection."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

HTML = b"<html><head><title>Gateway</title></head><body><h1>Gateway</h1></body></html>"


@dataclass(frozen=True)
class Page:
    """One page of a list: ready items and the other fields of the envelope."""

    items: list[bytes]
    fields: dict[str, object]

    def body(self) -> bytes:
        """Return the envelope."""
        rest = json.dumps(self.fields).encode()[1:]
        comma = b"," if self.fields else b""
        return b'{"object":"list","data":[%b]%b%b' % (
            b",".join(self.items),
            comma,
            rest,
        )

    def split(self, parts: int) -> bytes:
        """Return several JSON documents that together have this page's items."""
        size = -(-len(self.items) // parts)
        pages = [
            Page(self.items[size * number : size * (number + 1)], {})
            for number in range(parts)
        ]
        pages[-1] = Page(pages[-1].items, self.fields)
        return b"".join(page.body() for page in pages)


@dataclass(frozen=True)
class Reply:
    """A status, a body and headers; `page` too where the body is one."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    page: Page | None = None
    content_type: str = "application/json"


def listed(page: Page) -> Reply:
    """Return a list envelope as an answer."""
    return Reply(200, page.body(), page=page)


def error(
    status: int,
    message: str,
    *,
    error_type: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> Reply:
    """Return an error in the API's envelope."""
    content = {"message": message, "type": error_type, "param": param, "code": code}
    return Reply(status, json.dumps({"error": content}, indent=2).encode())


def invalid(param: str, message: str, code: str | None = None) -> Reply:
    """Return the refusal of a parameter."""
    return error(400, message, param=param, code=code)
