"""What the rules find is told once, and comes out the same in whatever order it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.messages import event, events

if TYPE_CHECKING:
    from integration_tests.messages import Message
    from integration_tests.warehouse import Warehouse


@pytest.fixture
def own(warehouse: Warehouse) -> Warehouse:
    """The warehouse with nothing in it. It keeps its names, so dbt parses once."""
    warehouse.clear()
    return warehouse


def removed(id_: str, key: str, at: str = "2026-11-01T12:00:00Z") -> Message:
    details = {"id": key}
    return event(id_, type="external_key.removed", effective_at=at, details=details)


def told(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "select entity, severity, event_count, sentence, suppressed_reason"
        " from {answers}.openai_audit__findings order by entity, first_event_at"
    )


def test_a_finding_is_told_once_and_only_its_events_grow(own: Warehouse) -> None:
    own.load(events(removed("a", "key-1"), removed("b", "key-2")))
    own.build()
    sentence = "ada@example.com removed the encryption key key-{}"
    assert told(own) == [
        ("key-1", "critical", 1, sentence.format(1), None),
        ("key-2", "critical", 1, sentence.format(2), None),
    ]
    before = own.texts("openai_audit__findings")
    own.build()
    assert own.texts("openai_audit__findings") == before
    own.load(events(removed("c", "key-1", "2026-11-01T09:00:00Z")))
    own.build()
    assert [row[:3] for row in told(own)] == [
        ("key-1", "critical", 2),
        ("key-2", "critical", 1),
    ]
