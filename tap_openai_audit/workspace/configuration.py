"""The settings of the workspace's tap, as in the organization's `configuration.py`."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_openai_audit.singer.configuration import (
    END,
    key,
    late_arrivals,
    omit_email_addresses,
    requests_to,
    with_settings_of_the_sdk,
)

_HEX = "[0-9A-Fa-f]"

_OWN: dict[str, Any] = th.PropertiesList(
    th.Property(
        "workspace_id",
        th.StringType(pattern=rf"^{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}{END}"),
        title="Workspace ID",
        description=(
            "The id of the ChatGPT workspace whose logs are read, a UUID. It is stamped"
            " on every record."
        ),
    ),
    key(
        "key",
        "Key",
        "An admin key of the workspace that may read its audit and its auth logs. It is"
        " created in the workspace's Admin portal. An admin key of an organization does"
        " not work.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start Date",
        description=(
            "Only log files that end after this time are read. Without it, all that the"
            " API still has."
        ),
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        title="End Date",
        description=(
            "Only log files that end before this time are read. Without it, all up to"
            " now."
        ),
    ),
    *late_arrivals("files that appeared more than 12 hours late"),
    omit_email_addresses(),
    *requests_to("https://api.chatgpt.com/v1", tap="tap-chatgpt-workspace"),
).to_dict()

OWN = tuple(_OWN["properties"])
"""The names of the settings that this tap has beside those of the SDK."""

CONFIGURATION = with_settings_of_the_sdk(_OWN)
"""The schema of all settings."""
