"""Pages of the audit log, for the extraction engine.

`GET /organization/audit_logs`, as OpenAI's public specification describes it. Nothing
is believed about the order of its pages, or about `has_more` and `last_id` being there.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import msgspec

from tap_openai_audit.api.bodies import BadBody, documents
from tap_openai_audit.event_types import TENANT, scope_of
from tap_openai_audit.extraction.events import PAGE_SIZE, Event, Page
from tap_openai_audit.extraction.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_openai_audit.api.client import Client
    from tap_openai_audit.extraction.windows import Window

PATH = "/organization/audit_logs"
NO_TENANT_EVENTS = frozenset({400, 403, 404})
"""Statuses that refuse the tenant pass alone. Others would refuse any request."""

FIRST_SECOND, LAST_SECOND = -62135596800, END - 1
"""The years 1 to 9999, in Unix seconds: what a date-time can say."""


class _Head(msgspec.Struct):
    """What the engine needs to know of an event."""

    id: str
    effective_at: int | float | str


class _Envelope(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool | None = None
    last_id: str | None = None


_envelopes = msgspec.json.Decoder(_Envelope)
_heads = msgspec.json.Decoder(_Head)


class AuditLog:
    """The audit log of one scope, under the filters of the settings."""

    def __init__(
        self, client: Client, scope: str, filters: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Prepare to read.

        Args:
            client: Asks the API.
            scope: `organization` or `tenant`.
            filters: Values for the API's repeated parameters, by name. Event types of
                the other scope are left out, as the API demands of the tenant pass.
        """
        self._client = client
        self.asked = True
        """False if every event type that was asked for belongs to the other scope."""
        params = [("limit", str(PAGE_SIZE))]
        if scope == TENANT:
            params.append(("tenant_only", "true"))
        for name, values in filters.items():
            own = [
                value
                for value in values
                if name != "event_types" or scope_of(value) == scope
            ]
            self.asked = self.asked and bool(own)
            params += [(f"{name}[]", value) for value in own]
        self._params = params

    def read_page(self, window: Window, cursor: str | None) -> Page:
        """Read one page of a window.

        Raises:
            Refusal: If the API refuses.
            Interrupted: If the run is ending.
        """
        params = [*self._params]
        if window.start != BEGINNING:
            params.append(("effective_at[gte]", str(window.start)))
        if window.end != END:
            params.append(("effective_at[lt]", str(window.end)))
        if cursor is not None:
            params.append(("after", cursor))
        answer = self._client.get(PATH, params, read_envelopes)
        page = answer.content
        return Page(
            page.events, page.has_more, page.cursor, answer.served_at, answer.retries
        )


def read_envelopes(body: bytes) -> Page:
    """Read a page. Several documents one after the other make one page.

    Raises:
        BadBody: If it is none.
    """
    envelopes = documents(body, _envelopes)
    return Page(
        [_event(raw) for envelope in envelopes for raw in envelope.data],
        has_more=_promised(envelopes),
        cursor=envelopes[-1].last_id,
    )


def _promised(envelopes: list[_Envelope]) -> bool | None:
    said = [e.has_more for e in envelopes if e.has_more is not None]
    return any(said) if said else None


def _event(raw: msgspec.Raw) -> Event:
    try:
        head = _heads.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadBody(f"an event that cannot be read ({error})") from None
    at = head.effective_at
    if type(at) is not int:
        at = _second(at)
    return Event(min(max(at, FIRST_SECOND), LAST_SECOND), head.id, raw)


def _second(at: float | str) -> int:
    """The second of a time that does not come as an integer.

    Raises:
        BadBody: If it is no time.
    """
    try:
        if isinstance(at, str):
            if not re.fullmatch(r"-?[0-9]+(\.[0-9]*)?", at):
                moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", at))
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=timezone.utc)
                return math.floor(moment.timestamp())
            at = float(at)
        return math.floor(at)
    except (ValueError, OverflowError):
        raise BadBody(f"an event whose effective_at is no time ({at!r})") from None
