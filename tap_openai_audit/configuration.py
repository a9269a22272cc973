"""The settings as `--about`, the Hub and Meltano show them, ordered by need.

What a JSON schema can say of a setting is said here and nowhere else; `settings.py`
checks the rest. The plugin definition, `.env.example` and the table in
docs/settings.md are made of this by `make generate`.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import FLATTENING_CONFIG, STREAM_MAPS_CONFIG

_HOUR, _DAY = 3600, 24 * 3600

# In Python `$` also matches before a line feed at the end, in JSON Schema it does not.
_END = r"(?!\n)$"

_HEX = "[0-9A-Fa-f]"

# A filter without a value would be no filter to the API.
_TEXTS = th.ArrayType(th.StringType(min_length=1))

_OWN: dict[str, Any] = th.PropertiesList(
    th.Property(
        "organization_id",
        th.StringType(pattern=rf"^org-[A-Za-z0-9_-]+{_END}"),
        title="Organization ID",
        description=(
            "The id of the organization whose events are read, such as `org-abc123`. It"
            " is sent with every request and stamped on every record."
        ),
    ),
    th.Property(
        "admin_key",
        th.StringType(pattern=rf"^[!-~]+{_END}"),
        secret=True,
        title="Admin Key",
        description=(
            "An admin key (`sk-admin-...`) with the permission 'Audit Logs: Read'. An"
            " organization owner makes one in the organization's settings under Admin"
            " keys. A project key does not work."
        ),
    ),
    th.Property(
        "workspace_id",
        th.StringType(pattern=rf"^{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}{_END}"),
        title="Workspace ID",
        description=(
            "The id of the ChatGPT workspace whose logs are read, a UUID. It is stamped"
            " on every record of them."
        ),
    ),
    th.Property(
        "workspace_key",
        th.StringType(pattern=rf"^[!-~]+{_END}"),
        secret=True,
        title="Workspace Key",
        description=(
            "An admin key of the workspace that may read its audit and its auth logs."
            " It is made in the workspace's Admin portal. An admin key of the"
            " organization does not work."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start Date",
        description=(
            "The earliest event to read; of a workspace the earliest file. Without it,"
            " everything that the API still has."
        ),
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End Date",
        description=(
            "Only events before this moment are read; of a workspace only files that"
            " end before it. Without it, everything up to now."
        ),
    ),
    th.Property(
        "lookback_seconds",
        th.IntegerType(minimum=0, maximum=30 * _DAY),
        default=_HOUR,
        title="Lookback (Seconds)",
        description=(
            "How far before its bookmark each run looks again for events that appeared"
            " late. What was emitted already is not emitted again."
        ),
    ),
    th.Property(
        "deep_lookback_days",
        th.IntegerType(minimum=0, maximum=30),
        default=7,
        title="Deep Lookback (Days)",
        description=(
            "How many days before its bookmark a run looks again now and then, for"
            " events that appeared later than the lookback allows. 0: never."
        ),
    ),
    th.Property(
        "deep_lookback_every_hours",
        th.IntegerType(minimum=0, maximum=30 * 24),
        default=24,
        title="Deep Lookback Every (Hours)",
        description="How often it does so. 0: in every run.",
    ),
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
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(minimum=1, maximum=_HOUR),
        default=60,
        title="Request Timeout (Seconds)",
        description="How long one request may take before it is tried again.",
    ),
    th.Property(
        "max_retry_seconds",
        th.IntegerType(minimum=0, maximum=_DAY),
        default=600,
        title="Maximum Retry Time (Seconds)",
        description="How long one request is tried again before the run fails.",
    ),
    th.Property(
        "api_url",
        th.URIType,
        default="https://api.openai.com/v1",
        title="API URL",
        description=(
            "Where the API is. It must begin with `https://` unless its host is this"
            " machine."
        ),
    ),
    th.Property(
        "workspace_api_url",
        th.URIType,
        default="https://api.chatgpt.com/v1",
        title="Workspace API URL",
        description=(
            "Where the API of the workspace's logs is. It must begin with `https://`"
            " unless its host is this machine."
        ),
    ),
    th.Property(
        "user_agent",
        # A header of HTTP neither begins nor ends with a blank.
        th.StringType(pattern=rf"^[!-~]([ -~]*[!-~])?{_END}"),
        title="User Agent",
        description=(
            "How the tap introduces itself to the API. Without it,"
            " `tap-openai-audit/<version>`."
        ),
    ),
).to_dict()

PAIRS = (("organization_id", "admin_key"), ("workspace_id", "workspace_key"))
"""What to read, and the key for it: one pair has to be set, and may be without the
other. A schema that Meltano and its Hub understand cannot say so."""

OWN = tuple(_OWN["properties"])
"""The names of the settings that this tap has beside those of the SDK."""

# The SDK would add its settings to the schema when the first tap is made.
CONFIGURATION: dict[str, Any] = {
    **_OWN,
    "properties": {
        **_OWN["properties"],
        **STREAM_MAPS_CONFIG["properties"],
        **FLATTENING_CONFIG["properties"],
    },
}
"""The schema of all settings."""
