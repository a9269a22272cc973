"""Who may ask: the admin key, the organization header and the key's scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.replies import Reply, error

if TYPE_CHECKING:
    from sandbox.behaviour import Behaviour
    from sandbox.options import Options

_FIND = "You can find your API key at https://platform.openai.com/account/api-keys."


def refusal(
    headers: dict[bytes, bytes], options: Options, behaviour: Behaviour
) -> Reply | None:
    """Return why a request is refused, or None.

    Args:
        headers: The request's headers, names in lower case.
        options: Has the key and the organization that are accepted.
        behaviour: May have every key refused.
    """
    scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not key:
        return error(401, "You didn't provide an API key in an Authorization header.")
    if behaviour.key_expired:
        return error(401, f"Your API key has expired. {_FIND}", code="api_key_expired")
    if key != options.admin_key or behaviour.wrong_key:
        # The real message repeats both ends of the key: logs must not keep it.
        shown = f"{key[:6]}***...{key[-3:]}"
        message = f"Incorrect API key provided: {shown}. {_FIND}"
        return error(401, message, code="invalid_api_key")
    named = headers.get(b"openai-organization", b"").decode("latin-1")
    if behaviour.wrong_organization or named not in ("", options.organization_id):
        return error(
            401,
            "OpenAI-Organization header should match organization for API key.",
            error_type="mismatched_organization",
            code="mismatched_organization",
        )
    return None


def missing_scope(behaviour: Behaviour) -> Reply | None:
    """Return the refusal of a key that may not read audit logs, or None."""
    if not behaviour.missing_scope:
        return None
    return error(
        behaviour.missing_scope_status,
        "You have insufficient permissions for this operation. "
        "Missing scopes: api.audit_logs.read.",
    )
