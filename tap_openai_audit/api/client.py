"""Requests that are repeated as long as that can help.

Waiting times grow and are jittered, so that workers do not come back at the same time;
what the API asks to wait is waited by all of them. `max_retry_seconds` bounds how long
one request is repeated. A body that cannot be read counts as a fault like any other.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

from tap_openai_audit.api.bodies import BadBody
from tap_openai_audit.api.pace import Pace
from tap_openai_audit.api.refusals import Cause, Refusal
from tap_openai_audit.api.transport import Transport

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from tap_openai_audit.settings import Settings

_T = TypeVar("_T")
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 30.0


class Interrupted(Exception):  # noqa: N818 - it is named for what happened
    """The run is ending: no further request is made."""


@dataclass(frozen=True)
class Answer(Generic[_T]):
    """What a request brought, and at what cost."""

    content: _T
    served_at: int | None
    retries: int


class Client:
    """Asks the Admin API. Shared by all threads."""

    def __init__(
        self, settings: Settings, logger: logging.Logger, stop: threading.Event
    ) -> None:
        """Prepare for requests.

        Args:
            settings: Where to ask, with which key, and how patiently.
            logger: Told of every retry once, at WARNING, and every request, at DEBUG.
            stop: Ends all waiting at once when it is set.
        """
        self._stop = stop
        self._patience = settings.max_retry_seconds
        self._transport = Transport(settings)
        self._pace = Pace()
        self._logger = logger

    def get(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        read: Callable[[bytes], _T],
    ) -> Answer[_T]:
        """Ask until there is an answer that can be read.

        Args:
            path: The path below the API's URL, with a leading slash.
            params: The query, in order.
            read: Makes the content out of the body, or raises `BadBody`.

        Raises:
            Refusal: If asking again cannot help, or helped for too long.
            Interrupted: If the run is ending.
        """
        began = time.monotonic()
        for attempt in count():
            self._wait_for_turn()
            try:
                return self._once(path, params, read, attempt)
            except Refusal as refusal:
                if not refusal.retried:
                    raise
                wait = refusal.wait
                if wait is None:
                    longest = min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT)
                    wait = longest * random.uniform(0.5, 1)  # noqa: S311 - a jitter
                spent = time.monotonic() - began
                if spent + wait > self._patience:
                    raise self._given_up(refusal, attempt + 1, spent) from None
                if refusal.cause is Cause.RATE_LIMIT:
                    self._pace.slow_down(wait)
                self._logger.warning(
                    "%s; trying again in %.1f s (try %d, %s)",
                    _short(refusal),
                    wait,
                    attempt + 2,
                    path,
                )
            self._sleep(wait)
        raise AssertionError("unreachable")

    def _once(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        read: Callable[[bytes], _T],
        attempt: int,
    ) -> Answer[_T]:
        began = time.monotonic()
        reply = self._transport.get(path, params)
        self._pace.succeeded()
        if self._logger.isEnabledFor(logging.DEBUG):
            self._logger.debug(
                "GET %s %s took %.3f s, request id %s",
                path,
                params,
                time.monotonic() - began,
                reply.request_id,
            )
        try:
            content = read(reply.body)
        except BadBody as error:
            raise Refusal(
                Cause.BAD_BODY,
                f"HTTP 200 with {error}",
                retried=True,
                status=200,
                request_id=reply.request_id,
            ) from None
        return Answer(content, reply.served_at, attempt)

    def _given_up(self, refusal: Refusal, tries: int, spent: float) -> Refusal:
        """The same refusal, saying why it is not tried again."""
        if refusal.wait is not None and refusal.wait > self._patience:
            refusal.what += (
                f"; the API asks to wait {refusal.wait:.0f} s, which is longer than"
                f" max_retry_seconds ({self._patience})"
            )
        else:
            refusal.what += (
                f"; given up after {tries} tries in {spent:.0f} s"
                f" (max_retry_seconds is {self._patience})"
            )
        return refusal

    def _wait_for_turn(self) -> None:
        while (wait := self._pace.reserve()) > 0:
            self._sleep(wait)
        if self._stop.is_set():
            raise Interrupted

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Interrupted


def _short(refusal: Refusal) -> str:
    identity = f", request id {refusal.request_id}" if refusal.request_id else ""
    return f"{refusal.what}{identity}"
