"""The files that a workspace has from the beginning."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from sandbox.organization.things import new_id
from sandbox.organization.timeline import timeline
from sandbox.organization.workspace import AUDIT_LOG, AUTH_LOG, timestamp
from sandbox.server.log_file import TRAPS, LogFile
from sandbox.story.workspace import StoryWorkspace

if TYPE_CHECKING:
    import random

    from sandbox.options import Options
    from sandbox.organization.workspace import WorkspaceEvent, WorkspaceWriter

#: What can be wrong among files; `TRAPS` has what can be wrong with one.
AMONG_FILES = {
    "shared_end_times": "several files end at the same time",
    "late_events": "events stand in a later file than the one of their time",
    "late_files": "files are listed only when the control endpoints show them",
}
PERIOD_SECONDS = 600
_AUDIT_SHARE = 0.7
_MOST_EVENTS = 15_000  # of some 800 bytes: a file has at most 15 MB
_ONE_IN = 5  # files that a trap is in
_LATE_PERIODS = 3
_REPEATED = 3  # events of a file that stand in the next again


def history(
    options: Options, writer: WorkspaceWriter, rng: random.Random, now: float
) -> list[LogFile]:
    """Return the files of a workspace's history; they are listed once they have ended.

    Args:
        options: Number of events, span, shape and traps.
        writer: Makes the events.
        rng: Source of randomness.
        now: The API's clock, Unix seconds.

    Raises:
        ValueError: There is no such trap, or the span is none.
    """
    traps = frozenset(filter(None, options.workspace_traps.split(",")))
    unknown = traps - TRAPS.keys() - AMONG_FILES.keys()
    if unknown:
        raise ValueError(f"no trap is called {sorted(unknown)}")
    span = options.workspace_span(now)
    audits = int(options.workspace_events * _AUDIT_SHARE)
    files = []
    for event_type, count in (
        (AUDIT_LOG, audits),
        (AUTH_LOG, options.workspace_events - audits),
    ):
        times = timeline(rng, count, span, options.shape)
        happened = list(zip(times, writer.write(event_type, times), strict=True))
        if event_type == AUTH_LOG and isinstance(writer, StoryWorkspace):
            happened += _of_incident(options, writer, span, now)
            happened.sort(key=lambda pair: pair[0])
        periods = _periods(rng, happened, late="late_events" in traps)
        made = _files(rng, event_type, periods, shared="shared_end_times" in traps)
        files += _trapped(rng, made, traps, writer)
    return files


def _of_incident(
    options: Options, writer: StoryWorkspace, span: tuple[int, int], now: float
) -> list[tuple[int, WorkspaceEvent]]:
    """Return the sign-ins of an incident on top, if the workspace has a log of then."""
    at = options.incident_at(now)
    if at is None or not options.workspace_events:
        return []
    return [pair for pair in writer.sprayed(at) if span[0] <= pair[0] < span[1]]


def _periods(
    rng: random.Random, happened: list[tuple[int, WorkspaceEvent]], *, late: bool
) -> dict[int, list[WorkspaceEvent]]:
    """Return events by the end of their ten minutes, Unix seconds."""
    periods: dict[int, list[WorkspaceEvent]] = {}
    last = _end(happened[-1][0]) if happened else 0
    for at, event in happened:
        end = _end(at)
        if late and rng.randrange(_ONE_IN) == 0:
            end = min(end + _LATE_PERIODS * PERIOD_SECONDS, last)
        periods.setdefault(end, []).append(event)
    return dict(sorted(periods.items()))


def _end(at: int) -> int:
    return (at // PERIOD_SECONDS + 1) * PERIOD_SECONDS


def _files(
    rng: random.Random,
    event_type: str,
    periods: dict[int, list[WorkspaceEvent]],
    *,
    shared: bool,
) -> list[LogFile]:
    """Return the files of the periods: one each, unless it is too large or shared."""
    split = _some(rng, len(periods)) if shared else []
    files = []
    for number, (end, events) in enumerate(periods.items()):
        size = -(-len(events) // 3) if number in split else _MOST_EVENTS
        end_time = timestamp(end, rng.choice((0, rng.randrange(1_000_000))))
        for at in range(0, len(events), size):
            part = tuple(events[at : at + size])
            file = LogFile(new_id(rng, "log"), event_type, end_time, part)
            files.append(replace(file, visible_at=float(file.end)))
    return files


def _trapped(
    rng: random.Random,
    files: list[LogFile],
    traps: frozenset[str],
    writer: WorkspaceWriter,
) -> list[LogFile]:
    """Return the files with each trap in some of them."""
    made = list(files)
    for trap in sorted(traps & TRAPS.keys()):
        for number in _some(rng, len(files)):
            made[number] = replace(made[number], traps=made[number].traps | {trap})
    if "late_files" in traps:
        for number in _some(rng, len(files)):
            made[number] = replace(made[number], visible_at=inf)
    before = [None, *files]
    return [with_extras(*pair, writer) for pair in zip(made, before, strict=False)]


def with_extras(
    file: LogFile, before: LogFile | None, writer: WorkspaceWriter
) -> LogFile:
    """Return a file with the further events that its traps ask for.

    Args:
        file: The file.
        before: The file before it, of its type.
        writer: Makes events.
    """
    events = file.events
    if "duplicates" in file.traps and before is not None:
        events = (*before.events[-_REPEATED:], *events)
    if "hostile" in file.traps:
        events = (*events, writer.hostile(file.type, float(file.end) - 1))
    return replace(file, events=events)


def _some(rng: random.Random, count: int) -> list[int]:
    """Return the places of one in five, at least of one if there is any."""
    return rng.sample(range(count), min(count, max(1, count // _ONE_IN)))
