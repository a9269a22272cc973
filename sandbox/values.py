"""Plausible values for the documented fields of details objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.founding import LAST_NAMES, SCOPES

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from sandbox.organization import Organization

_PROVIDERS = {
    "aws": ("account_id", "bucket", "external_id", "region", "role_arn"),
    "azure": (
        "account_name", "container", "region", "resource_group", "subscription_id",
        "tenant_id",
    ),
    "gcp": (
        "audience", "bucket", "region", "workload_identity_pool_id",
        "workload_identity_project_number", "workload_identity_provider_id",
    ),
    "oci": ("bucket", "region", "tenancy_ocid"),
}  # fmt: skip
_LOGGING = (
    "disabled",
    "enabled_per_call",
    "enabled_for_all_projects",
    "enabled_for_selected_projects",
)
_BINDING_SOURCES = (
    "role_toggle",
    "role_connector_update",
    "role_delete",
    "workspace_permissions",
    "connector_publish",
)
_GAP = "\x00"
_PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----"


class Values:
    """Makes details objects that refer to things the organization keeps for good."""

    def __init__(self, rng: random.Random, organization: Organization) -> None:
        """Take the organization before its first event."""
        self._rng = rng
        self._organization = organization
        self._users = list(organization.users)[:40]
        self._projects = [p.id for p in organization.active_projects()][:8]
        self._accounts = list(organization.service_accounts)
        self._certificates = list(organization.certificates.values())
        self._groups = list(organization.groups)
        self._roles = list(organization.roles)

    def details(
        self, event_type: str, fields: Mapping[str, str], spare: int
    ) -> tuple[str, list[str]]:
        """Return details as JSON with ``_GAP`` for the id, and the other ids in it.

        Args:
            event_type: The type of the event.
            fields: Path to JSON type: ``.`` between levels, ``[]`` after a list.
            spare: Number of the variant; decides what varies between variants.
        """
        provider = sorted(_PROVIDERS)[spare % len(_PROVIDERS)]
        by_group = spare % 2 == 1
        fixed = {
            "id": _GAP,
            "principal_type": "group" if by_group else "user",
            "principal_id": self._rng.choice(self._groups if by_group else self._users),
            "data.provider.type": provider,
        }
        root: dict[str, object] = {}
        others: list[str] = []
        for path, json_type in fields.items():
            if path.startswith("data.provider.") and (
                path.rpartition(".")[2] not in (*_PROVIDERS[provider], "type")
            ):
                continue
            if "[]." in path:
                listed, name = path.split("[].")
                items = self._listed(listed)
                others += [item["id"] for item in items if name == "id"]
                root[listed] = items
                continue
            value: object = fixed.get(path) or self._value(event_type, path, json_type)
            if path in ("resource_id", "connector_id") and isinstance(value, str):
                others.append(value)
            _put(root, path, value)
        return json.dumps(root, ensure_ascii=False, separators=(",", ":")), others

    def _listed(self, name: str) -> list[dict[str, str]]:
        if name == "certificates":
            return [{"id": c.id, "name": c.name} for c in self._certificates[:2]]
        return [{"id": "ipal_office", "name": "Büro"}]

    def _value(self, event_type: str, path: str, json_type: str) -> object:
        name = path.rpartition(".")[2]
        if json_type == "integer":
            return self._rng.randrange(1, 1_000) * 100
        if json_type == "boolean":
            return self._rng.random() < 0.5  # noqa: PLR2004 - an even chance
        if json_type == "array<string>":
            if name == "allowed_ips":
                return ["203.0.113.0/24", "2001:db8:7::/48"]
            return self._rng.sample(SCOPES, 2)
        if json_type == "object":
            return {"display_name": "Čtečka", "issuer": "https://idp.example.com"}
        return self._text(event_type, name)

    def _text(self, event_type: str, name: str) -> str:
        rng = self._rng
        projects = rng.sample(self._projects, 2)
        texts = {
            "api_call_logging": rng.choice(_LOGGING),
            "api_call_logging_project_ids": ",".join(projects),
            "certificate": _PEM,
            "email": f"New.Colleague{rng.randrange(99)}@example.com",
            "error_code": rng.choice(("invalid_password", "mfa_failed")),
            "error_message": "The sign-in was refused.",
            "fine_tuned_model_checkpoint": "ft:gpt-5-mini:example::abc:ckpt-step-90",
            "project_id": projects[0],
            "resource_id": self._organization.id,
            "resource_type": "api.organization",
            "role": rng.choice(("owner", "reader")),
            "role_id": rng.choice(self._roles),
            "service_account_id": rng.choice(self._accounts),
            "source": rng.choice(_BINDING_SOURCES),
            "connector_id": "connector_docs",
        }
        if event_type.startswith("service_account."):
            texts["role"] = rng.choice(("owner", "member"))
        plain = f"{rng.choice(LAST_NAMES)} {name.replace('_', ' ')}"
        return texts.get(name, plain)


def split(details: str) -> tuple[str, str | None]:
    """Return what comes before the id's gap and after it, or all of it and None."""
    before, gap, after = details.partition(json.dumps(_GAP)[1:-1])
    return before, after if gap else None


def _put(root: dict[str, object], path: str, value: object) -> None:
    *levels, name = path.split(".")
    for level in levels:
        inner = root.setdefault(level, {})
        if not isinstance(inner, dict):
            inner = root[level] = {}
        root = inner
    if not isinstance(root.get(name), dict):
        root[name] = value
