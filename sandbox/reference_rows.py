"""The organization's things as the reference endpoints describe them.

Keys are shown by `redacted_value` only: a stand-in for secrets holds none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.organization import ServiceAccount, User

if TYPE_CHECKING:
    from sandbox.organization import (
        AdminKey,
        ApiKey,
        Certificate,
        Group,
        Invite,
        Project,
        RateLimit,
        Role,
    )

Row = dict[str, Any]
_INVITE_SECONDS = 7 * 86_400
_CERTIFICATE_SECONDS = 365 * 86_400


def user(item: User) -> Row:
    """Describe a member of the organization."""
    return {
        "object": "organization.user",
        "id": item.id,
        "name": item.name,
        "email": item.email,
        "role": item.role,
        "added_at": item.added_at,
        "is_service_account": False,
        "is_scim_managed": False,
        "api_key_last_used_at": None,
    }


def project(item: Project) -> Row:
    """Describe a project."""
    return {
        "id": item.id,
        "object": "organization.project",
        "name": item.name,
        "created_at": item.created_at,
        "archived_at": item.archived_at,
        "status": "active" if item.archived_at is None else "archived",
        "external_key_id": None,
        "residency": "GLOBAL",
    }


def invite(item: Invite, now: float) -> Row:
    """Describe an invitation; one that nobody accepted in a week is expired."""
    expires_at = item.created_at + _INVITE_SECONDS
    status = "expired" if expires_at < now else "pending"
    return {
        "object": "organization.invite",
        "id": item.id,
        "email": item.email,
        "role": item.role,
        "status": status if item.accepted_at is None else "accepted",
        "created_at": item.created_at,
        "expires_at": expires_at,
        "accepted_at": item.accepted_at,
        "projects": [],
    }


def admin_key(item: AdminKey) -> Row:
    """Describe an admin API key."""
    return {
        "object": "organization.admin_api_key",
        "id": item.id,
        "name": item.name,
        "redacted_value": f"sk-admin-***{item.id[-4:]}",
        "created_at": item.created_at,
        "expires_at": None,
        "last_used_at": None,
        "owner": {
            "type": "user",
            "object": "organization.user",
            "id": item.owner.id,
            "name": item.owner.name,
            "created_at": item.owner.added_at,
            "role": item.owner.role,
        },
    }


def group(item: Group) -> Row:
    """Describe a group."""
    return {
        "object": "group",
        "id": item.id,
        "name": item.name,
        "created_at": item.created_at,
        "is_scim_managed": item.scim,
        "group_type": "group",
    }


def group_user(item: User) -> Row:
    """Describe a member of a group: there is no `object` and no time."""
    return {"id": item.id, "name": item.name, "email": item.email}


def role(item: Role) -> Row:
    """Describe a role."""
    return {
        "object": "role",
        "id": item.id,
        "name": item.name,
        "description": None if item.predefined else f"Custom role {item.name}",
        "permissions": list(item.permissions),
        "resource_type": item.resource_type,
        "predefined_role": item.predefined,
    }


def certificate(item: Certificate) -> Row:
    """Describe a certificate."""
    return {
        "object": "organization.certificate",
        "id": item.id,
        "name": item.name,
        "active": item.active,
        "created_at": item.created_at,
        "certificate_details": {
            "valid_at": item.created_at,
            "expires_at": item.created_at + _CERTIFICATE_SECONDS,
        },
    }


def project_user(item: User) -> Row:
    """Describe a member of a project."""
    return {
        "object": "organization.project.user",
        "id": item.id,
        "name": item.name,
        "email": item.email,
        "role": "owner" if item.role == "owner" else "member",
        "added_at": item.added_at,
    }


def service_account(item: ServiceAccount) -> Row:
    """Describe a service account."""
    return {
        "object": "organization.project.service_account",
        "id": item.id,
        "name": item.name,
        "role": item.role,
        "created_at": item.created_at,
    }


def api_key(item: ApiKey) -> Row:
    """Describe a project's API key."""
    owner = item.owner
    shown: Row = {"id": owner.id, "name": owner.name, "role": "member"}
    if isinstance(owner, ServiceAccount):
        kind = "service_account"
        shown["created_at"] = owner.created_at
    else:
        kind = "user"
        shown |= {"email": owner.email, "created_at": owner.added_at}
    return {
        "object": "organization.project.api_key",
        "redacted_value": f"sk-***{item.id[-4:]}",
        "name": item.name,
        "created_at": item.created_at,
        "last_used_at": None,
        "id": item.id,
        "owner_project_access": "active" if item.owner_has_access else "inactive",
        "owner": {"type": kind, kind: shown},
    }


def project_group(item: Group, project_id: str) -> Row:
    """Describe a group's access to a project: there is no `id`."""
    return {
        "object": "project.group",
        "project_id": project_id,
        "group_id": item.id,
        "group_name": item.name,
        "group_type": "group",
        "created_at": item.created_at,
    }


def rate_limit(item: RateLimit) -> Row:
    """Describe a rate limit."""
    return {
        "object": "project.rate_limit",
        "id": item.id,
        "model": item.model,
        "max_requests_per_1_minute": item.requests_per_minute,
        "max_tokens_per_1_minute": item.tokens_per_minute,
    }
