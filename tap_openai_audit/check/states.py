"""What a state says of each scope, and what the next run would read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_openai_audit.audit_logs.event_types import ORGANIZATION, TENANT
from tap_openai_audit.audit_logs.position import Asked, range_to_read
from tap_openai_audit.audit_logs.state import ScopeState
from tap_openai_audit.check.findings import Finding, Status
from tap_openai_audit.errors import BadState
from tap_openai_audit.singer.state_input import partitions_of, unwrapped
from tap_openai_audit.timestamps import iso
from tap_openai_audit.windows import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_openai_audit.settings import Settings

_NAME = "state"


def about_state(
    state: Mapping[str, Any] | None, settings: Settings, streams: Mapping[str, object]
) -> Finding:
    """Tell where a state stands, without an id of an event in it.

    Args:
        state: What was given, None if nothing was.
        settings: Those of the sync that is checked.
        streams: This tap's streams by their names.
    """
    if state is None:
        return Finding(_NAME, Status.SKIPPED, "None is given")
    try:
        found = unwrapped(state, streams).get("bookmarks", {})
        facts = [*_of_organization(found, settings)]
    except BadState as error:
        return Finding(_NAME, Status.FAILED, str(error))
    return finding_of(facts)


def finding_of(facts: Sequence[Mapping[str, Any]]) -> Finding:
    """Say where a state stands.

    Args:
        facts: Of each feed: its name as `scope`, `is_new`, `bookmark`, `filters`,
            `covered_from`, `reads_from` and `reads_before`.
    """
    text = "; ".join(map(_text, facts))
    return Finding(_NAME, Status.OK, text, {"scopes": facts})


def _of_organization(
    bookmarks: Mapping[str, Any], settings: Settings
) -> Iterator[dict[str, Any]]:
    partitions = partitions_of(bookmarks.get("audit_logs", {}))
    for partition in partitions.values():
        ScopeState.read(partition).refuse_others_than(settings.organization_id)
    for scope in [ORGANIZATION, *([TENANT] if settings.tenant_events else [])]:
        yield _facts(scope, ScopeState.read(partitions.get(scope, {})), settings)


def _facts(scope: str, state: ScopeState, settings: Settings) -> dict[str, Any]:
    asked = Asked(settings.start, settings.end, settings.lookback_seconds)
    window = range_to_read(asked, state.position)
    return {
        "scope": scope,
        "is_new": state.position.is_new,
        "bookmark": _iso(state.position.bookmark),
        "filters": None if state.filters is None else str(state.filters),
        "covered_from": _iso(state.covered_from),
        "reads_from": _iso(window.start),
        "reads_before": None if window.end == END else iso(window.end),
    }


def _text(facts: Mapping[str, Any]) -> str:
    reads = f"the next run reads from {facts['reads_from'] or 'the beginning'}"
    if facts["reads_before"]:
        reads += f" to {facts['reads_before']}"
    if facts["is_new"]:
        return f"{facts['scope']}: not read so far, {reads}"
    covered = f"covered from {facts['covered_from'] or 'the beginning'}"
    emitted = f"emitted up to {facts['bookmark']}"
    if facts["bookmark"] is None:
        emitted = "read, no event so far"
    return f"{facts['scope']}: {emitted}, {covered} under {facts['filters']}, {reads}"


def _iso(second: int | None) -> str | None:
    return None if second is None or second == BEGINNING else iso(second)
