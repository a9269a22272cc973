"""Which reference streams there are. A new one is a declaration and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_openai_audit.inventory import organization_streams as organization
from tap_openai_audit.inventory import project_streams as project

if TYPE_CHECKING:
    from tap_openai_audit.inventory.stream import Reference

REFERENCE_STREAMS: tuple[type[Reference], ...] = (
    organization.Users,
    organization.Projects,
    organization.Invites,
    organization.AdminApiKeys,
    organization.Groups,
    organization.GroupUsers,
    organization.Roles,
    organization.Certificates,
    project.ProjectUsers,
    project.ProjectServiceAccounts,
    project.ProjectApiKeys,
    project.ProjectGroups,
    project.ProjectRateLimits,
)
