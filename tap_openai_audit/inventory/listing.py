"""The lists of the Admin API, page by page: each style of paging once.

Three styles are documented: the next page is `after=<last_id>`, the next page is
`after=<next>`, and an object that stands alone. Where a response is not clear they do
as the official clients do: a page without objects is the last one, and a page that does
not say whether there is more may have a next one. What is left over is refused, because
a list that ends too early would look like a complete one, and a list that never ends
would hold up the run: more is promised, but no cursor given, or nothing new comes.

A cursor is an object of the list, which may be removed between two pages. The list is
then read again from its beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from tap_openai_audit.errors import BrokenPaging, ErrorResponse
from tap_openai_audit.http.bodies import BadBody, documents
from tap_openai_audit.http.envelopes import Envelope, envelope
from tap_openai_audit.http.nesting import MOST_LEVELS, shallow
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_openai_audit.http.client import Client

_CURSOR_UNKNOWN = frozenset({400, 404})
"""Statuses with which the API may say that it does not know a cursor."""

_MOST_READINGS = 4
"""How many times a list is begun at the most: that the object at the end of
a page is removed between two requests, four times in a row, is not to be expected."""


@dataclass(frozen=True)
class ListPage:
    """What a response brings of a list."""

    items: list[dict[str, Any]]
    """The objects. Numbers are exact: a fraction is a decimal."""
    has_more: bool | None
    """None if the response does not say."""
    cursor: str | None
    """The value of `after` for the next page."""


_decode = msgspec.json.Decoder(msgspec.Raw).decode
_objects = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def by_last_id(body: bytes) -> ListPage:
    """Read a page of a list that continues at `after=<last_id>`.

    Raises:
        BadBody: If it is none.
    """
    found = envelope(body)
    items = _items(found)
    last = items[-1].get("id") if items else None
    fallback = last if isinstance(last, str) else None
    return ListPage(items, found.has_more, found.last_id or fallback)


def by_next(body: bytes) -> ListPage:
    """Read a page of a list that continues at `after=<next>`.

    Raises:
        BadBody: If it is none.
    """
    found = envelope(body)
    return ListPage(_items(found), found.has_more, found.next)


def single(body: bytes) -> ListPage:
    """Read an object that stands alone.

    Raises:
        BadBody: If it is none.
    """
    items = [_object(raw) for raw in documents(body, _decode)]
    return ListPage(items, has_more=False, cursor=None)


@dataclass(frozen=True)
class Listing:
    """A list of the API: where it is, and how it is paged."""

    path: str
    """The path below the API's URL, with names of ids in braces."""
    style: Callable[[bytes], ListPage] = by_last_id
    """Reads one response."""
    page_size: int = 100
    """The most objects that the API gives at once."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of the query."""

    def pages(
        self, client: Client, keys: Sequence[str], **ids: str
    ) -> Iterator[list[dict[str, Any]]]:
        """Read the list to its end. An object that comes twice is given once.

        Args:
            client: Asks the API.
            keys: What each object must have, as a text, to identify it.
            ids: The ids for the path.

        Raises:
            RequestFailed: If a page is not to be had, or the list does not end.
            Interrupted: If the run is ending.
        """
        path = self.path.format(**{name: quote(id_, "") for name, id_ in ids.items()})
        given: set[tuple[str, ...]] = set()
        for attempt in count(1):
            try:
                for items in self._once(client, path, keys):
                    new = {key: item for key, item in items.items() if key not in given}
                    given.update(new)
                    yield list(new.values())
            except _CursorGoneError as gone:  # noqa: PERF203 - once, as a rule
                if attempt == _MOST_READINGS:
                    raise BrokenPaging(
                        f"{redacted(path)} did not know where its next page begins,"
                        f" {attempt} times in a row ({gone.error.what})"
                    ) from None
            else:
                return

    def _once(
        self, client: Client, path: str, keys: Sequence[str]
    ) -> Iterator[dict[tuple[str, ...], dict[str, Any]]]:
        """Read the list from its beginning, each page without what came before.

        Raises:
            _CursorGoneError: If the API no longer knows where a page begins.
        """
        params = [("limit", str(self.page_size)), *self.params.items()]
        read = partial(_checked, self.style, keys)
        cursor: str | None = None
        known: set[tuple[str, ...]] = set()
        while True:
            after = [] if cursor is None else [("after", cursor)]
            try:
                page = client.get(path, [*params, *after], read).content
            except ErrorResponse as error:
                if after and error.from_api and error.status in _CURSOR_UNKNOWN:
                    raise _CursorGoneError(error) from None
                raise
            new = {tuple(item[key] for key in keys): item for item in page.items}
            for key in known.intersection(new):
                del new[key]
            yield new
            known.update(new)
            cursor = page.cursor
            if page.has_more is False or not page.items:
                return
            if cursor is None or not new:
                if page.has_more is None:
                    return
                missing = "gives no cursor" if new else "brings no new one"
                raise BrokenPaging(
                    f"{redacted(path)} promises more objects, but {missing}"
                )


class _CursorGoneError(Exception):
    """The object is gone after which a page was to begin."""

    def __init__(self, error: ErrorResponse) -> None:
        super().__init__(error)
        self.error = error


def _checked(
    style: Callable[[bytes], ListPage], keys: Sequence[str], body: bytes
) -> ListPage:
    page = style(body)
    for item in page.items:
        if not all(isinstance(item.get(key), str) for key in keys):
            raise BadBody(f"an object without {' and '.join(keys)}")
    return page


def _items(found: Envelope) -> list[dict[str, Any]]:
    return [_object(raw) for raw in found.data]


def _object(raw: msgspec.Raw) -> dict[str, Any]:
    body = bytes(raw)
    if body.count(b"{") + body.count(b"[") > MOST_LEVELS:
        body = shallow(body)
    try:
        return _objects.decode(body)
    except (msgspec.DecodeError, ArithmeticError, RecursionError) as error:
        raise BadBody(f"an object that cannot be read ({error})") from None
