"""The schema of `audit_logs`. It never becomes narrower, and its key never changes.

All that is documented or was observed has a name; the objects are open for the rest.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th


def _open(*properties: th.Property[Any]) -> th.ObjectType:
    return th.ObjectType(*properties, additional_properties=True)


def _text(name: str, description: str) -> th.Property[str]:
    return th.Property(name, th.StringType, description=description)


# Without `properties`, even empty ones, flattening leaves the object in its column.
_ANYTHING = th.CustomType({"type": ["object", "null"], "additionalProperties": True})

_USER = _open(
    _text("id", "The id of the user."),
    _text("email", "The email address of the user."),
)

_PLACE = _open(
    _text("country", "The country, as two letters."),
    _text("city", "The city."),
    _text("region", "The region."),
    _text("region_code", "The code of the region."),
    _text("asn", "The number of the network's operator."),
    _text("latitude", "The latitude, as a decimal text."),
    _text("longitude", "The longitude, as a decimal text."),
)

_SESSION = _open(
    th.Property("user", _USER, description="Who was signed in."),
    _text("ip_address", "Where from, IPv4 or IPv6."),
    _text("user_agent", "The browser or program, as it calls itself."),
    _text("ja3", "The JA3 fingerprint of the TLS client."),
    _text("ja4", "The JA4 fingerprint of the TLS client."),
    th.Property(
        "ip_address_details", _PLACE, description="Where the address is thought to be."
    ),
)

_API_KEY = _open(
    _text("id", "The tracking id of the key."),
    _text("type", "Whose key it is: `user` or `service_account`."),
    th.Property("user", _USER, description="The user whose key it is."),
    th.Property(
        "service_account",
        _open(_text("id", "The id of the service account.")),
        description="The service account whose key it is.",
    ),
)

_ACTOR = _open(
    _text("type", "How the actor was authenticated: `session` or `api_key`."),
    th.Property("session", _SESSION, description="A person who was signed in."),
    th.Property("api_key", _API_KEY, description="A program with a key."),
)

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property("id", th.StringType, required=True, description="The id of the event."),
    th.Property(
        "effective_at",
        th.DateTimeType,
        required=True,
        description="When it happened: UTC, to the second.",
    ),
    _text("type", "What happened, such as `user.added`."),
    _text("scope", "Which pass brought the event: `organization` or `tenant`."),
    _text("organization_id", "The organization the events were read from."),
    th.Property(
        "project",
        _open(
            _text("id", "The id of the project."),
            _text("name", "The name of the project at that time."),
        ),
        description="The project it happened in; null if in none.",
    ),
    th.Property("actor", _ACTOR, description="Who did it; null if nobody is named."),
    th.Property(
        "details",
        _ANYTHING,
        description="What the API says of this type of event.",
    ),
    th.Property(
        "extra",
        _ANYTHING,
        description=(
            "Every other key of the event, and values that their column cannot hold;"
            " null if there is none."
        ),
    ),
).to_dict()
