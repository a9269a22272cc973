from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_openai_audit.errors import BrokenPaging
from tap_openai_audit.http.bodies import BadBody
from tap_openai_audit.http.response import Response
from tap_openai_audit.inventory.listing import Listing, by_last_id, by_next, single

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_openai_audit.http.client import Client


class Script:
    """A client that answers with the bodies it was given, in their order."""

    def __init__(self, *bodies: Any) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._bodies = [
            body if isinstance(body, bytes) else json.dumps(body).encode()
            for body in bodies
        ]

    def get(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        read: Callable[[bytes], Any],
    ) -> Response[Any]:
        self.asked.append((path, dict(params)))
        return Response(read(self._bodies.pop(0)))


def things(*ids: str) -> list[dict[str, str]]:
    return [{"id": id_} for id_ in ids]


def items(listing: Listing, script: Script, **ids: str) -> list[dict[str, Any]]:
    client = cast("Client", script)  # which does all that a listing asks of one
    return [item for page in listing.pages(client, ["id"], **ids) for item in page]


def read(listing: Listing, script: Script, **ids: str) -> list[Any]:
    return [item["id"] for item in items(listing, script, **ids)]


def test_a_list_continues_after_its_last_id() -> None:
    script = Script(
        {"data": things("a", "b"), "has_more": True, "last_id": "b"},
        {"data": things("c"), "has_more": False, "last_id": "c"},
    )
    listing = Listing("/things", by_last_id, page_size=2, params={"all": "yes"})
    assert read(listing, script) == ["a", "b", "c"]
    assert script.asked == [
        ("/things", {"limit": "2", "all": "yes"}),
        ("/things", {"limit": "2", "all": "yes", "after": "b"}),
    ]


def test_a_list_continues_at_the_cursor_that_is_named_next() -> None:
    script = Script(
        {"data": things("a"), "has_more": True, "next": "opaque=="},
        {"data": things("b"), "has_more": False, "next": None},
    )
    assert read(Listing("/things", by_next), script) == ["a", "b"]
    assert script.asked[1][1]["after"] == "opaque=="


def test_an_object_that_stands_alone_is_one_page() -> None:
    script = Script({"id": "a", "enabled": True})
    assert read(Listing("/thing", single), script) == ["a"]
    assert len(script.asked) == 1


def test_ids_cannot_change_the_path() -> None:
    script = Script({"data": [], "has_more": False})
    read(Listing("/projects/{project_id}/users"), script, project_id="a/../b?c=d")
    assert script.asked[0][0] == "/projects/a%2F..%2Fb%3Fc%3Dd/users"


@pytest.mark.parametrize("style", [by_last_id, by_next])
def test_a_page_without_objects_is_the_last(style: Any) -> None:
    script = Script({"data": [], "has_more": True, "last_id": "z", "next": "z"})
    assert read(Listing("/things", style), script) == []


def test_without_last_id_the_last_object_is_the_cursor() -> None:
    script = Script({"data": things("a", "b"), "has_more": True}, {"data": []})
    assert read(Listing("/things"), script) == ["a", "b"]
    assert script.asked[1][1]["after"] == "b"


def test_without_has_more_a_list_is_read_until_nothing_new_comes() -> None:
    script = Script({"data": things("a")}, {"data": things("b")}, {"data": things("b")})
    assert read(Listing("/things"), script) == ["a", "b"]


def test_without_has_more_no_next_is_the_end() -> None:
    script = Script({"data": things("a"), "next": "n"}, {"data": things("b")})
    assert read(Listing("/things", by_next), script) == ["a", "b"]


@pytest.mark.parametrize(
    ("style", "page"),
    [
        (by_last_id, {"data": things("a"), "has_more": True, "last_id": "a"}),
        (by_next, {"data": things("a"), "has_more": True, "next": "n"}),
    ],
)
def test_a_list_that_goes_round_in_circles_is_refused(style: Any, page: Any) -> None:
    with pytest.raises(BrokenPaging, match="brings no new one"):
        read(Listing("/things", style), Script(page, page))


def test_a_list_that_promises_more_without_a_cursor_is_refused() -> None:
    script = Script({"data": things("a"), "has_more": True, "next": None})
    with pytest.raises(BrokenPaging, match="gives no cursor"):
        read(Listing("/things", by_next), script)


def test_an_object_that_comes_twice_is_given_once() -> None:
    script = Script(
        {"data": things("a", "b", "b"), "has_more": True, "last_id": "b"},
        {"data": things("b", "c"), "has_more": False},
    )
    assert read(Listing("/things"), script) == ["a", "b", "c"]


def test_several_documents_make_one_page() -> None:
    parts = [
        {"data": things("a"), "has_more": True, "last_id": "a"},
        {"data": things("b"), "has_more": False, "last_id": "b"},
    ]
    body = b"\n".join(json.dumps(part).encode() for part in parts)
    script = Script(body, {"data": [], "has_more": False})
    assert read(Listing("/things"), script) == ["a", "b"]
    assert script.asked[1][1]["after"] == "b"


@pytest.mark.parametrize(
    "page",
    [
        {"data": [{"name": "nobody"}]},
        {"data": [{"id": None}]},
        {"data": ["text"]},
        {"things": []},
        b"<html>",
        b"",
    ],
)
def test_a_page_that_cannot_be_read_is_a_bad_body(page: Any) -> None:
    with pytest.raises(BadBody):
        read(Listing("/things"), Script(page))


def test_numbers_are_exact() -> None:
    body = b'{"data":[{"id":"a","price":0.10,"large":12345678901234567890123}]}'
    (item,) = items(Listing("/things"), Script(body, {"data": []}))
    assert str(item["price"]) == "0.10"
    assert isinstance(item["price"], Decimal)
    assert item["large"] == 12345678901234567890123


@pytest.mark.parametrize("number", ["9" * 5001, "1e" + "9" * 301, "-1e" + "9" * 5001])
def test_a_number_without_bounds_is_a_bad_body(number: str) -> None:
    body = f'{{"data":[{{"id":"a","large":{number}}}]}}'.encode()
    with pytest.raises(BadBody, match="an object that cannot be read"):
        read(Listing("/things"), Script(body))


def test_what_is_nested_too_deeply_is_kept_as_text() -> None:
    deep = "[" * 500 + "]" * 500
    body = f'{{"data":[{{"id":"a","deep":{deep}}}]}}'.encode()
    (item,) = items(Listing("/things"), Script(body, {"data": []}))
    value, levels = item["deep"], 0
    while isinstance(value, list):
        value, levels = value[0], levels + 1
    assert levels < 100
    assert value == "[" * (500 - levels) + "]" * (500 - levels)
