"""How the API behaves where its documents leave it open, or where it misbehaves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

_CHOICES = {
    "order": ("newest_first", "oldest_first", "shuffled"),
    "tenant": ("available", "refused", "empty"),
    "has_more": ("normal", "absent"),
    "last_id": ("normal", "null", "absent", "stuck"),
    "envelope": ("normal", "bare_documents", "bare_list"),
    "missing_scope_status": (401, 403),
    "workspace_missing_scope": ("none", "AUDIT_LOG", "AUTH_LOG", "both"),
    "workspace_after": ("later", "at_or_later", "ignored"),
    "workspace_last_end_time": ("normal", "null", "absent"),
}


@dataclass(frozen=True)
class Behaviour:
    """Switches that stay on until they are changed.

    Attributes:
        order: `newest_first`, `oldest_first`, or `shuffled`.
        latency_ms: Delay before each answer, milliseconds.
        missing_scope: The key may not read audit logs.
        missing_scope_status: 401 or 403.
        wrong_key: Every key is refused as wrong.
        wrong_organization: Every key belongs to another organization.
        key_expired: Every key is refused as expired.
        logging_off: Audit logging is off: every list of events is empty.
        tenant: `available`; `refused`, 400 for `tenant_only`; `empty`.
        tenant_ignores: `tenant_only` is ignored.
        both_scopes: Tenant events come without `tenant_only` too.
        has_more: `normal` or `absent`.
        last_id: `normal`, `null`, `absent`, or `stuck`, which repeats `after`.
        envelope: `normal`; `bare_documents`, events one after the other; `bare_list`.
        repeat_page: Any cursor returns the first page again, and there is more.
        outside_window: Times asked for are ignored.
        workspace_missing_scope: The types of files that the workspace's key may not
            read: `none`, `AUDIT_LOG`, `AUTH_LOG` or `both`.
        workspace_page_size: Most files on a page, whatever the request allows.
        workspace_after: `later`; `at_or_later`, the file at `after` comes again; or
            `ignored`, every page is the first.
        workspace_last_end_time: `normal`, `null` or `absent`.
        collector_events: Listings and downloads come back as events in a later file.
        signed_url_seconds: How long a file's signed URL is valid.
        clock_skew_seconds: Added to what the API's clock shows, see `clock` in
            `sandbox.options`. The `Date` header, new events and their visibility go by
            it.
    """

    order: str = "newest_first"
    latency_ms: float = 0.0
    missing_scope: bool = False
    missing_scope_status: int = 403
    wrong_key: bool = False
    wrong_organization: bool = False
    key_expired: bool = False
    logging_off: bool = False
    tenant: str = "available"
    tenant_ignores: bool = False
    both_scopes: bool = False
    has_more: str = "normal"
    last_id: str = "normal"
    envelope: str = "normal"
    repeat_page: bool = False
    outside_window: bool = False
    workspace_missing_scope: str = "none"
    workspace_page_size: int = 100
    workspace_after: str = "later"
    workspace_last_end_time: str = "normal"
    collector_events: bool = False
    signed_url_seconds: float = 60.0
    clock_skew_seconds: float = 0.0

    def merged(self, changes: dict[str, Any]) -> Behaviour:
        """Return this behaviour with some switches changed.

        Raises:
            ValueError: There is no such switch, or it has no such position.
        """
        defaults = {field.name: field.default for field in fields(self)}
        for name, value in changes.items():
            if name not in defaults:
                raise ValueError(f"no behaviour is called {name}")
            kind = type(defaults[name])
            kinds = (int, float) if kind is float else (kind,)
            if type(value) not in kinds or value not in _CHOICES.get(name, (value,)):
                raise ValueError(f"{name} cannot be {value!r}")
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Return every switch and its position."""
        return asdict(self)
