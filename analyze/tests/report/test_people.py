"""What the report shows of people, keys and places, in both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_audit_analyze.report.access import MOST_OWNERS
from tests.report.reading import section
from tests.report.stage import EVENT, FINDING

if TYPE_CHECKING:
    from tests.report.stage import Stage


def test_only_hours_of_sign_ins_that_were_there_are_drawn(stage: Stage) -> None:
    stage.add(
        "events",
        *(
            EVENT
            | {"event_id": str(hour), "event_type": "login.failed"}
            | {"outcome": "failed", "occurred_at": f"2026-11-20 {hour}:30:00"}
            for hour in (11, 12)
        ),
        EVENT
        | {"event_id": "13", "event_type": "login.failed", "outcome": "failed"}
        | {"occurred_at": "2026-11-20 12:45:00"},
    )
    shown = section(stage.build(), "sign-ins")
    assert (
        "Failed, by weekday and hour in UTC; busiest: Fri 12\N{EN DASH}13 h, 2" in shown
    )
    assert "Succeeded, by weekday" not in shown


def test_who_was_made_an_owner_last_comes_first_however_long_they_are_there(
    stage: Stage,
) -> None:
    owner = {"access_kind": "member", "role": "owner"}
    stage.add(
        "access",
        *(
            owner | {"principal_id": f"user-{number}", "since": "2026-11-01"}
            for number in range(MOST_OWNERS)
        ),
        owner
        | {"principal_id": "promoted", "role": "Owner", "since": "2024-09-27"}
        | {"granted_at": "2026-11-09 08:00:00", "granted_by": "Ada Lovelace"},
        owner
        | {"principal_email": "grace@example.com", "access_kind": "invitation"}
        | {"since": "2026-11-08"},
    )
    shown = section(stage.build(), "access")
    assert shown.index("promoted") < shown.index("grace@example.com")
    assert shown.index("grace@example.com") < shown.index("user-0")
    assert "2026-11-09 08:00 by Ada Lovelace ; joined 2024-09-27" in shown
    assert "invited not in the log invited 2026-11-08" in shown
    assert f"{MOST_OWNERS} of {MOST_OWNERS + 2}" in shown


def test_keys_are_counted_by_age_and_use_and_the_idle_ones_named(stage: Stage) -> None:
    key = {"access_kind": "api_key", "owner_is_gone": False}
    stage.add(
        "access",
        key | {"principal_id": "new", "since": "2999-01-01"},
        key | {"principal_id": "old", "since": "2020-01-01"},
        key
        | {"principal_id": "used", "since": "2020-01-01", "last_seen_at": "2999-01-01"},
        key | {"principal_id": "left", "since": "2999-01-01", "owner_is_gone": True},
        key
        | {"principal_id": "of an admin", "access_kind": "admin_api_key"}
        | {"since": "2020-01-01"},
    )
    shown = section(stage.build(), "access")
    counted = shown.replace("\N{EN DASH}", "-").replace(" ", "")
    assert "upto30days----2" in counted
    assert "morethan365days1---2" in counted
    idle = shown.partition("whose owner was removed")[2]
    assert "left" in idle
    assert "of an admin" in idle
    assert "old" in idle
    assert "used " not in idle.replace("Last used ", "")
    assert idle.index("left") < idle.index("old")


def test_what_is_not_known_of_a_key_is_said_to_be_unknown(stage: Stage) -> None:
    fine = "Each key was used within 90 days"
    key = {"access_kind": "api_key", "owner_is_gone": False, "since": "2999-01-01"}
    stage.add("access", key)
    assert fine in section(stage.build(), "access")
    stage.add(
        "access",
        key | {"owner_is_gone": None},
        key | {"since": None},
        key | {"since": None, "last_seen_at": "2999-01-01"},
    )
    shown = section(stage.build(), "access")
    assert fine not in shown
    assert "No key is known to be unused" in shown
    assert "It is not known whether 1 of 4 keys have a current owner" in shown
    assert "It is not known when 1 of 4 keys were created or used" in shown
    counted = shown.replace("\N{EN DASH}", "-").replace(" ", "")
    assert "morethan365days-----notknown1---1" in counted


def test_where_there_are_several_organizations_each_row_names_its_own(
    stage: Stage,
) -> None:
    other = {"organization_id": "org-2", "account_id": "org-2"}
    stage.add("events", EVENT)
    stage.add("findings", FINDING, FINDING | {"finding_id": "2", "severity": "low"})
    owner = {"access_kind": "member", "role": "owner", "organization_id": "org-1"}
    stage.add("access", owner | {"principal_name": "Ada"})
    alone = stage.build()
    parts = ("findings", "busiest", "access", "timeline")
    assert not any("org-1" in section(alone, part) for part in parts)
    stage.add("events", EVENT | other | {"actor_email": "grace@example.com"})
    stage.add("findings", FINDING | {"finding_id": "3", "organization_id": "org-2"})
    stage.add("access", owner | {"organization_id": "org-2", "principal_name": "Bob"})
    page = stage.build()
    for part in parts:
        assert "org-1" in section(page, part)
        assert "org-2" in section(page, part)
    # The address of both is one.
    assert "in 2 accounts" in section(page, "busiest")


def test_keys_of_one_name_are_told_apart_and_a_person_is_one_however_written(
    stage: Stage,
) -> None:
    key = {"api_key_name": "nightly"}
    stage.add(
        "events",
        EVENT | key | {"api_key_id": "key-1"},
        EVENT | key | {"api_key_id": "key-2", "actor_email": "ADA@example.com"},
        EVENT | {"api_key_id": "key-3", "api_key_name": "weekly"},
    )
    listed = {"access_kind": "admin_api_key", "principal_name": "hourly"}
    stage.add(
        "access",
        listed | {"principal_id": "key-4"},
        listed | {"principal_id": "key-5"},
        listed | {"principal_id": "key-6", "principal_name": "daily"},
    )
    page = stage.build()
    busiest = section(page, "busiest")
    assert "nightly key-1 ·" in busiest
    assert "nightly key-2 ·" in busiest
    assert "key-3" not in busiest
    assert "2026-11-20 12:00 3 \N{EN DASH}" in busiest
    access = section(page, "access")
    assert "hourly key-4 ·" in access
    assert "hourly key-5 ·" in access
    assert "key-6" not in access


def test_names_and_places_are_those_of_the_newest_event(stage: Stage) -> None:
    stage.add(
        "events",
        EVENT | {"country": "CH", "city": "Zurich", "actor_name": "Zoe, who married"},
        EVENT
        | {"country": "US", "city": "Austin", "occurred_at": "2026-11-21 09:00:00"},
        EVENT
        | {"country": None, "actor_name": None}
        | {"occurred_at": "2026-11-22 09:00:00"},
    )
    busiest = section(stage.build(), "busiest")
    assert "Austin, US ·" in busiest
    assert "Zurich" not in busiest
    assert "Ada Lovelace" in busiest
    assert "Zoe" not in busiest
