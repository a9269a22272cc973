"""The organization's API: who may ask, and the endpoints below /v1/organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.organization.details import tenant_types
from sandbox.server.audit_logs import list_audit_logs
from sandbox.server.http import Query, RefusedError, Response, bearer, error
from sandbox.server.reference import Reference

if TYPE_CHECKING:
    from sandbox.options import Options
    from sandbox.server.behaviour import Behaviour
    from sandbox.server.log import Log

_AUDIT_LOGS = "/v1/organization/audit_logs"
_FIND = "You can find your API key at https://platform.openai.com/account/api-keys."


class OrganizationApi:
    """Lists the events and the things of one organization."""

    def __init__(self, options: Options, log: Log) -> None:
        self._key = options.admin_key
        self._organization_id = options.organization_id
        self._log = log
        self._tenant_types = tenant_types()

    def answer(
        self,
        path: str,
        query: Query,
        headers: dict[bytes, bytes],
        behaviour: Behaviour,
        now: float,
    ) -> Response | None:
        """Answer a request, or return None if there is no such endpoint.

        Args:
            path: The request's path, with the version.
            query: The parameters.
            headers: Its headers, names in lower case.
            behaviour: Where the answer deviates from what is documented.
            now: The API's clock, Unix seconds.

        Raises:
            RefusedError: The key or a parameter is refused, or what is asked for does
                not exist.
        """
        self._admit(headers, behaviour)
        if path == _AUDIT_LOGS:
            _check_scope(behaviour)
            return list_audit_logs(query, self._log, self._tenant_types, behaviour)
        return Reference(query, self._log.organization, now).page(path)

    def _admit(self, headers: dict[bytes, bytes], behaviour: Behaviour) -> None:
        """Refuse a request that does not come from this organization."""
        key = bearer(headers)
        if not key:
            message = "You didn't provide an API key in an Authorization header."
            raise RefusedError(error(401, message))
        if behaviour.key_expired:
            message = f"Your API key has expired. {_FIND}"
            raise RefusedError(error(401, message, code="api_key_expired"))
        if key != self._key or behaviour.wrong_key:
            # The real message repeats both ends of the key: logs must not keep it.
            shown = f"{key[:6]}***...{key[-3:]}"
            message = f"Incorrect API key provided: {shown}. {_FIND}"
            raise RefusedError(error(401, message, code="invalid_api_key"))
        named = headers.get(b"openai-organization", b"").decode("latin-1")
        own = named in ("", self._organization_id)
        if behaviour.wrong_organization or not own:
            message = (
                "OpenAI-Organization header should match organization for API key."
            )
            code = "mismatched_organization"
            raise RefusedError(error(401, message, error_type=code, code=code))


def _check_scope(behaviour: Behaviour) -> None:
    """Refuse a key that may not read audit logs."""
    if behaviour.missing_scope:
        message = (
            "You have insufficient permissions for this operation. "
            "Missing scopes: api.audit_logs.read."
        )
        raise RefusedError(error(behaviour.missing_scope_status, message))
