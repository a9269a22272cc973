"""The schemas of a workspace's streams. They never become narrower, nor change a key.

What an object holds depends on the action, and forms differ that are documented as one:
so objects are passed on as they come, without columns of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_openai_audit.singer.columns import (
    EXTRA,
    anything,
    count,
    flag,
    moment,
    schema_of,
    text,
)

if TYPE_CHECKING:
    from singer_sdk import typing as th


def _events(*of_the_type: th.Property[Any]) -> dict[str, Any]:
    return schema_of(
        text("event_id", "The id of the event.", required=True),
        moment("timestamp", "When it happened: UTC."),
        text("action", "What was done, or tried."),
        text("action_result", "What came of it, such as `SUCCESS` or `BLOCKED`."),
        *of_the_type,
        anything("actor", "Who did it."),
        anything("request_metadata", "From where, and with what."),
        anything("action_data", "What the API says of this action."),
        text("workspace_id", "The workspace the events were read from."),
        text("file_id", "The file that the event stands in."),
        moment("file_end_time", "When that file ends: UTC.", required=True),
        anything(
            EXTRA,
            "Every other key of the event, and values that their column cannot hold;"
            " null if there is none.",
        ),
    )


AUDIT_SCHEMA = _events(
    text("action_privilege", "Which privilege it took, such as `ADMIN`.")
)

AUTH_SCHEMA = _events()

FILES_SCHEMA = schema_of(
    text("workspace_id", "The workspace.", required=True),
    text("file_id", "The file.", required=True),
    text("event_type", "The type of its events: `AUDIT_LOG` or `AUTH_LOG`."),
    moment("file_end_time", "When it ends: UTC."),
    count("file_size", "Its bytes, as the API lists them."),
    text("file_sha256", "The checksum of its content, as the API lists it."),
    flag(
        "checksum_matches",
        "Whether the content has that checksum; null: there is nothing to compare.",
    ),
    count("lines", "Its lines that are not blank."),
    count("events", "The events in it."),
    count("events_emitted", "Events that records were written of."),
    count("events_filtered", "Events that a stream map left out."),
    count("events_known", "Events that another file had, or this one before."),
    count(
        "ids_checksum",
        "The sum of the first 8 hexadecimal digits of the MD5 of each id emitted.",
    ),
    moment("first_event_at", "The earliest timestamp in it."),
    moment("last_event_at", "The latest timestamp in it."),
    text("reason", "Why not all of it could be read; null: all of it was."),
    text("run_id", "The run that wrote this."),
)
