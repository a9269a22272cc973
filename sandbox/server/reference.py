"""The reference endpoints: what the ids in events stand for."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.server.http import (
    Page,
    Query,
    RefusedError,
    Response,
    error,
    invalid,
    listed,
)

if TYPE_CHECKING:
    from sandbox.organization.things import Organization, Project, Row

_PREFIX = "/v1/organization/"
_ACCESS = ("active", "inactive", "any")
_MOST = 1_000_000  # where the API documents no limit


@dataclass(frozen=True)
class Reference:
    """One request for things of an organization.

    Attributes:
        query: The parameters.
        organization: What exists now.
        now: The API's clock, Unix seconds.
    """

    query: Query
    organization: Organization
    now: float

    def page(self, path: str) -> Response | None:
        """Answer the request, or return None if there is no such endpoint.

        Args:
            path: The request's path, with the version.

        Raises:
            RefusedError: A parameter is refused, or what is listed does not exist.
        """
        if not path.startswith(_PREFIX):
            return None
        match path.removeprefix(_PREFIX).split("/"):
            case [name]:
                return self._of_organization(name)
            case ["groups", group_id, "users"]:
                return self._group_users(group_id)
            case ["projects", project_id, name]:
                project = self.organization.projects.get(project_id)
                if project is None:
                    raise _missing("project", project_id)
                return self._of_project(project, name)
        return None

    def _of_organization(self, name: str) -> Response | None:
        o, found = self.organization, None
        match name:
            case "users":
                emails = {email.lower() for email in self.query.many("emails")}
                users = [u.row() for u in o.users.values()]
                found = self._by_last_id(
                    [u for u in users if not emails or u["email"].lower() in emails]
                )
            case "projects":
                archived = self.query.flag("include_archived")
                projects = o.projects.values() if archived else o.active_projects()
                found = self._by_last_id([p.row() for p in projects])
            case "invites":
                found = self._by_last_id([i.row(self.now) for i in o.invites.values()])
            case "admin_api_keys":
                keys = self._ordered([k.row() for k in o.admin_keys.values()])
                found = self._by_last_id(keys, most=_MOST)
            case "certificates":
                certificates = [c.row() for c in o.certificates.values()]
                found = self._by_last_id(self._ordered(certificates, "desc"))
            case "groups":
                groups = self._ordered([g.row() for g in o.groups.values()])
                found = self._by_next(groups)
            case "roles":
                roles = self._ordered([r.row() for r in o.roles.values()])
                # The cursor is documented as the value of `next` alone: it is opaque.
                cursors = [_opaque(role["id"]) for role in roles]
                found = self._by_next(roles, cursors=cursors, default=1000)
        return found

    def _of_project(self, project: Project, name: str) -> Response | None:
        o, found = self.organization, None
        if name in {"users", "service_accounts"} and project.archived_at is not None:
            message = f"Project {project.id} is archived."
            raise RefusedError(invalid("project_id", message, "project_archived"))
        match name:
            case "users":
                found = self._by_last_id([u.row_in_project() for u in project.members])
            case "service_accounts":
                accounts = o.service_accounts.values()
                mine = [a.row() for a in accounts if a.project_id == project.id]
                found = self._by_last_id(mine)
            case "api_keys":
                # Without the parameter, keys of owners without access are left out.
                access = self.query.choice("owner_project_access", _ACCESS, "active")
                keys = [
                    k.row() for k in o.api_keys.values() if k.project_id == project.id
                ]
                found = self._by_last_id(
                    [k for k in keys if access in ("any", k["owner_project_access"])]
                )
            case "groups":
                groups = [g.row_in_project(project.id) for g in project.groups]
                groups = self._ordered(groups)
                cursors = [group["group_id"] for group in groups]
                found = self._by_next(groups, cursors=cursors, default=20, most=100)
            case "rate_limits":
                limits = [r.row() for r in o.rate_limits.values()]
                found = self._by_last_id(limits, default=100, most=_MOST)
        return found

    def _group_users(self, group_id: str) -> Response:
        group = self.organization.groups.get(group_id)
        if group is None:
            raise _missing("group", group_id)
        members = [u.row_in_group() for u in group.members]
        return self._by_next(self._ordered(members, "desc"))

    def _ordered(self, rows: list[Row], default: str = "asc") -> list[Row]:
        order = self.query.choice("order", ("asc", "desc"), default)
        by_time = sorted(rows, key=lambda row: row.get("created_at", 0))
        return by_time if order == "asc" else by_time[::-1]

    def _by_last_id(
        self, rows: list[Row], *, default: int = 20, most: int = 100
    ) -> Response:
        """Return a page of a list that is paged with ``after=<last_id>``."""
        limit = self.query.limit(default, 1, most)
        start = self._start([row["id"] for row in rows])
        page = rows[start : start + limit]
        fields = {
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": start + limit < len(rows),
        }
        return _page(page, fields)

    def _by_next(
        self,
        rows: list[Row],
        *,
        cursors: list[str] | None = None,
        default: int = 100,
        most: int = 1000,
    ) -> Response:
        """Return a page of a list that is paged with ``after=<next>``."""
        limit = self.query.limit(default, 0, most)
        cursors = cursors or [row["id"] for row in rows]
        start = self._start(cursors)
        end = start + limit
        has_more = end < len(rows)
        cursor = cursors[end - 1] if has_more and end else None
        return _page(rows[start:end], {"has_more": has_more, "next": cursor})

    def _start(self, cursors: list[str]) -> int:
        """Return where the page begins."""
        after = self.query.one("after")
        if after is None:
            return 0
        if after not in cursors:
            message = "Invalid 'after': nothing listed here has it."
            raise RefusedError(invalid("after", message, "invalid_cursor"))
        return cursors.index(after) + 1


def _page(rows: list[Row], fields: dict[str, object]) -> Response:
    items = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
    return listed(Page(items, fields))


def _opaque(value: str) -> str:
    return urlsafe_b64encode(f"v1|{value}".encode()).decode("ascii")


def _missing(kind: str, thing_id: str) -> RefusedError:
    return RefusedError(error(404, f"No {kind} found with id '{thing_id}'."))
