"""Reference streams: what the organization has.

Paths, parameters, largest pages and fields are those of OpenAI's public specification.
The primary key has two parts where an id alone is not unique: a person is a user of
several organizations under one id, and roles that OpenAI predefines may be shared as
well.
"""

from __future__ import annotations

from singer_sdk import typing as th

from tap_openai_audit.inventory.listing import Listing, by_next
from tap_openai_audit.inventory.stream import Reference
from tap_openai_audit.singer.columns import (
    EMAIL,
    GROUP_TYPE,
    LAST_USED,
    OBJECT,
    OWNER,
    REDACTED,
    anything,
    count,
    flag,
    group,
    moment,
    open_object,
    several,
    snapshot,
    text,
)


class Users(Reference):
    """The members of the organization."""

    name = "users"
    primary_keys = ("organization_id", "id")
    listing = Listing("/organization/users")
    schema = snapshot(
        text("id", "The id of the user.", required=True),
        text("name", "The name of the user."),
        EMAIL,
        text("role", "The role in the organization, such as `owner` or `reader`."),
        moment("added_at", "When the user joined the organization."),
        moment("created", "When the user's account was made."),
        moment("api_key_last_used_at", "When a key of the user was last used."),
        flag("is_default", "Whether this is the organization's default user."),
        flag("is_service_account", "Whether this is a service account."),
        flag("is_scim_managed", "Whether an identity provider manages the user."),
        flag(
            "is_scale_tier_authorized_purchaser",
            "Whether the user may buy Scale Tier.",
        ),
        text("technical_level", "How technical the user is said to be."),
        text("developer_persona", "What kind of developer the user is said to be."),
        group(
            "user",
            "The account behind the user.",
            text("id", "The id of the account."),
            text("name", "The name."),
            EMAIL,
            text("picture", "Where the picture is."),
            flag("enabled", "Whether the account is enabled."),
            flag("banned", "Whether the account is banned."),
            count("banned_at", "Since when it is banned, in Unix seconds."),
        ),
        anything("projects", "The projects of the user, if the API includes them."),
        OBJECT,
    )


class Projects(Reference):
    """The projects of the organization, those that are archived included."""

    name = "projects"
    listing = Listing("/organization/projects", params={"include_archived": "true"})
    schema = snapshot(
        text("id", "The id of the project.", required=True),
        text("name", "The name of the project."),
        text("status", "`active` or `archived`."),
        moment("created_at", "When the project was made."),
        moment("archived_at", "When it was archived; null if it is not."),
        text("external_key_id", "The external key that the project's data is under."),
        text("residency", "Where the project's data is kept and processed."),
        OBJECT,
    )


class Invites(Reference):
    """The invitations to the organization."""

    name = "invites"
    listing = Listing("/organization/invites")
    schema = snapshot(
        text("id", "The id of the invitation.", required=True),
        text("email", "Who is invited."),
        text("role", "The role that comes with it."),
        text("status", "`pending`, `accepted` or `expired`."),
        moment("created_at", "When it was sent."),
        moment("expires_at", "When it expires."),
        moment("accepted_at", "When it was accepted; null if it was not."),
        several(
            "projects",
            "The projects that come with it.",
            open_object(
                text("id", "The id of the project."),
                text("role", "The role in the project."),
            ),
        ),
        OBJECT,
    )


class AdminApiKeys(Reference):
    """The admin keys of the organization. Their secret is not listed."""

    name = "admin_api_keys"
    listing = Listing("/organization/admin_api_keys")
    schema = snapshot(
        text("id", "The tracking id of the key.", required=True),
        text("name", "The name of the key."),
        REDACTED,
        moment("created_at", "When the key was made."),
        moment("expires_at", "When it expires; null if never."),
        LAST_USED,
        group(
            "owner",
            "Whose key it is.",
            text("type", "`user` or `service_account`."),
            *OWNER,
            OBJECT,
        ),
        OBJECT,
    )


class Groups(Reference):
    """The groups of the organization."""

    name = "groups"
    listing = Listing("/organization/groups", by_next, page_size=1000)
    schema = snapshot(
        text("id", "The id of the group.", required=True),
        text("name", "The name of the group."),
        GROUP_TYPE,
        flag("is_scim_managed", "Whether an identity provider manages the group."),
        moment("created_at", "When the group was made."),
        OBJECT,
    )


class GroupUsers(Reference):
    """Which users are in which group."""

    name = "group_users"
    primary_keys = ("group_id", "id")
    parent_stream_type = Groups
    parent_key = "group_id"
    listing = Listing("/organization/groups/{group_id}/users", by_next, page_size=1000)
    schema = snapshot(
        text("group_id", "The group.", required=True),
        text("id", "The id of the user.", required=True),
        text("name", "The name of the user."),
        EMAIL,
    )


class Roles(Reference):
    """The roles of the organization, those of OpenAI included."""

    name = "roles"
    primary_keys = ("organization_id", "id")
    listing = Listing("/organization/roles", by_next, page_size=1000)
    schema = snapshot(
        text("id", "The id of the role.", required=True),
        text("name", "The name of the role."),
        text("description", "What the role is for."),
        several("permissions", "What the role permits.", th.StringType),
        text("resource_type", "What it is bound to, such as `api.project`."),
        flag("predefined_role", "Whether the role is one of OpenAI's."),
        OBJECT,
    )


class Certificates(Reference):
    """The certificates that were uploaded to the organization."""

    name = "certificates"
    listing = Listing("/organization/certificates")
    schema = snapshot(
        text("id", "The id of the certificate.", required=True),
        text("name", "The name of the certificate."),
        flag("active", "Whether it is active in the organization."),
        moment("created_at", "When it was uploaded."),
        group(
            "certificate_details",
            "What the certificate says.",
            count("valid_at", "From when it is valid, in Unix seconds."),
            count("expires_at", "Until when it is valid, in Unix seconds."),
        ),
        OBJECT,
    )
