"""Settings that each tap has: declared once, so that they have one name and meaning.

A setting is a JSON schema. `--about`, the Hub and Meltano show it; `singer/settings.py`
checks values by it, and says in words what is wrong.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import STREAM_MAPS_CONFIG

HOUR, DAY = 3600, 24 * 3600
"""Seconds."""

# In Python `$` also matches before a line feed at the end, in JSON Schema it does not.
END = r"(?!\n)$"
"""The end of a pattern."""


def key(name: str, title: str, description: str) -> th.Property[str]:
    """Declare the key that is sent with each request."""
    return th.Property(
        name,
        th.StringType(pattern=rf"^[!-~]+{END}"),
        secret=True,
        title=title,
        description=description,
    )


def late_arrivals(what: str) -> list[th.Property[Any]]:
    """Declare how often, and how far back, a run scans for what appeared late.

    Args:
        what: What appears, and is later than each run allows for.
    """
    return [
        th.Property(
            "deep_lookback_days",
            th.IntegerType(minimum=0, maximum=30),
            default=7,
            title="Deep Lookback (Days)",
            description=(
                "How many days before its bookmark a run looks again now and then, for"
                f" {what}. 0: never."
            ),
        ),
        th.Property(
            "deep_lookback_every_hours",
            th.IntegerType(minimum=0, maximum=30 * 24),
            default=24,
            title="Deep Lookback Every (Hours)",
            description="How often it does so. 0: in every run.",
        ),
    ]


def omit_email_addresses() -> th.Property[Any]:
    """Declare whether records are written without e-mail addresses."""
    return th.Property(
        "omit_email_addresses",
        th.BooleanType,
        default=False,
        title="Omit E-Mail Addresses",
        description=(
            "Write records without e-mail addresses, in all columns of all streams,"
            " also within objects and texts. Answers show ids instead."
        ),
    )


def requests_to(url: str, *, tap: str) -> list[th.Property[Any]]:
    """Declare how requests are made.

    Args:
        url: The URL of the API.
        tap: The name of the tap.
    """
    return [
        th.Property(
            "request_timeout_seconds",
            th.IntegerType(minimum=1, maximum=HOUR),
            default=60,
            title="Request Timeout (Seconds)",
            description="How long one request may take before it is tried again.",
        ),
        th.Property(
            "max_retry_seconds",
            th.IntegerType(minimum=0, maximum=DAY),
            default=600,
            title="Maximum Retry Time (Seconds)",
            description=(
                "How long one request is tried again, or the API may refuse all"
                " requests, before the run fails."
            ),
        ),
        th.Property(
            "api_url",
            th.URIType,
            default=url,
            title="API URL",
            description=(
                "Where the API is. It must begin with `https://` unless its host is"
                " this machine."
            ),
        ),
        th.Property(
            "user_agent",
            # A header of HTTP neither begins nor ends with a blank.
            th.StringType(pattern=rf"^[!-~]([ -~]*[!-~])?{END}"),
            title="User Agent",
            description=(
                "How the tap introduces itself to the API. Without it,"
                f" `{tap}/<version>`."
            ),
        ),
    ]


def with_settings_of_the_sdk(own: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of all settings: a tap's own ones, and the SDK's.

    The SDK would add its settings to the schema when the first tap is made.
    """
    maps = STREAM_MAPS_CONFIG["properties"]
    return {**own, "properties": {**own["properties"], **maps}}
