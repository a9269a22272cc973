"""A list that is empty, was refused, or was not read: the report says which it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.report.reading import section

if TYPE_CHECKING:
    from tests.report.stage import Row, Stage

READ = {"organization_id": "org-1", "objects": 0, "is_complete": True}
READ |= {"listed_at": "2026-11-27 08:00:00"}
REFUSED = {"organization_id": "org-1", "objects": 0, "is_complete": False}
REFUSED |= {"reason": "the API answered 403"}
OWNER = {"access_kind": "member", "role": "owner", "organization_id": "org-1"}
OWNER |= {"principal_name": "Ada"}
LISTS = {
    "users": "members",
    "admin_api_keys": "admin keys",
    "project_api_keys": "API keys",
}


REFUSED_SINCE = READ | {"is_complete": False, "reason": "the API answered 500"}
STATES: dict[str, tuple[Row | None, str, str]] = {
    "empty": (
        READ,
        "The list of {name} is empty, as read at 2026-11-27 08:00 UTC.",
        "0 read at 2026-11-27 08:00",
    ),
    "empty, and refused since": (
        REFUSED_SINCE,
        (
            "The list of {name} is empty, as read at 2026-11-27 08:00 UTC. The last"
            " run did not read it in full (the API answered 500)."
        ),
        "0 read at 2026-11-27 08:00, not in full since: the API answered 500",
    ),
    "refused": (
        REFUSED,
        (
            "The {name} are not known: the list could not be read (the API answered"
            " 403). docs/troubleshooting.md says which permission a key needs."
        ),
        "0 never read in full: the API answered 403",
    ),
    "not selected": (
        None,
        "The {name} are not known: no run has read them. Select the stream {stream}.",
        "\N{EN DASH} not read; select the stream {stream}",
    ),
}


@pytest.mark.parametrize("stream", LISTS)
@pytest.mark.parametrize("state", STATES)
def test_a_list_without_rows_says_why(stage: Stage, stream: str, state: str) -> None:
    row, text, status = STATES[state]
    # Another list was read, so that the section is there.
    stage.add("listings", READ | {"stream": "invites"})
    if row is not None:
        stage.add("listings", row | {"stream": stream})
    access = section(stage.build(), "access")
    assert text.format(name=LISTS[stream], stream=stream) in access
    assert status.format(stream=stream) in access
    assert (f"elect the stream {stream}" in access) == (row is None)


@pytest.mark.parametrize("stream", LISTS)
def test_a_list_with_rows_has_no_such_sentence(stage: Stage, stream: str) -> None:
    kind = {"users": "member", "admin_api_keys": "admin_api_key"}.get(stream, "api_key")
    stage.add("listings", READ | {"stream": stream, "objects": 1})
    stage.add("access", OWNER | {"access_kind": kind, "listed_at": READ["listed_at"]})
    access = section(stage.build(), "access")
    name = LISTS[stream]
    assert f"The {name} are" not in access
    assert f"list of {name}" not in access
    assert f"{name[0].upper()}{name[1:]} 1 read at 2026-11-27 08:00" in access


def test_members_without_an_owner_are_no_missing_list(stage: Stage) -> None:
    stage.add("listings", READ | {"stream": "users", "objects": 2})
    stage.add("access", OWNER | {"role": "reader"}, OWNER | {"role": "reader"})
    access = section(stage.build(), "access")
    assert "None of the 2 members is an owner." in access
    assert "select the stream users" not in access.lower()


def test_each_organization_has_its_own_lists(stage: Stage) -> None:
    stage.add("listings", READ | {"stream": "users", "objects": 1})
    stage.add("access", OWNER)
    stage.add(
        "listings",
        READ | {"stream": "admin_api_keys", "organization_id": "org-2"},
        READ | {"stream": "users", "organization_id": "org-2", "objects": 1},
    )
    access = section(stage.build(), "access")
    assert "org-1 : The admin keys are not known: no run has read them" in access
    assert "org-2 : The list of admin keys is empty" in access
    assert "org-2 : None of the 1 member is an owner" in access
    assert "org-1 : None of" not in access


def test_without_the_model_it_is_not_known_whether_a_list_was_read(
    stage: Stage,
) -> None:
    stage.add("access", OWNER)
    stage.drop("listings")
    access = section(stage.build(), "access")
    assert "There is no admin key in openai_audit__access . Whether the list was" in (
        access
    )
    assert "select the stream" not in access.lower()


def test_no_inventory_at_all_names_the_streams(stage: Stage) -> None:
    access = section(stage.build(), "access")
    assert (
        "Who has access is not known: no run has read the reference streams" in access
    )
