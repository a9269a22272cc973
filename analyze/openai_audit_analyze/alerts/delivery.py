"""Send messages with Apprise, and call the heartbeat with one request.

URLs are secrets, and both libraries put them into logs and exceptions. So nothing that
they write leaves this module: a failure is described in its own words.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread, local
from typing import TYPE_CHECKING, Any

import apprise
import apprise.plugins
import requests

if TYPE_CHECKING:
    from openai_audit_analyze.alerts.message import Message

_WAIT_SECONDS = 15
"""How long a receiver may be silent, unless its URL sets `cto` or `rto`."""

_STATUS = re.compile(r"\berror=(\d{3})\b")
"""The status of an error response in Apprise's log."""

_KINDS = {
    "critical": apprise.NotifyType.FAILURE,
    "high": apprise.NotifyType.FAILURE,
    "medium": apprise.NotifyType.WARNING,
}
"""Apprise's type of a message, by severity. Less severe ones are information."""

# Nothing is written to disk, no picture of another host is shown, and a message goes to
# no host but the one in the URL.
_ASSET = apprise.AppriseAsset(
    app_id="openai-audit",
    app_desc="Findings in the audit log of OpenAI",
    image_url_mask="",
    image_url_logo="",
    http_redirects=False,
    storage_mode=apprise.PersistentStoreMode.MEMORY,
)


class _Statuses(logging.Handler):
    """Swallow what Apprise logs, and keep the status of each thread's last error."""

    def __init__(self) -> None:
        super().__init__()
        self._last = local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the status of a record, and write nothing of it."""
        found = _STATUS.search(record.getMessage())
        if found:
            self._last.status = int(found[1])

    def taken(self) -> int | None:
        """Return the status of this thread's last error, and forget it."""
        status: int | None = getattr(self._last, "status", None)
        self._last.status = None
        return status


_STATUSES = _Statuses()


def silence() -> None:
    """Stop libraries from logging: a URL may stand in what they log."""
    logging.getLogger().addHandler(logging.NullHandler())
    logger = logging.getLogger("apprise")
    logger.handlers = [_STATUSES]
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def deliver(url: str, message: Message) -> str | None:
    """Send a message, and return why it was not sent, None if it was.

    The reason holds no part of the URL. No error is raised.
    """
    _STATUSES.taken()
    try:
        service = _service(url, message.key)
        if service is None:
            return "Apprise does not know this kind of URL: correct it"
        sent = service.notify(
            title=message.title,
            body=message.body,
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=_KINDS.get(message.severity, apprise.NotifyType.INFO),
        )
    except Exception as error:  # noqa: BLE001 - its text may hold the URL
        return f"Apprise failed with {type(error).__name__}: check the URL"
    return None if sent else _reason(_STATUSES.taken())


def call(url: str, seconds: float) -> str | None:
    """Call the heartbeat, and return why that failed, None if it did not.

    Wait no longer than `seconds`, however slowly the server answers.
    """
    result: SimpleQueue[str | None] = SimpleQueue()
    Thread(target=lambda: result.put(_called(url)), daemon=True).start()
    try:
        return result.get(timeout=max(0, seconds))
    except Empty:
        return _reason(None)


def _called(url: str) -> str | None:
    try:
        # As a stream, of which no body is read.
        with requests.get(
            url, timeout=_WAIT_SECONDS, allow_redirects=False, stream=True
        ) as response:
            status = response.status_code
    except Exception:  # noqa: BLE001 - its text may hold the URL
        return _reason(None)
    taken = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    return None if taken else _reason(status)


def _service(url: str, key: str) -> Any:  # noqa: ANN401 - Apprise has no types here
    """Make Apprise's service for one message, None if it does not know the URL.

    One message and not all, since a key by which the receiver drops repetitions is a
    part of the service.
    """
    parts = apprise.plugins.url_to_dict(url)
    if parts is None:
        return None
    kind = apprise.NotificationManager()[parts["schema"]]
    parts.setdefault("cto", _WAIT_SECONDS)
    parts.setdefault("rto", _WAIT_SECONDS)
    parts.setdefault("overflow", "truncate")
    for argument in ("dedup", "alias"):
        known = kind.template_args.get(argument)
        if known:
            parts[known.get("alias_of", argument)] = key
    if "payload" in kind.template_kwargs:
        parts["payload"] = {**parts.get("payload", {}), "finding_id": key}
    return apprise.Apprise.instantiate(parts, asset=_ASSET)


def _reason(status: int | None) -> str:
    if status is None:
        return (
            "it could not be reached, or did not answer in time: check that it works,"
            " and can be reached from here"
        )
    said = f"it answered with the status {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return f"{said}: it accepts no more messages for a while"
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{said}: its URL may be wrong or have expired, so create a new one"
    return f"{said}: check that it works"
