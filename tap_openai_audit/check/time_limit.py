"""How long a check may take: no longer than a person waits."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from tap_openai_audit.errors import Interrupted, NoResponse
from tap_openai_audit.http.causes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from tap_openai_audit.http.endpoint import Endpoint
    from tap_openai_audit.singer.signals import Signals

_T = TypeVar("_T")

_SECONDS = 45
"""For all requests together: with the start of the process less than a minute."""

_REQUEST_SECONDS = 10
"""For one request: an API that works answers within two."""

RETRY_SECONDS = 10
"""How long a check tries again at the most; a sync may do so for longer."""


def hasty(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that is asked for no longer than a check may take."""
    return replace(
        endpoint,
        timeout_seconds=min(endpoint.timeout_seconds, _REQUEST_SECONDS),
        max_retry_seconds=min(endpoint.max_retry_seconds, RETRY_SECONDS),
    )


class TimeLimit:
    """A context manager: inside it, all requests together end in time."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._timer = threading.Timer(_SECONDS, signals.stop.set)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Start the time."""
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the time."""
        self._timer.cancel()

    def ask(self, ask: Callable[[], _T]) -> _T:
        """Ask the API.

        Raises:
            NoResponse: If the time is over.
            Terminated: If a signal has ended the check.
        """
        try:
            return ask()
        except Interrupted:
            # Either the operator has had enough, or the timer.
            self._signals.check()
            what = f"No answer within the {_SECONDS} s of the check"
            raise NoResponse(what, Cause.TIMEOUT) from None
