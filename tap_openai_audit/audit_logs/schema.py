"""The schema of `audit_logs`. It never becomes narrower, and its key never changes.

All that is documented or was observed has a name; the objects are open for the rest.
"""

from __future__ import annotations

from typing import Any

from tap_openai_audit.singer.columns import (
    EXTRA,
    anything,
    group,
    moment,
    schema_of,
    text,
)

_USER = (
    text("id", "The id of the user."),
    text("email", "The email address of the user."),
)

_SESSION = group(
    "session",
    "A person who was signed in.",
    group("user", "Who was signed in.", *_USER),
    text("ip_address", "Where from, IPv4 or IPv6."),
    text("user_agent", "The browser or program, as it calls itself."),
    text("ja3", "The JA3 fingerprint of the TLS client."),
    text("ja4", "The JA4 fingerprint of the TLS client."),
    group(
        "ip_address_details",
        "Where the address is thought to be.",
        text("country", "The country, as two letters."),
        text("city", "The city."),
        text("region", "The region."),
        text("region_code", "The code of the region."),
        text("asn", "The number of the network's operator."),
        text("latitude", "The latitude, as a decimal text."),
        text("longitude", "The longitude, as a decimal text."),
    ),
)

_API_KEY = group(
    "api_key",
    "A program with a key.",
    text("id", "The tracking id of the key."),
    text("type", "Whose key it is: `user` or `service_account`."),
    group("user", "The user whose key it is.", *_USER),
    group(
        "service_account",
        "The service account whose key it is.",
        text("id", "The id of the service account."),
    ),
)

SCHEMA: dict[str, Any] = schema_of(
    text("id", "The id of the event.", required=True),
    moment("effective_at", "When it happened: UTC, to the second.", required=True),
    text("type", "What happened, such as `user.added`."),
    text("scope", "Whose event it is: the `organization`'s or the `tenant`'s."),
    text("organization_id", "The organization the events were read from."),
    group(
        "project",
        "The project it happened in; null if in none.",
        text("id", "The id of the project."),
        text("name", "The name of the project at that time."),
    ),
    group(
        "actor",
        "Who did it; null if nobody is named.",
        text("type", "How the actor was authenticated: `session` or `api_key`."),
        _SESSION,
        _API_KEY,
    ),
    anything("details", "What the API says of this type of event."),
    anything(
        EXTRA,
        "Every other key of the event, and values that their column cannot hold; null"
        " if there is none.",
    ),
)
