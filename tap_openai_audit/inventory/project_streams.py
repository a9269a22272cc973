"""Reference streams: what each project has.

Their sources are those of `organization_streams`. Users, groups and limits are in
several projects under one id, so the project is a part of every primary key.
"""

from __future__ import annotations

from tap_openai_audit.inventory.listing import Listing, by_next
from tap_openai_audit.inventory.organization_streams import Projects
from tap_openai_audit.inventory.stream import Reference
from tap_openai_audit.singer.columns import (
    EMAIL,
    GROUP_TYPE,
    LAST_USED,
    OBJECT,
    OWNER,
    REDACTED,
    count,
    group,
    moment,
    snapshot,
    text,
)

_PROJECT = text("project_id", "The project it belongs to.", required=True)


class OfProject(Reference):
    """A list that each project has."""

    primary_keys = ("project_id", "id")
    parent_stream_type = Projects
    parent_key = "project_id"


class ProjectUsers(OfProject):
    """Which users are in which project. The API does not tell it of archived ones."""

    name = "project_users"
    archived_parents = False
    listing = Listing("/organization/projects/{project_id}/users")
    schema = snapshot(
        _PROJECT,
        text("id", "The id of the user.", required=True),
        text("name", "The name of the user."),
        EMAIL,
        text("role", "The role in the project, such as `owner` or `member`."),
        moment("added_at", "When the user was added to the project."),
        OBJECT,
    )


class ProjectServiceAccounts(OfProject):
    """The service accounts of projects. The API does not list archived projects'."""

    name = "project_service_accounts"
    archived_parents = False
    listing = Listing("/organization/projects/{project_id}/service_accounts")
    schema = snapshot(
        _PROJECT,
        text("id", "The id of the service account.", required=True),
        text("name", "The name of the service account."),
        text("role", "The role in the project: `owner`, `member` or `none`."),
        moment("created_at", "When the service account was made."),
        OBJECT,
    )


class ProjectApiKeys(OfProject):
    """The API keys of projects. Their secret is not listed."""

    name = "project_api_keys"
    # Without the parameter the keys of owners who lost access are left out.
    listing = Listing(
        "/organization/projects/{project_id}/api_keys",
        params={"owner_project_access": "any"},
    )
    schema = snapshot(
        _PROJECT,
        text("id", "The tracking id of the key.", required=True),
        text("name", "The name of the key."),
        REDACTED,
        moment("created_at", "When the key was made."),
        LAST_USED,
        text("owner_project_access", "`inactive` if the owner has no access any more."),
        group(
            "owner",
            "Whose key it is.",
            text("type", "`user` or `service_account`."),
            group("user", "The user whose key it is.", *OWNER, EMAIL),
            group("service_account", "The service account whose key it is.", *OWNER),
        ),
        OBJECT,
    )


class ProjectGroups(OfProject):
    """Which groups have access to which project."""

    name = "project_groups"
    primary_keys = ("project_id", "group_id")
    listing = Listing("/organization/projects/{project_id}/groups", by_next)
    schema = snapshot(
        _PROJECT,
        text("group_id", "The id of the group.", required=True),
        text("group_name", "The name of the group."),
        GROUP_TYPE,
        moment("created_at", "When the group was given access."),
        OBJECT,
    )


class ProjectRateLimits(OfProject):
    """The rate limits of projects, for each model."""

    name = "project_rate_limits"
    listing = Listing("/organization/projects/{project_id}/rate_limits")
    schema = snapshot(
        _PROJECT,
        text("id", "The id of the limit, which names the model.", required=True),
        text("model", "The model."),
        count("max_requests_per_1_minute", "Requests in a minute."),
        count("max_tokens_per_1_minute", "Tokens in a minute."),
        count("max_images_per_1_minute", "Images in a minute."),
        count("max_audio_megabytes_per_1_minute", "Megabytes of audio in a minute."),
        count("max_requests_per_1_day", "Requests in a day."),
        count("batch_1_day_max_input_tokens", "Input tokens of batches in a day."),
        OBJECT,
    )
