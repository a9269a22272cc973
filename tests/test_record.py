"""From a record the event can be rebuilt, whatever the API adds to it."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_openai_audit.audit_logs.api import decode_page
from tap_openai_audit.audit_logs.event_types import event_types
from tap_openai_audit.audit_logs.record import Recorder
from tap_openai_audit.audit_logs.schema import SCHEMA
from tap_openai_audit.http.bodies import BadBody
from tap_openai_audit.http.nesting import MOST_LEVELS, shallow
from tap_openai_audit.timestamps import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDER = Recorder("organization", "org-sandbox")
VALIDATOR = jsonschema.Draft7Validator(
    SCHEMA, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
)

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)
numbers = st.one_of(
    st.integers(),
    st.sampled_from([2**53 + 1, -(2**63), 2**64, 10**40, Decimal("0.1")]),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.just(Decimal("3.14159265358979323846264338327950288419716939937510")),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=4)
users = st.fixed_dictionaries({}, optional={"id": texts, "email": texts, "new": values})
actors = st.one_of(
    st.none(),
    values,
    st.fixed_dictionaries(
        {"type": st.just("session")},
        optional={
            "session": st.fixed_dictionaries(
                {"user": users},
                optional={"ip_address": texts, "ja3": texts, "tomorrow": values},
            ),
            "tomorrow": values,
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("api_key"), "api_key": st.fixed_dictionaries({"user": users})}
    ),
    st.fixed_dictionaries({"type": st.just("robot"), "robot": objects}),
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Known types and unknown ones, known keys and unknown ones, at every level."""
    name = draw(st.one_of(st.sampled_from(sorted(event_types())), texts))
    at = draw(st.integers(0, 4 * 10**9))
    event: dict[str, Any] = {
        "object": draw(st.sampled_from(["organization.audit_log", "other", None])),
        "id": draw(texts),
        "effective_at": draw(
            st.sampled_from([at, str(at), Decimal(at) + Decimal("0.5")])
        ),
        "type": name,
    }
    if draw(st.booleans()):
        event["actor"] = draw(actors)
    if draw(st.booleans()):
        event["project"] = draw(
            st.one_of(st.none(), values, st.fixed_dictionaries({"id": texts}))
        )
    for key, value in draw(objects).items():
        event.setdefault(key, value)
    if name not in event and draw(st.booleans()):
        event[name] = draw(st.one_of(objects, values))
    return event


def written(value: Any) -> str:
    """JSON with all digits."""
    match value:
        case Decimal():
            return str(value)
        case dict():
            return (
                "{"
                + ", ".join(f"{json.dumps(k)}: {written(v)}" for k, v in value.items())
                + "}"
            )
        case list():
            return "[" + ",\n".join(map(written, value)) + "]"
        case _:
            return json.dumps(value)


def exact(text: str | bytes) -> Any:
    """What a JSON text says, with numbers as exact decimals."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def page(*written_events: str) -> bytes:
    return f'{{"object": "list",\n "data": [{", ".join(written_events)}]}}'.encode()


def json_of(event: str) -> bytes:
    return RECORDER.json(decode_page(page(event)).events[0])


def rebuilt(record: dict[str, Any]) -> dict[str, Any]:
    """The event that a record was made of."""
    event = {
        "object": "organization.audit_log",
        "id": record["id"],
        "effective_at": Decimal(
            datetime.fromisoformat(record["effective_at"]).timestamp()
        ),
        "type": record["type"],
        "project": record["project"],
        "actor": record["actor"],
    }
    if record["details"] is not None:
        event[record["type"]] = record["details"]
    return {**event, **(record["extra"] or {})}


def without_nulls(event: dict[str, Any]) -> dict[str, Any]:
    """Null and absent need not be told apart at the top."""
    return {key: value for key, value in event.items() if value is not None}


@settings(max_examples=150)
@given(event=events())
@example({"id": "a", "effective_at": 1, "type": "actor", "actor": {"type": "x"}})
@example({"id": "a", "effective_at": 1, "type": "extra", "extra": {"id": 2**53 + 1}})
@example({"id": "a", "effective_at": 1, "type": "t", "t": ["no", "object"]})
@example({"id": "a", "effective_at": 1, "type": "details", "details": {}, "t": {}})
def test_the_event_can_be_rebuilt_from_its_record(event: dict[str, Any]) -> None:
    text = written(event)
    record = exact(json_of(text))
    original = {"object": "organization.audit_log", **exact(text)}
    assert without_nulls(rebuilt(record)) == without_nulls(original)


@settings(max_examples=100)
@given(event=events())
def test_a_record_validates_against_the_schema(event: dict[str, Any]) -> None:
    VALIDATOR.validate(json.loads(json_of(written(event))))


def test_a_record_has_the_columns_of_the_schema_in_their_order() -> None:
    record = json.loads(json_of('{"id": "a", "effective_at": 1, "type": "t"}'))
    assert list(record) == list(SCHEMA["properties"])


def paths_to_texts(column: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, inner in column["properties"].items():
        if "properties" in inner:
            yield from ((name, *rest) for rest in paths_to_texts(inner))
        else:
            yield (name,)


@pytest.mark.parametrize(
    ("column", "path"),
    [
        (name, path)
        for name in ("project", "actor")
        for path in paths_to_texts(SCHEMA["properties"][name])
    ],
)
def test_an_object_in_which_one_value_does_not_fit_goes_to_extra(
    column: str, path: tuple[str, ...]
) -> None:
    def holding(leaf: Any) -> Any:
        value = leaf
        for name in reversed(path):
            value = {name: value}
        return value

    def record(leaf: Any) -> Any:
        event = {"id": "a", "effective_at": 1, "type": "t", column: holding(leaf)}
        return json.loads(json_of(json.dumps(event)))

    assert record("text")[column] == holding("text")
    assert record(7)[column] is None
    assert record(7)["extra"] == {column: holding(7)}


@settings(max_examples=100)
@given(event=events())
def test_a_record_for_the_sdk_says_the_same_to_the_last_digit(
    event: dict[str, Any],
) -> None:
    one = decode_page(page(written(event))).events[0]
    record = RECORDER.record(one)

    def as_decimals(value: Any) -> Any:
        match value:
            case bool() | None | str():
                return value
            case dict():
                return {key: as_decimals(inner) for key, inner in value.items()}
            case list():
                return [as_decimals(inner) for inner in value]
            case _:
                return Decimal(value)

    assert as_decimals(record) == exact(RECORDER.json(one))


@settings(max_examples=100)
@given(event=events())
def test_a_record_is_one_line(event: dict[str, Any]) -> None:
    line = json_of(json.dumps(exact(written(event)), default=str, indent=2))
    assert b"\n" not in line
    assert b"\r" not in line


def test_the_record_has_one_format_of_time_for_ever() -> None:
    assert iso(0) == "1970-01-01T00:00:00+00:00"
    assert iso(1_790_000_000) == "2026-09-21T14:13:20+00:00"
    assert iso(253_402_300_799) == "9999-12-31T23:59:59+00:00"


@pytest.mark.parametrize(
    ("at", "second"),
    [
        ("1790000000", 1_790_000_000),
        ("1790000000.9", 1_790_000_000),
        ('"1790000000"', 1_790_000_000),
        ('"1790000000.5"', 1_790_000_000),
        ('"2026-09-21T14:13:20Z"', 1_790_000_000),
        ("1.79e9", 1_790_000_000),
        # 23:59:60 counts as the first second of the next day, as Unix time does.
        ("1483228800", 1_483_228_800),
        ("253402300799", 253_402_300_799),
        ("-5", -5),
        ("-99999999999999", -62_135_596_800),
    ],
)
def test_a_time_is_read_in_every_form_and_kept_as_it_came(at: str, second: int) -> None:
    event = f'{{"id": "a", "type": "t", "effective_at": {at}}}'
    record = exact(json_of(event))
    assert record["effective_at"] == iso(second)
    assert rebuilt(record)["effective_at"] == exact(at)


@pytest.mark.parametrize(
    "at", ["null", "[]", '"soon"', "true", '""', "253402300800", "1790000000000"]
)
def test_an_event_without_a_usable_time_is_set_aside(at: str) -> None:
    unusable = f'{{"id": "a", "type": "t", "effective_at": {at}}}'
    usable = '{"id": "b", "type": "t", "effective_at": 1}'
    read = decode_page(page(unusable, usable))
    assert [event.id for event in read.events] == ["b"]
    assert read.set_aside == ["a"]


def test_an_event_without_time_and_id_is_refused() -> None:
    with pytest.raises(BadBody):
        decode_page(page('{"type": "t"}'))


def test_a_nul_becomes_the_replacement_character_at_any_depth() -> None:
    said = r'[{"\u0000": ["a\u0000b", "\\u0000"]}]'
    text = f'{{"id":"a","effective_at":1,"type":"t","x":{said}}}'
    assert exact(json_of(text))["extra"]["x"] == [{"�": ["a�b", "\\u0000"]}]


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    said = r'"\ud800 \udc00 \ud83d\ude00 \\ud800"'
    text = f'{{"id":"a","effective_at":1,"type":"t","x":{said}}}'
    assert exact(json_of(text))["extra"]["x"] == "� � 😀 \\ud800"


def test_a_byte_that_is_no_text_becomes_the_replacement_character() -> None:
    body = page('{"id":"a","effective_at":1,"type":"t","x":"?"}').replace(b"?", b"\xff")
    record = exact(RECORDER.json(decode_page(body).events[0]))
    assert record["extra"]["x"] == "�"


def nested(levels: int) -> str:
    return "[" * levels + '"]["' + "]" * levels


@pytest.mark.parametrize("levels", [MOST_LEVELS - 1, MOST_LEVELS, 500, 20_000])
def test_what_is_nested_too_deeply_is_kept_as_text(levels: int) -> None:
    text = f'{{"id":"a","effective_at":1,"type":"t","t":{{"deep":{nested(levels)}}}}}'
    record = exact(json_of(text))
    value, depth = record["details"]["deep"], 0
    while isinstance(value, list):
        value, depth = value[0], depth + 1
    assert depth <= MOST_LEVELS
    # The innermost text holds one bracket of each kind.
    assert depth + value.count("[") - 1 == levels


def test_what_is_nested_as_usual_is_left_alone() -> None:
    body = b'{"a": [{"b": "{[\\"}"}, {}], "c": []}'
    assert shallow(body) == body


def test_several_documents_make_one_page() -> None:
    def document(number: int, more: str) -> str:
        event = f'{{"id": "{number}", "effective_at": {number}, "type": "t"}}'
        return f'{{"data": [{event}], "has_more": {more}, "last_id": "{number}"}}'

    body = f"{document(1, 'false')}\n{document(2, 'true')} {document(3, 'false')}"
    read = decode_page(body.encode())
    assert [event.id for event in read.events] == ["1", "2", "3"]
    assert read.has_more
    assert read.cursor == "3"


def bare(number: int) -> str:
    return f'{{"id": "{number}", "effective_at": {number}, "type": "t"}}'


@pytest.mark.parametrize(
    "body",
    [
        bare(1),
        f"{bare(1)}{bare(2)}",
        f"{bare(1)}\n{bare(2)}\n",
        f"[{bare(1)}, {bare(2)}]",
        f"\n[\n  {bare(1)},\n  {bare(2)}\n]\n",
        f"[{bare(1)}] [{bare(2)}]",
        f"{bare(1)} [{bare(2)}]",
        "[]",
    ],
)
def test_bare_events_make_a_page_that_promises_nothing(body: str) -> None:
    read = decode_page(body.encode())
    ids = [str(n) for n in (1, 2) if bare(n) in body]
    assert [e.id for e in read.events] == ids
    assert read.has_more is None
    assert read.cursor == (ids[-1] if ids else None)
    assert all(json.loads(bytes(e.body))["type"] == "t" for e in read.events)
    assert not any(b"\n" in bytes(e.body) for e in read.events)


@pytest.mark.parametrize(
    ("more", "promised"), [("false", None), ("true", True), ("null", None)]
)
def test_bare_events_beside_an_envelope_are_read(
    more: str, *, promised: bool | None
) -> None:
    envelope = f'{{"data": [{bare(1)}], "has_more": {more}, "last_id": "1"}}'
    read = decode_page(f"{envelope} {bare(2)}".encode())
    assert [event.id for event in read.events] == ["1", "2"]
    assert (read.has_more, read.cursor) == (promised, "2")
    read = decode_page(f"{bare(2)} {envelope}".encode())
    assert [event.id for event in read.events] == ["2", "1"]
    assert (read.has_more, read.cursor) == (promised, "1")


def test_a_page_knows_its_size() -> None:
    body = f"[{bare(1)}]".encode()
    assert decode_page(body).size == len(body)


@pytest.mark.parametrize("digits", [301, 401, 5001])
@pytest.mark.parametrize("form", ["{}", "-{}", "{}.5", '"{}"', '"{}.5"', "1e{}"])
def test_a_number_of_any_length_is_a_time_or_set_aside(digits: int, form: str) -> None:
    at = form.format("9" * digits)
    read = decode_page(page(f'{{"id": "a", "effective_at": {at}}}'))
    loaded = [event.id for event in read.events]
    assert sorted([*loaded, *read.set_aside]) == ["a"]
    assert all(len(iso(event.effective_at)) < 50 for event in read.events)


@pytest.mark.parametrize("field", ["has_more", "last_id"])
def test_a_number_of_any_length_promises_nothing(field: str) -> None:
    with pytest.raises(BadBody, match="another shape"):
        decode_page(f'{{"data": [], "{field}": {"9" * 301}}}'.encode())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "an empty body"),
        (b"<html>Bad gateway</html>", "an HTML page"),
        (b"Bad gateway", "no JSON"),
        (b'{"data": [{"id": "a"', "cut off"),
        (b'["text"]', "an event that cannot be read"),
        (b'[{"error": {"message": "No."}}]', "an event that cannot be read"),
        (b'{"error": {"message": "No."}}', "an error"),
        (b'{"error": "No."} {"error": "No."}', "an error"),
        (b"7", "another shape"),
        (b'{"object": "list"}', "another shape"),
        (b'{"data": [{"id": 5, "effective_at": 1}]}', "an event that cannot be read"),
    ],
)
def test_a_body_of_another_kind_is_named(body: bytes, says: str) -> None:
    with pytest.raises(BadBody, match=says):
        decode_page(body)
