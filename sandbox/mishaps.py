"""Carries out faults."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from sandbox.replies import HTML, Reply, error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sandbox.connection import Exchange
    from sandbox.faults import Fault
    from sandbox.sending import Sender

_DRIPS_PER_SECOND = 20
_INSTEAD = {
    "html": Reply(200, HTML, content_type="text/html; charset=utf-8"),
    "text": Reply(200, b"upstream connect error", content_type="text/plain"),
    "empty": Reply(200, b""),
}


async def suffer(
    fault: Fault, answer: Callable[[], Reply], sender: Sender, exchange: Exchange
) -> int:
    """Let a fault happen to a request.

    Args:
        fault: What happens.
        answer: Makes what would have been answered.
        sender: Sends answers.
        exchange: The request.

    Returns:
        The status that was sent, 0 for none.
    """
    if fault.kind == "reset":
        await exchange.reset()
        return 0
    if fault.kind == "close":
        await exchange.close()
        return 0
    if fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
    reply = _altered(fault, answer)
    if fault.kind == "close_mid_body":
        exchange.write(sender.head(reply) + reply.body[: len(reply.body) // 2])
        await exchange.close()
    elif fault.kind == "drip_headers":
        async for drop in _drip(sender.head(reply), fault, exchange):
            exchange.write(drop)
        exchange.write(reply.body)
        await exchange.close()
    elif fault.kind == "drip":
        await sender.start(reply, exchange.send)
        async for drop in _drip(reply.body, fault, exchange):
            await sender.more(drop, exchange.send)
        await sender.end(exchange.send)
    else:
        await sender.send(reply, exchange.send)
    return reply.status


def _altered(fault: Fault, answer: Callable[[], Reply]) -> Reply:
    """Return what is answered instead."""
    if fault.kind in _INSTEAD:
        return _INSTEAD[fault.kind]
    if fault.kind == "status":
        return _status(fault)
    if fault.kind == "retry_after_date":
        date = formatdate(time.time() + fault.seconds, usegmt=True)
        headers = {**fault.headers, "retry-after": date}
        return _status(replace(fault, headers=headers))
    reply = answer()
    if fault.kind == "truncated":
        return replace(reply, body=reply.body[: len(reply.body) * 2 // 3])
    if fault.kind == "multi_document" and reply.page is not None:
        return replace(reply, body=reply.page.split(fault.parts))
    return reply


def _status(fault: Fault) -> Reply:
    phrase = f"The sandbox was told to answer with status {fault.status}."
    kind = "invalid_request_error"
    if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = "rate_limit_exceeded"
    elif fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = "server_error"
    reply = error(fault.status, phrase, error_type=kind)
    if fault.body == "string_error":
        reply = replace(reply, body=json.dumps({"error": phrase}).encode())
    elif fault.body == "html":
        reply = replace(reply, body=HTML, content_type="text/html; charset=utf-8")
    elif fault.body == "empty":
        reply = replace(reply, body=b"")
    return replace(reply, headers=dict(fault.headers))


async def _drip(data: bytes, fault: Fault, exchange: Exchange) -> AsyncIterator[bytes]:
    """Return data bit by bit, slowly, until the client is gone."""
    size = max(1, int(fault.bytes_per_second / _DRIPS_PER_SECOND))
    for at in range(0, len(data), size):
        if exchange.ended:
            return
        yield data[at : at + size]
        await asyncio.sleep(1 / _DRIPS_PER_SECOND)
