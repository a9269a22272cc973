"""The settings as `--about`, the Hub and Meltano show them, ordered by need.

What a JSON schema can say of a setting is said here and nowhere else; `settings.py`
checks the rest. The plugin definition, `.env.example` and the table in
docs/settings.md are made of this by `make generate`.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_openai_audit.singer.configuration import (
    DAY,
    END,
    HOUR,
    key,
    late_arrivals,
    omit_email_addresses,
    requests_to,
    with_settings_of_the_sdk,
)

# A filter without a value would be no filter to the API.
_TEXTS = th.ArrayType(th.StringType(min_length=1))

_OWN: dict[str, Any] = th.PropertiesList(
    th.Property(
        "organization_id",
        th.StringType(pattern=rf"^org-[A-Za-z0-9_-]+{END}"),
        title="Organization ID",
        description=(
            "The id of the organization whose events are read, such as `org-abc123`. It"
            " is sent with every request and stamped on every record."
        ),
    ),
    key(
        "admin_key",
        "Admin Key",
        "An admin key (`sk-admin-...`) with the permission 'Audit Logs: Read'. An"
        " organization owner makes one in the organization's settings under Admin keys."
        " A project key does not work.",
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
        th.IntegerType(minimum=0, maximum=30 * DAY),
        default=HOUR,
        title="Lookback (Seconds)",
        description=(
            "How far before its bookmark each run looks again for events that appeared"
            " late. What was emitted already is not emitted again."
        ),
    ),
    *late_arrivals("events that appeared later than the lookback allows"),
    th.Property(
        "tenant_events",
        th.BooleanType,
        default=True,
        title="Tenant Events",
        description=(
            "Also read tenant-scoped events (`tenant.*` and role bindings), which the"
            " API returns only when asked for separately."
        ),
    ),
    th.Property(
        "event_types",
        _TEXTS,
        title="Event Types",
        description="Read only these types of events, such as `user.added`.",
    ),
    th.Property(
        "project_ids",
        _TEXTS,
        title="Project IDs",
        description="Read only events of these projects.",
    ),
    th.Property(
        "actor_ids",
        _TEXTS,
        title="Actor IDs",
        description=(
            "Read only events of these actors: ids of users or service accounts, or"
            " tracking ids of API keys."
        ),
    ),
    th.Property(
        "actor_emails",
        _TEXTS,
        title="Actor Emails",
        description="Read only events of actors with these email addresses.",
    ),
    th.Property(
        "resource_ids",
        _TEXTS,
        title="Resource IDs",
        description="Read only events about the objects with these ids.",
    ),
    omit_email_addresses(),
    th.Property(
        "reference_every_hours",
        th.IntegerType(minimum=0, maximum=30 * 24),
        default=24,
        title="Reference Streams Every (Hours)",
        description=(
            "How often the reference streams that are selected are read, each in full."
            " 0: in every run."
        ),
    ),
    th.Property(
        "concurrency",
        th.IntegerType(minimum=1, maximum=64),
        default=8,
        title="Concurrency",
        description="How many requests are made at the same time.",
    ),
    *requests_to("https://api.openai.com/v1", tap="tap-openai-audit"),
).to_dict()

OWN = tuple(_OWN["properties"])
"""The names of the settings that this tap has beside those of the SDK."""

CONFIGURATION = with_settings_of_the_sdk(_OWN)
"""The schema of all settings."""
