"""Types of events and plausible details for each, prepared so that writing is cheap."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.organization.founding import LAST_NAMES, SCOPES

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from sandbox.organization.things import Organization

_CATALOGUE = (
    Path(__file__).parents[2] / "tap_openai_audit" / "audit_logs" / "event_types.json"
)
_UNKNOWN = ("future.thing.happened", "future.actor.appeared", "api_key.teleported")
_WITHOUT_DETAILS = ("login.succeeded", "logout.succeeded")
_VARIANTS = 8
_PROJECT_SCOPED = frozenset(
    {"api_key", "checkpoint.permission", "rate_limit", "resource", "service_account"}
)
#: How often types come, relative to the others, each of which has 1.
_WEIGHTS = {
    "login.succeeded": 25.0,
    "logout.succeeded": 8.0,
    "login.failed": 4.0,
    "api_key.created": 8.0,
    "api_key.updated": 5.0,
    "api_key.deleted": 8.2,
    "user.added": 3.0,
    "user.updated": 3.0,
    "user.deleted": 3.1,
    "invite.sent": 4.0,
    "invite.accepted": 3.0,
}
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
_PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----"
#: Stands where the id of what an event is about will be written.
_GAP = "\x00"


@dataclass(frozen=True)
class Template:
    """One variant of a type's details, cut where the id of the thing goes.

    Attributes:
        before: What follows the actor, up to the id.
        after: What follows the id; None when the details name no thing.
    """

    before: bytes
    after: bytes | None


@dataclass(frozen=True)
class EventType:
    """A type of event and how often it comes.

    Attributes:
        name: The type.
        scope: `organization` or `tenant`.
        kind: What its events are about: the type without its last part.
        verb: The last part of the type.
        weight: Frequency, relative to other types.
        templates: Variants of its details.
        in_project: Whether its events are scoped to a project.
    """

    name: str
    scope: str
    kind: str
    verb: str
    weight: float
    templates: tuple[Template, ...]
    in_project: bool

    @property
    def known(self) -> bool:
        """Whether the catalogue has this type."""
        return self.name not in _UNKNOWN


def event_types(rng: random.Random, organization: Organization) -> list[EventType]:
    """Return the types of the catalogue, and some that no catalogue has.

    Args:
        rng: Source of randomness.
        organization: As it is before its first event.
    """
    values = _Values(rng, organization)
    found = []
    for name, description in _catalogue().items():
        fields = description.get("details") or {}
        templates = tuple(
            _template(values, name, fields, variant) for variant in range(_VARIANTS)
        )
        found.append(_event_type(name, description["scope"], templates))
    return found + [_event_type(n, "organization", (_unknown(n),)) for n in _UNKNOWN]


def tenant_types() -> frozenset[str]:
    """Return the names of the types that only the tenant scope has."""
    types = _catalogue().items()
    return frozenset(name for name, about in types if about["scope"] == "tenant")


def _catalogue() -> dict[str, Any]:
    types: dict[str, Any] = json.loads(_CATALOGUE.read_text("utf-8"))["types"]
    return types


def _event_type(name: str, scope: str, templates: tuple[Template, ...]) -> EventType:
    kind, _, verb = name.rpartition(".")
    return EventType(
        name=name,
        scope=scope,
        kind=kind,
        verb=verb,
        weight=_WEIGHTS.get(name, 1.0 if scope == "organization" else 0.0),
        templates=templates,
        in_project=kind in _PROJECT_SCOPED,
    )


def _template(
    values: _Values, name: str, fields: Mapping[str, str], variant: int
) -> Template:
    if not fields:
        # Types without documented details come without any, or with anything.
        if name in _WITHOUT_DETAILS or variant % 2 == 0:
            return Template(b"}", None)
        fields = {"id": "string", "changes": "object", "note": "string"}
    details = _compact(values.details(name, fields, variant))
    before, gap, after = details.partition(_compact(_GAP)[1:-1])
    opening, ending = f',"{name}":{before}', f"{after}}}"
    if not gap:
        return Template((opening + ending).encode(), None)
    return Template(opening.encode(), ending.encode())


def _unknown(name: str) -> Template:
    extra = {
        "source": "adminapi",
        "x_new_top_level": {"déjà": [1, 2.5, None, True]},
        name: {"reason": "nobody documented this"},
    }
    return Template(("," + _compact(extra)[1:]).encode(), None)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Values:
    """Makes details objects that refer to things the organization keeps for good."""

    def __init__(self, rng: random.Random, organization: Organization) -> None:
        self._rng = rng
        self._organization = organization
        self._users = list(organization.users)[:40]
        self._projects = [p.id for p in organization.active_projects()][:8]
        self._accounts = list(organization.service_accounts)
        self._groups = list(organization.groups)
        self._roles = list(organization.roles)
        certificates = list(organization.certificates.values())[:2]
        self._listed = {
            "certificates": [{"id": c.id, "name": c.name} for c in certificates],
            "configs": [{"id": "ipal_office", "name": "Büro"}],
        }

    def details(
        self, event_type: str, fields: Mapping[str, str], variant: int
    ) -> dict[str, object]:
        """Return details with ``_GAP`` for the id of what the event is about.

        Args:
            event_type: The type of the event.
            fields: Path to JSON type: ``.`` between levels, ``[]`` after a list.
            variant: Its number decides what differs between variants.
        """
        provider = sorted(_PROVIDERS)[variant % len(_PROVIDERS)]
        by_group = variant % 2 == 1
        fixed = {
            "id": _GAP,
            "principal_type": "group" if by_group else "user",
            "principal_id": self._rng.choice(self._groups if by_group else self._users),
            "data.provider.type": provider,
        }
        root: dict[str, object] = {}
        for path, json_type in fields.items():
            if path.startswith("data.provider.") and (
                path.rpartition(".")[2] not in (*_PROVIDERS[provider], "type")
            ):
                continue
            if "[]." in path:
                listed = path.partition("[].")[0]
                root[listed] = self._listed[listed]
                continue
            _put(
                root, path, fixed.get(path) or self._value(event_type, path, json_type)
            )
        return root

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


def _put(root: dict[str, object], path: str, value: object) -> None:
    *levels, name = path.split(".")
    for level in levels:
        inner = root.setdefault(level, {})
        if not isinstance(inner, dict):
            inner = root[level] = {}
        root = inner
    if not isinstance(root.get(name), dict):
        root[name] = value
