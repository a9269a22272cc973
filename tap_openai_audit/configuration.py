"""The settings as the Hub and `--about` show them, ordered by need."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

CONFIGURATION: dict[str, Any] = th.PropertiesList(
    th.Property(
        "organization_id",
        th.StringType,
        required=True,
        title="Organization ID",
        description=(
            "The id of the organization whose events are read, such as org-abc123. It"
            " is sent with every request and stamped on every record."
        ),
    ),
    th.Property(
        "admin_key",
        th.StringType,
        required=True,
        secret=True,
        title="Admin Key",
        description=(
            "An admin key (sk-admin-...) with the permission 'Audit Logs: Read'. An"
            " organization owner makes one in the organization's settings under Admin"
            " keys. A project key does not work."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start Date",
        description=(
            "The earliest event to read. Without it, everything that the API still has."
        ),
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End Date",
        description=(
            "Only events before this moment are read. Without it, everything up to now."
        ),
    ),
    th.Property(
        "lookback_seconds",
        th.IntegerType,
        default=3600,
        title="Lookback (Seconds)",
        description=(
            "How far before its bookmark each run looks again for events that appeared"
            " late. What was emitted already is not emitted again."
        ),
    ),
    th.Property(
        "tenant_events",
        th.BooleanType,
        default=True,
        title="Tenant Events",
        description=(
            "Also read tenant-scoped events (tenant.* and role bindings), which the API"
            " returns only when asked for separately."
        ),
    ),
    th.Property(
        "event_types",
        th.ArrayType(th.StringType),
        title="Event Types",
        description="Read only these types of events, such as user.added.",
    ),
    th.Property(
        "project_ids",
        th.ArrayType(th.StringType),
        title="Project IDs",
        description="Read only events of these projects.",
    ),
    th.Property(
        "actor_ids",
        th.ArrayType(th.StringType),
        title="Actor IDs",
        description=(
            "Read only events of these actors: ids of users or service accounts, or"
            " tracking ids of API keys."
        ),
    ),
    th.Property(
        "actor_emails",
        th.ArrayType(th.StringType),
        title="Actor Emails",
        description="Read only events of actors with these email addresses.",
    ),
    th.Property(
        "resource_ids",
        th.ArrayType(th.StringType),
        title="Resource IDs",
        description="Read only events about the objects with these ids.",
    ),
    th.Property(
        "concurrency",
        th.IntegerType,
        default=8,
        title="Concurrency",
        description="How many requests are made at the same time, from 1 to 64.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType,
        default=60,
        title="Request Timeout (Seconds)",
        description="How long one request may take before it is tried again.",
    ),
    th.Property(
        "max_retry_seconds",
        th.IntegerType,
        default=600,
        title="Maximum Retry Time (Seconds)",
        description="How long one request is tried again before the run fails.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://api.openai.com/v1",
        title="API URL",
        description=(
            "Where the API is. It must begin with https:// unless its host is this"
            " machine."
        ),
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User Agent",
        description=(
            "How the tap introduces itself to the API. Without it,"
            " tap-openai-audit/<version>."
        ),
    ),
).to_dict()
