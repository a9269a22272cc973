"""Requests that are repeated as long as that can help.

The wait between tries is an exponential backoff with jitter, so that workers do not
come back at the same time; what the API asks to wait is waited by all of them. A body
that cannot be read counts as a fault like any other.

`max_retry_seconds` bounds two times. How long one request is repeated: its tries and
its own waits. And how long the API refuses requests, with 429 or 503, without answering
any: that is the time on the clock since the first refusal, in whichever worker. Waiting
for a turn while the API answers others does not count, nor does a published limit.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from tap_openai_audit.errors import (
    BadResponse,
    ErrorResponse,
    Interrupted,
    RequestFailed,
)
from tap_openai_audit.http.api_clock import ApiClock
from tap_openai_audit.http.bodies import BadBody
from tap_openai_audit.http.causes import Cause
from tap_openai_audit.http.envelopes import ErrorInList
from tap_openai_audit.http.error_responses import error_in_list
from tap_openai_audit.http.pace import Pace
from tap_openai_audit.http.refusals import STATUSES, Refusals
from tap_openai_audit.http.response import Response
from tap_openai_audit.http.transport import Transport
from tap_openai_audit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_openai_audit.http.endpoint import Endpoint

_T = TypeVar("_T")
_B = TypeVar("_B", bytes, bytearray)

_SHORTEST_WAIT = 0.5
"""Seconds before any further try, whatever a header says: `retry-after-ms: 1` would
have each worker ask many times a second."""

_LONGEST_WAIT = 20.0
"""Seconds between two tries at the most, without jitter, unless the API asks for more:
one that recovers is noticed in time."""

_JITTER = 0.5
"""The part of a wait by which it may be longer."""


class Client:
    """Asks an API. Shared by all threads."""

    def __init__(
        self,
        endpoint: Endpoint,
        logger: logging.Logger,
        stop: threading.Event,
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare for requests.

        Args:
            endpoint: Where to ask, with which key, and for how long.
            logger: Logs every retry once, at WARNING, and every request, at DEBUG.
            stop: Ends all waiting at once when it is set.
            pace: When requests may be made. Without it, as fast as the API lets them.
            clock: Seconds that pass evenly.
        """
        self._stop = stop
        self._clock = clock
        self._api = endpoint.api
        self._key = endpoint.key
        self._max_retry_seconds = endpoint.max_retry_seconds
        self._transport = Transport(endpoint)
        self._pace = pace or Pace(clock)
        self._refusals = Refusals(clock)
        self.api_clock = ApiClock(clock)
        self._asked_again = False
        self._counting = threading.Lock()
        self.requests = 0
        """Requests made, those that failed included."""
        self.retries = 0
        """Requests that were repeated."""
        self._logger = logger

    def get(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        read: Callable[[bytes], _T],
    ) -> Response[_T]:
        """Ask until there is a response that can be read.

        Args:
            path: The path below the API's URL, with a leading slash.
            params: The query, in order.
            read: Makes the content out of the body, or raises `BadBody`.

        Raises:
            RequestFailed: If asking again cannot help, or did not help for too long.
            Interrupted: If the run is ending.
        """
        return self._repeated(
            lambda: self._transport.get(path, params),
            f"{path} {params}",
            path,
            read,
            tells_time=True,
        )

    def get_file(
        self, path: str, longest: int, read: Callable[[bytearray], _T]
    ) -> Response[_T]:
        """Ask until there is a file that can be read.

        Args:
            path: The path below the API's URL, with a leading slash.
            longest: The most bytes that it may have.
            read: Makes the content out of the file, or raises `BadBody`.

        Raises:
            RequestFailed: If asking again cannot help, or did not help for too long.
            Interrupted: If the run is ending.
        """
        return self._repeated(
            lambda: self._transport.get_file(path, longest),
            path,
            path,
            read,
        )

    def _repeated(
        self,
        ask: Callable[[], Response[_B]],
        asked: str,
        path: str,
        read: Callable[[_B], _T],
        *,
        tells_time: bool = False,
    ) -> Response[_T]:
        spent = 0.0
        error: RequestFailed | None = None
        for attempt in count():
            self._wait_for_turn(error, attempt, spent)
            began = self._clock()
            try:
                response = self._once(ask, asked, read)
                doubtful = tells_time and self.api_clock.is_doubtful
                if doubtful and not self._asked_again:
                    # A wrong `Date`, or one that is missing, once.
                    self._asked_again = True
                    continue
                return replace(response, retries=attempt)
            except RequestFailed as failed:
                error = replace(failed, api=self._api)
                spent += self._clock() - began
                is_refusal = _is_refusal(error)
                if is_refusal:
                    self._refusals.begin()
                if not error.retriable:
                    raise error from None
                wait = _wait_before_retry(error, attempt)
                waited = max(spent, self._refusals.seconds if is_refusal else 0.0)
                if waited + wait > self._max_retry_seconds:
                    raise self._given_up(error, attempt + 1, spent) from None
                if error.cause is Cause.RATE_LIMIT:
                    self._pace.slow_down(wait)
                self._logger.warning(
                    "%s; trying again in %.1f s (try %d, %s)",
                    error.happened,
                    wait,
                    attempt + 2,
                    redacted(path, self._key),
                )
            spent += wait
            with self._counting:
                self.retries += 1
            self._sleep(wait)
        raise AssertionError("unreachable")

    def _once(
        self, ask: Callable[[], Response[_B]], asked: str, read: Callable[[_B], _T]
    ) -> Response[_T]:
        began = self._clock()
        with self._counting:
            self.requests += 1
        response = ask()
        self._pace.succeeded()
        self._refusals.end()
        if self._logger.isEnabledFor(logging.DEBUG):
            # Cursors and ids in the path are what the API sent before.
            self._logger.debug(
                "GET %s took %.3f s, request id %s",
                redacted(asked, self._key),
                self._clock() - began,
                response.request_id,
            )
        try:
            content = read(response.content)
        except ErrorInList as error:
            raise error_in_list(
                error.error, key=self._key, request_id=response.request_id
            ) from None
        except BadBody as error:
            raise BadResponse(
                f"HTTP 200 with {redacted(error, self._key)}",
                Cause.BAD_BODY,
                retriable=True,
                request_id=response.request_id,
            ) from None
        if response.date is not None:
            self.api_clock.observe(response.date)
        # What appeared while the response was under way may not be in it.
        served_at = self.api_clock.earliest(seconds_ago=self._clock() - began)
        return Response(content, response.request_id, response.date, served_at)

    def _given_up(
        self, error: RequestFailed, tries: int, spent: float
    ) -> RequestFailed:
        """The same error, saying why it is not tried again."""
        if error.retry_after is not None and error.retry_after > (
            self._max_retry_seconds
        ):
            why = (
                f"the API asks to wait {error.retry_after:.10g} s, which is longer than"
                f" max_retry_seconds ({self._max_retry_seconds})"
            )
        else:
            refused = self._refusals.seconds if _is_refusal(error) else 0.0
            in_seconds = f"in {spent:.0f} s"
            if refused > spent:
                in_seconds += f", all requests refused for {refused:.0f} s"
            why = (
                f"given up after {tries} {'try' if tries == 1 else 'tries'}"
                f" {in_seconds} (max_retry_seconds is {self._max_retry_seconds})"
            )
        return replace(error, what=f"{error.what}; {why}")

    def _wait_for_turn(
        self, error: RequestFailed | None, tries: int, spent: float
    ) -> None:
        """Wait until the request may be made.

        Args:
            error: Why the request was not answered before, None for the first try.
            tries: How many times it was made.
            spent: How many seconds its tries and its own waits took.

        Raises:
            RequestFailed: If the API would refuse requests for too long by then.
            Interrupted: If the run is ending.
        """
        while (wait := self._pace.reserve()) > 0:
            if self._pace.is_at_its_limit:
                began = self._clock()
                self._sleep(wait)
                self._refusals.exclude(began)
                continue
            refused = self._refusals.seconds
            if refused and refused + wait > self._max_retry_seconds:
                if error is not None and _is_refusal(error):
                    raise self._given_up(error, tries, spent)
                # The first try is the last one: the run does not wait for its turn.
                break
            self._sleep(wait)
        if self._stop.is_set():
            raise Interrupted

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Interrupted


def _is_refusal(error: RequestFailed) -> bool:
    return isinstance(error, ErrorResponse) and error.status in STATUSES


def _wait_before_retry(error: RequestFailed, attempt: int) -> float:
    """Return how many seconds to wait before a request is made again.

    Args:
        error: Why it was not answered.
        attempt: How many times it was repeated before.
    """
    if error.retry_after is not None:
        return max(error.retry_after, _SHORTEST_WAIT)
    wait: float = min(_SHORTEST_WAIT * 2 ** min(attempt, 32), _LONGEST_WAIT)
    return wait * random.uniform(1, 1 + _JITTER)  # noqa: S311 - a jitter
