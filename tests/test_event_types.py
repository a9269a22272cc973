from __future__ import annotations

import json
import re
import types
from collections import Counter
from dataclasses import FrozenInstanceError
from importlib import resources
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import pytest
from openai import BaseModel
from openai.types.admin.organization.audit_log_list_params import AuditLogListParams
from openai.types.admin.organization.audit_log_list_response import (
    AuditLogListResponse,
)

from tap_openai_audit.audit_logs.event_types import (
    ORGANIZATION,
    TENANT,
    event_types,
    scope_of,
)

CATEGORIES = {
    "access_policies",
    "api_keys",
    "authentication",
    "billing_and_limits",
    "certificates_and_keys",
    "data_storage",
    "groups",
    "model_access",
    "network_security",
    "organization_settings",
    "projects",
    "resources",
    "roles_and_permissions",
    "service_accounts",
    "sso_and_scim",
    "users_and_invites",
    "workload_identity",
}
OF_A_WORKSPACE = {
    "apps_and_gpts",
    "compliance_api",
    "conversations_and_files",
    "workspace_settings",
}
JSON_TYPES = {bool: "boolean", int: "integer", object: "object", str: "string"}


def fields_of(annotation: Any, path: str = "") -> dict[str, str]:
    """Flatten a typed model of the official SDK to our paths and JSON types."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return fields_of(arguments[0], path)
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not types.NoneType]
        return {k: v for member in members for k, v in fields_of(member, path).items()}
    if origin is Literal:
        return {path: JSON_TYPES[type(arguments[0])]}
    if origin is list:
        scalar = JSON_TYPES.get(arguments[0])
        inner = f"{path}[]"
        return {path: f"array<{scalar}>"} if scalar else fields_of(arguments[0], inner)
    if issubclass(annotation, BaseModel):
        return {
            k: v
            for name, field in annotation.model_fields.items()
            for k, v in fields_of(
                field.annotation, f"{path}.{field.alias or name}".lstrip(".")
            ).items()
        }
    # An event whose whole details object is open documents no field.
    return {path: JSON_TYPES[annotation]} if path else {}


DOCUMENTED_DETAILS = {
    field.alias: fields_of(field.annotation)
    for field in AuditLogListResponse.model_fields.values()
    if field.alias is not None
}


@pytest.fixture(scope="module")
def raw() -> dict[str, Any]:
    path = resources.files("tap_openai_audit.audit_logs").joinpath("event_types.json")
    catalogue: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return catalogue


def test_every_type_that_the_official_sdk_can_ask_for_is_described() -> None:
    (literal,) = get_args(get_type_hints(AuditLogListParams)["event_types"])
    missing = sorted(set(get_args(literal)) - set(event_types()))
    assert not missing, f"add to event_types.json: {', '.join(missing)}"


def test_every_type_that_the_official_sdk_can_receive_is_described() -> None:
    literal = AuditLogListResponse.model_fields["type"].annotation
    missing = sorted(set(get_args(literal)) - set(event_types()))
    assert not missing, f"add to event_types.json: {', '.join(missing)}"


def test_the_official_sdk_still_documents_details_under_the_name_of_the_type() -> None:
    assert DOCUMENTED_DETAILS["user.added"] == {"id": "string", "data.role": "string"}
    assert DOCUMENTED_DETAILS["ip_allowlist.config.activated"] == {
        "configs[].id": "string",
        "configs[].name": "string",
    }
    unknown = sorted(set(DOCUMENTED_DETAILS) - set(event_types()))
    assert not unknown, f"details of types that are not described: {unknown}"


@pytest.mark.parametrize("name", sorted(DOCUMENTED_DETAILS))
def test_every_details_field_of_the_official_sdk_is_described(name: str) -> None:
    ours = event_types()[name].details
    missing = {
        path: kind
        for path, kind in DOCUMENTED_DETAILS[name].items()
        if ours.get(path) != kind
    }
    assert not missing, f"add to the details of {name} in event_types.json: {missing}"


def test_tenant_scope_is_the_tenant_family_and_the_two_role_bindings() -> None:
    tenant = {name for name, known in event_types().items() if known.scope == TENANT}
    family = {name for name in event_types() if name.startswith("tenant.")}
    assert tenant == family | {"role.bound_to_resource", "role.unbound_from_resource"}
    assert {known.scope for known in event_types().values()} == {ORGANIZATION, TENANT}


def test_the_categories_are_a_closed_set_and_all_in_use() -> None:
    assert {known.category for known in event_types().values()} == CATEGORIES


def test_a_workspace_has_the_same_categories_where_they_fit(
    raw: dict[str, Any],
) -> None:
    entries = [*raw["workspace_audit"].values(), *raw["workspace_auth"].values()]
    of_a_workspace = {entry["category"] for entry in entries}
    assert of_a_workspace - CATEGORIES == OF_A_WORKSPACE


def test_no_two_actions_of_a_workspace_read_alike(raw: dict[str, Any]) -> None:
    entries = [*raw["workspace_audit"].values(), *raw["workspace_auth"].values()]
    assert len({entry["sentence"] for entry in entries}) == len(entries)


def test_every_description_is_one_sentence_with_a_full_stop() -> None:
    sentence = re.compile(r"[A-Z](?:[^.!?\n]|\.(?=\S))+\.")
    wrong = [
        name
        for name, known in event_types().items()
        if not sentence.fullmatch(known.description)
    ]
    assert not wrong


def test_no_two_types_share_a_description() -> None:
    uses = Counter(known.description for known in event_types().values())
    assert [text for text, count in uses.items() if count > 1] == []


def test_the_file_is_sorted_so_that_a_new_type_is_a_small_change(
    raw: dict[str, Any],
) -> None:
    assert list(raw["types"]) == sorted(raw["types"])
    for entry in raw["types"].values():
        assert list(entry["details"]) == sorted(entry["details"])
    for feed in ("workspace_audit", "workspace_auth"):
        assert list(raw[feed]) == sorted(raw[feed])


def test_observed_fields_are_those_that_the_documents_lack(raw: dict[str, Any]) -> None:
    keys = {"scope", "category", "description", "sentence", "details"}
    for name, entry in raw["types"].items():
        optional = {"in_project", "object", "observed", "otherwise"}
        assert set(entry) - optional == keys, name
        observed = entry.get("observed", {"a": "placeholder"})
        assert observed, f"{name}: leave `observed` out where there is nothing"
        assert not set(observed) & set(entry["details"]), name


def test_every_object_has_a_noun_and_every_noun_is_used(raw: dict[str, Any]) -> None:
    used = {entry["object"] for entry in raw["types"].values() if "object" in entry}
    assert list(raw["objects"]) == sorted(used)


def test_a_sentence_names_what_is_always_known_or_has_another(
    raw: dict[str, Any],
) -> None:
    always = {"object", "from", "a_role", "on", "former", "why"}
    sometimes = {"name", "role", "setting", "target", "principal"}
    for name, entry in raw["types"].items():
        named = set(re.findall(r"{(.*?)}", entry["sentence"]))
        assert named <= always | sometimes, name
        assert ("otherwise" in entry) == bool(named & sometimes), name
        assert set(re.findall(r"{(.*?)}", entry.get("otherwise", ""))) <= always, name
        assert ("object" in named) <= ("object" in entry), name


def test_paths_and_json_types_are_written_in_one_notation(raw: dict[str, Any]) -> None:
    path = re.compile(r"[a-z0-9_]+(?:\[\])?(?:\.[a-z0-9_]+(?:\[\])?)*")
    kinds = {*JSON_TYPES.values(), "array<string>", "array<integer>"}
    for name, entry in raw["types"].items():
        for field, kind in {**entry["details"], **entry.get("observed", {})}.items():
            assert path.fullmatch(field), (name, field)
            assert kind in kinds, (name, field)


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("login.failed", ORGANIZATION),
        ("role.created", ORGANIZATION),
        ("role.bound_to_resource", TENANT),
        ("tenant.user.added", TENANT),
        ("tenant.not_invented_yet", TENANT),
        ("not_invented_yet.created", ORGANIZATION),
        ("tenants.created", ORGANIZATION),
        ("", ORGANIZATION),
    ],
)
def test_the_scope_of_known_and_unknown_types(name: str, scope: str) -> None:
    assert scope_of(name) == scope


def test_the_catalogue_is_read_once_and_cannot_be_changed() -> None:
    known = event_types()
    assert event_types() is known
    with pytest.raises(TypeError):
        known["x"] = known["login.failed"]  # type: ignore[index] # as intended
    with pytest.raises(TypeError):
        known["login.failed"].details["x"] = "string"  # type: ignore[index] # likewise
    with pytest.raises(FrozenInstanceError):
        known["login.failed"].scope = TENANT  # type: ignore[misc] # likewise
