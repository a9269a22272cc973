"""Everything below /v1: access, faults, latency, and the endpoints."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from sandbox.access import missing_scope, refusal
from sandbox.audit_logs import list_audit_logs
from sandbox.behaviour import Behaviour
from sandbox.connection import Exchange
from sandbox.event_types import tenant_types
from sandbox.faults import FaultPlan
from sandbox.journal import Journal
from sandbox.logs import Logs
from sandbox.mishaps import suffer
from sandbox.queries import Query, RefusedError
from sandbox.reference import list_reference
from sandbox.replies import Reply, error
from sandbox.sending import Sender

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from sandbox.options import Options

_AUDIT_LOGS = "/v1/organization/audit_logs"
_MILLISECONDS = 1000


class Api:
    """The API of one synthetic organization, as an ASGI application."""

    def __init__(self, options: Options) -> None:
        """Write the organization's history."""
        self.options = options
        self.logs = Logs(options)
        self.behaviour = Behaviour(order=options.order, latency_ms=options.latency_ms)
        self.faults = FaultPlan([])
        self.journal = Journal()
        self._tenant_types = tenant_types()
        self._rng = random.Random(options.seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let a fault happen to it."""
        path = scope["path"]
        request = self.journal.note(path, scope["query_string"].decode("latin-1"))
        fault = self.faults.next(path)
        behaviour = self.behaviour
        delay = behaviour.latency_ms + behaviour.jitter_ms * self._rng.random()
        if delay:
            await asyncio.sleep(delay / _MILLISECONDS)
        sender = Sender(behaviour.clock_skew_seconds)
        if fault is None:
            reply = self._answer(scope)
            request.status = reply.status
            await sender.send(reply, send)
            return
        exchange = Exchange(scope, receive, send)
        request.status = await suffer(
            fault, lambda: self._answer(scope), sender, exchange
        )

    def _answer(self, scope: Scope) -> Reply:
        path, method = scope["path"], scope["method"]
        if method != "GET":
            message = f"Not allowed to {method} on {path} (HINT: Perhaps GET?)"
            return error(405, message, code="method_not_supported")
        try:
            refused = refusal(dict(scope["headers"]), self.options, self.behaviour)
            if refused is not None:
                return refused
            query = Query(scope["query_string"])
            if path == _AUDIT_LOGS:
                return missing_scope(self.behaviour) or list_audit_logs(
                    query, self.logs, self._tenant_types, self.behaviour
                )
            found = list_reference(path, query, self.logs.generator.organization)
            if found is not None:
                return found
        except RefusedError as problem:
            return problem.reply
        return error(404, f"Invalid URL ({method} {path})")
