"""Pages of the audit log, for the extraction engine.

`GET /organization/audit_logs`, as OpenAI's public specification describes it. Nothing
is believed about the order of its pages, or about `has_more` and `last_id`: they may
be missing, or wrong. A `last_id` that is no event of the page is replaced by its last
event: the API documents ids as cursors and surely knows one that it has just shown.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from tap_openai_audit.audit_logs.event_types import TENANT, scope_of
from tap_openai_audit.audit_logs.events import PAGE_SIZE, Event, Page
from tap_openai_audit.errors import BodyTooLarge, ErrorResponse, VanishedCursor
from tap_openai_audit.http.bodies import BadBody
from tap_openai_audit.http.envelopes import Bare, envelope_or_events
from tap_openai_audit.timestamps import unix
from tap_openai_audit.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_openai_audit.http.client import Client
    from tap_openai_audit.http.response import Response
    from tap_openai_audit.windows import Window

PATH = "/organization/audit_logs"
_REFUSE_ONE_SCOPE = frozenset({400, 403, 404})
"""Statuses with which the API may refuse tenant events alone. Others are about the key
or the API, and any request would meet them."""

_CURSOR_UNKNOWN = frozenset({400, 404})
"""Statuses with which the API may say that it does not know an event id."""

FIRST_SECOND, LAST_SECOND = -62135596800, END - 1
"""The years 1 to 9999, in Unix seconds: what a date-time can say. What is later is in
milliseconds."""


class _Head(msgspec.Struct):
    """What the engine needs to know of an event."""

    id: str
    effective_at: int | float | str


class _Id(msgspec.Struct):
    """What it needs to know of an event without a usable time."""

    id: str


_heads = msgspec.json.Decoder(_Head)
_ids = msgspec.json.Decoder(_Id)


def refuses_tenant_events(error: Exception) -> bool:
    """Whether the API itself refuses tenant events, and not each and every request."""
    return (
        isinstance(error, ErrorResponse)
        and not isinstance(error, VanishedCursor)
        and error.from_api
        and error.status in _REFUSE_ONE_SCOPE
    )


class AuditLog:
    """The audit log of one scope, under the filters of the settings."""

    def __init__(
        self, client: Client, scope: str, filters: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Prepare to read.

        Args:
            client: Asks the API.
            scope: `organization` or `tenant`.
            filters: Values for the API's repeated parameters, by name.
        """
        self._client = client
        params: list[tuple[str, str]] = []
        if scope == TENANT:
            params.append(("tenant_only", "true"))
        self.filters = {
            name: tuple(
                value
                for value in values
                if name != "event_types" or scope_of(value) == scope
            )
            for name, values in filters.items()
        }
        """The filters of this scope: event types of the other one are left out, as the
        API demands where it is asked for tenant events."""
        self.asked = all(self.filters.values())
        """False if every event type that was asked for belongs to the other scope."""
        for name, own in self.filters.items():
            params += [(f"{name}[]", value) for value in own]
        self._params = params
        self._limit = PAGE_SIZE
        """Events asked for in one request: fewer after a body that was too large."""
        self._decode = decode_page
        """Reads a body: an empty one too, once pages came without an envelope."""

    def read_page(self, window: Window, cursor: str | None) -> Page:
        """Read one page of a window.

        Raises:
            VanishedCursor: If the API does not know the cursor any more.
            RequestFailed: If there is no page for another reason.
            Interrupted: If the run is ending.
        """
        params = [*self._params]
        if window.start != BEGINNING:
            params.append(("effective_at[gte]", str(window.start)))
        if window.end != END:
            params.append(("effective_at[lt]", str(window.end)))
        if cursor is not None:
            params.append(("after", cursor))
        response, limit = self._get(params)
        page = response.content
        return replace(
            page,
            full=len(page.events) + len(page.set_aside) >= limit,
            served_at=response.served_at,
            date=response.date,
            retries=response.retries,
        )

    def _get(self, params: Sequence[tuple[str, str]]) -> tuple[Response[Page], int]:
        """Ask for a page of as many events as memory should hold.

        Returns:
            The page, and how many events were asked for.
        """
        while True:
            limit = self._limit
            try:
                asked = [("limit", str(limit)), *params]
                response = self._client.get(PATH, asked, self._decode)
                if not response.content.size:
                    # Asked once more: a fault looks the same.
                    response = self._client.get(PATH, asked, self._decode)
            except BodyTooLarge:
                if limit == 1:
                    raise
                self._limit = max(limit // 10, 1)
            except ErrorResponse as error:
                unknown = error.from_api and error.status in _CURSOR_UNKNOWN
                if unknown and any(name == "after" for name, _ in params):
                    raise _vanished(error) from None
                raise
            else:
                self._limit = min(2 * limit, PAGE_SIZE)
                if response.content.bare:
                    self._decode = _decode_bare_page
                return response, limit


def decode_page(body: bytes) -> Page:
    """Read a page. Several documents one after the other make one page.

    Raises:
        BadBody: If it is none.
    """
    found = envelope_or_events(body)
    events, set_aside, last = list[Event](), list[str](), None
    for raw in found.data:
        event = _event(raw)
        if isinstance(event, Event):
            events.append(event)
            last = event.id
        else:
            set_aside.append(event)
            last = event
    cursor = found.last_id
    if cursor != last:
        ids = {*set_aside, *(event.id for event in events)}
        cursor = cursor if cursor in ids else last
    return Page(
        events,
        found.has_more,
        cursor,
        served_at=0,
        bare=isinstance(found, Bare),
        size=len(body),
        set_aside=set_aside,
    )


def _decode_bare_page(body: bytes) -> Page:
    """Read a page of an API that sends events without an envelope: none is no event."""
    if not body.strip():
        return Page([], has_more=None, cursor=None, served_at=0)
    return decode_page(body)


def _vanished(error: ErrorResponse) -> VanishedCursor:
    return VanishedCursor(
        error.what,
        request_id=error.request_id,
        status=error.status,
        from_api=error.from_api,
        param=error.param,
    )


def _event(raw: msgspec.Raw) -> Event | str:
    """Read an event, or its id if it has no usable time.

    Raises:
        BadBody: If it has no id either.
    """
    try:
        head = _heads.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        try:
            return _ids.decode(raw).id
        except (msgspec.DecodeError, RecursionError):
            raise BadBody(f"an event that cannot be read ({error})") from None
    at = head.effective_at
    if type(at) is not int:
        try:
            at = _second(at)
        except (ValueError, OverflowError):
            return head.id
    if at > LAST_SECOND:
        return head.id
    return Event(max(at, FIRST_SECOND), head.id, raw)


def _second(at: float | str) -> int:
    """Return the second of a time that does not come as an integer.

    Raises:
        ValueError: If it is no time.
        OverflowError: If it is one that no clock shows.
    """
    if isinstance(at, str):
        number = re.fullmatch(r"-?[0-9]+(\.[0-9]*)?", at)
        at = float(at) if number else unix(at)
    return math.floor(at)
