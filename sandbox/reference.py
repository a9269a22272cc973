"""The reference endpoints: what the ids in events stand for."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from sandbox import reference_rows as rows
from sandbox.queries import Query, RefusedError
from sandbox.replies import Page, Reply, error, invalid, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.organization import Organization, Project
    from sandbox.reference_rows import Row

_PREFIX = "/v1/organization/"
_ACCESS = ("active", "inactive", "any")
_DEPTH_OF_MEMBERS = 3


def list_reference(path: str, query: Query, organization: Organization) -> Reply | None:
    """Answer a reference request, or return None if there is no such endpoint.

    Args:
        path: The request's path, with the version.
        query: The parameters.
        organization: What exists now.

    Raises:
        RefusedError: A parameter is refused, or what is listed does not exist.
    """
    if not path.startswith(_PREFIX):
        return None
    parts = path.removeprefix(_PREFIX).split("/")
    if len(parts) == 1:
        return _organization_list(parts[0], query, organization)
    if len(parts) != _DEPTH_OF_MEMBERS:
        return None
    holder, holder_id, name = parts
    if holder == "groups" and name == "users":
        return _group_users(holder_id, query, organization)
    if holder == "projects":
        project = organization.projects.get(holder_id)
        if project is None:
            raise _missing("project", holder_id)
        return _project_list(name, project, query, organization)
    return None


def _organization_list(name: str, query: Query, o: Organization) -> Reply | None:
    lists: dict[str, Callable[[Query, Organization], Reply]] = {
        "admin_api_keys": _admin_api_keys,
        "certificates": _certificates,
        "groups": _groups,
        "invites": _invites,
        "projects": _projects,
        "roles": _roles,
        "users": _users,
    }
    return lists[name](query, o) if name in lists else None


def _users(query: Query, o: Organization) -> Reply:
    emails = {email.lower() for email in query.many("emails")}
    users = o.users.values()
    chosen = [u for u in users if not emails or u.email.lower() in emails]
    return _by_last_id(query, [rows.user(u) for u in chosen])


def _projects(query: Query, o: Organization) -> Reply:
    archived = query.flag("include_archived")
    projects = [*o.projects.values()] if archived else o.active_projects()
    return _by_last_id(query, [rows.project(p) for p in projects])


def _invites(query: Query, o: Organization) -> Reply:
    now = time.time()
    return _by_last_id(query, [rows.invite(i, now) for i in o.invites.values()])


def _admin_api_keys(query: Query, o: Organization) -> Reply:
    found = [rows.admin_key(k) for k in o.admin_keys.values()]
    return _by_last_id(query, _ordered(query, found, "asc"), most=None)


def _certificates(query: Query, o: Organization) -> Reply:
    found = [rows.certificate(c) for c in o.certificates.values()]
    return _by_last_id(query, _ordered(query, found, "desc"))


def _groups(query: Query, o: Organization) -> Reply:
    found = [rows.group(g) for g in o.groups.values()]
    return _by_next(query, found, default=100, most=1000)


def _roles(query: Query, o: Organization) -> Reply:
    found = [rows.role(r) for r in o.roles.values()]
    return _by_next(query, found, default=1000, most=1000, opaque=True)


def _group_users(group_id: str, query: Query, o: Organization) -> Reply:
    group = o.groups.get(group_id)
    if group is None:
        raise _missing("group", group_id)
    found = [rows.group_user(u) for u in group.members]
    return _by_next(query, found, default=100, most=1000, order="desc")


def _project_list(
    name: str, project: Project, query: Query, o: Organization
) -> Reply | None:
    lists: dict[str, Callable[[Project, Query, Organization], Reply]] = {
        "api_keys": _project_api_keys,
        "groups": _project_groups,
        "rate_limits": _project_rate_limits,
        "service_accounts": _project_service_accounts,
        "users": _project_users,
    }
    return lists[name](project, query, o) if name in lists else None


def _refuse_archived(project: Project) -> None:
    if project.archived_at is not None:
        message = f"Project {project.id} is archived."
        raise RefusedError(invalid("project_id", message, "project_archived"))


def _project_users(project: Project, query: Query, _: Organization) -> Reply:
    _refuse_archived(project)
    return _by_last_id(query, [rows.project_user(u) for u in project.members])


def _project_service_accounts(project: Project, query: Query, o: Organization) -> Reply:
    _refuse_archived(project)
    accounts = o.service_accounts.values()
    mine = [a for a in accounts if a.project_id == project.id]
    return _by_last_id(query, [rows.service_account(a) for a in mine])


def _project_api_keys(project: Project, query: Query, o: Organization) -> Reply:
    # Without the parameter, keys of owners without access are left out.
    access = query.choice("owner_project_access", _ACCESS, "active")
    mine = [k for k in o.api_keys.values() if k.project_id == project.id]
    found = [rows.api_key(key) for key in mine]
    chosen = [r for r in found if access in ("any", r["owner_project_access"])]
    return _by_last_id(query, chosen)


def _project_groups(project: Project, query: Query, _: Organization) -> Reply:
    found = [rows.project_group(g, project.id) for g in project.groups]
    return _by_next(query, found, default=20, most=100, key="group_id")


def _project_rate_limits(_: Project, query: Query, o: Organization) -> Reply:
    found = [rows.rate_limit(r) for r in o.rate_limits.values()]
    return _by_last_id(query, found, default=100, most=None, both_ways=True)


def _ordered(query: Query, found: list[Row], default: str) -> list[Row]:
    order = query.choice("order", ("asc", "desc"), default)
    by_time = sorted(found, key=lambda row: row.get("created_at", 0))
    return by_time if order == "asc" else by_time[::-1]


def _by_last_id(
    query: Query,
    found: list[Row],
    *,
    default: int = 20,
    most: int | None = 100,
    both_ways: bool = False,
) -> Reply:
    """Return a page of a list that is paged with ``after=<last_id>``."""
    limit = query.limit(default, 1, 1_000_000 if most is None else most)
    ids = [row["id"] for row in found]
    before = query.one("before") if both_ways else None
    start, stop = _place(query, "after", ids) + 1, len(ids)
    if before is not None:
        stop = _place(query, "before", ids)
        start = max(start, stop - limit)
        has_more = start > 0
    else:
        has_more = stop - start > limit
    data = found[start : min(stop, start + limit)]
    fields: dict[str, object] = {
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }
    return listed(Page([_dump(row) for row in data], fields))


def _by_next(  # noqa: PLR0913 - what the endpoints of this style differ in
    query: Query,
    found: list[Row],
    *,
    default: int,
    most: int,
    key: str = "id",
    order: str = "asc",
    opaque: bool = False,
) -> Reply:
    """Return a page of a list that is paged with ``after=<next>``.

    For roles the cursor is documented as the value of `next` alone, so it is opaque.
    """
    limit = query.limit(default, 0, most)
    data = _ordered(query, found, order)
    cursors = [_opaque(row[key]) if opaque else row[key] for row in data]
    start = _place(query, "after", cursors) + 1
    end = min(len(data), start + limit)
    has_more = end < len(data)
    fields: dict[str, object] = {
        "has_more": has_more,
        "next": cursors[end - 1] if has_more and end else None,
    }
    return listed(Page([_dump(row) for row in data[start:end]], fields))


def _place(query: Query, name: str, cursors: list[str]) -> int:
    """Return where a cursor stands; -1 when none is given."""
    cursor = query.one(name)
    if cursor is None:
        return -1
    if cursor not in cursors:
        message = f"Invalid '{name}': nothing listed here has it."
        raise RefusedError(invalid(name, message, "invalid_cursor"))
    return cursors.index(cursor)


def _opaque(value: str) -> str:
    return urlsafe_b64encode(f"v1|{value}".encode()).decode("ascii")


def _missing(kind: str, thing_id: str) -> RefusedError:
    return RefusedError(error(404, f"No {kind} found with id '{thing_id}'."))


def _dump(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()
