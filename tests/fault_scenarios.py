"""What it takes more than a fault to tell: time passes, and events appear meanwhile.

Time is the API's: its clock is moved, so that hours pass at once. What each scenario
expects is the same: every event that appeared within LOOKBACK of its own time, by the
API's clock, or within the days of a deep look, is emitted exactly once over all of its
runs.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_command import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_command import Outcome, TapCommand

LOOKBACK = 3_600
_LATEST = LOOKBACK - 600  # what a busy machine takes to add an event changes nothing
_TWO_DAYS = 2 * 86_400
_SIX_DAYS = 6 * 86_400
_BETWEEN_DEEP_LOOKS = 25 * 3_600
_STALL = _OUTAGE = 2 * 3_600
_YEAR_2300, _YEAR_9999 = 10_413_792_000, 253_370_764_800
_SETTINGS: dict[str, Any] = {"lookback_seconds": LOOKBACK, "max_retry_seconds": 1}


@dataclass
class Story:
    """Runs of the command that follow each other, each from the last state."""

    tap: TapCommand
    chance: random.Random
    runs: list[Outcome]

    @property
    def state(self) -> dict[str, Any] | None:
        states = (run.state for run in reversed(self.runs))
        return next((state for state in states if state is not None), None)

    def run(self) -> None:
        self.runs.append(self.tap.run(state=self.state, **_SETTINGS))

    def pass_to(self, seconds: float) -> None:
        """Let so much time have passed since the story began."""
        began = self.tap.sandbox.options.clock_skew_seconds
        self.tap.sandbox.control.behave(clock_skew_seconds=began + seconds)

    @property
    def now(self) -> int:
        return int(self.tap.sandbox.control.now())

    def add(self, count: int, *, at: int | None = None) -> None:
        """Let events appear, by default a little late."""
        for _ in range(count):
            late = self.now - self.chance.randrange(_LATEST)
            scope = self.chance.choice(["organization", "tenant"])
            self.tap.sandbox.control.add_events(
                1, at=late if at is None else at, scope=scope
            )


def _stalled_target(story: Story) -> None:
    """The target stops reading for two hours, and events go on appearing late."""
    chance, requests = story.chance, story.tap.sandbox.control.requests
    with story.tap.started(**_SETTINGS) as running:
        running.read(chance.randrange(1, 4_000))
        _wait_until_it_stands_still(lambda: int(requests()["count"]))
        for passed in range(0, _STALL, 120):
            story.pass_to(passed)
            story.add(1)
        story.runs.append(running.ended())
    story.run()


def _outage(story: Story) -> None:
    """Nothing appears for two hours, then all of it, and one event is of the future."""
    future = story.now + 86_400 * story.chance.randrange(1, 400)
    story.add(1, at=story.chance.choice([future, _YEAR_2300, _YEAR_9999]))
    story.run()
    began, control = story.now, story.tap.sandbox.control
    for passed in (_OUTAGE // 2, _OUTAGE):
        story.pass_to(passed)
        if story.chance.random() < 0.5:
            begin = story.chance.randrange(3)
            control.faults(
                {"kind": "status", "status": 503, "at": list(range(begin, 5_000))}
            )
        story.run()
        control.faults()
    # No run has seen anything newer than the outage, so none may have gone past it.
    for number in range(118):
        story.add(1, at=began + number * _OUTAGE // 118)
    story.run()


def _wrong_clock(story: Story) -> None:
    """This machine's clock is wrong, and nothing else is."""
    story.run()
    for hour in (1, 2):
        story.pass_to(hour * 3_600)
        story.add(3, at=story.now)
        story.add(story.chance.randrange(1, 20))
        story.run()


def _late_by_days(story: Story) -> None:
    """A day passes between runs, and events appear that are days old."""
    story.run()
    for day in range(1, 4):
        story.pass_to(day * _BETWEEN_DEEP_LOOKS)
        story.add(1)
        for _ in range(story.chance.randrange(1, 3)):
            story.add(1, at=story.now - story.chance.randrange(LOOKBACK, _SIX_DAYS))
        story.run()
    story.run()


#: More than is read ahead, within hours: a stall then has windows of the last hour
#: that were read before it, and others that are read after it.
_DENSE = {"events": 22_000, "tenant_events": 60, "start": "0.1d"}

#: Off by two days is what this machine's clock shows and not what the API's does.
_AHEAD = {"clock": "machine", "clock_skew_seconds": _TWO_DAYS}
_BEHIND = {"clock": "machine", "clock_skew_seconds": -_TWO_DAYS}

SCENARIOS: dict[str, tuple[Callable[[Story], None], dict[str, Any]]] = {
    "target stalls": (_stalled_target, _DENSE),
    "outage with a future event": (_outage, {}),
    "late by days": (_late_by_days, {}),
    "clock two days behind": (
        _wrong_clock,
        _AHEAD,
    ),
    "clock two days ahead": (
        _wrong_clock,
        _BEHIND,
    ),
}


def tell(name: str, number: int, tap: TapCommand) -> list[Outcome]:
    """Let a scenario happen and return its runs."""
    story = Story(tap, random.Random(number), [])  # noqa: S311 - a reproducible choice
    SCENARIOS[name][0](story)
    return story.runs


def _wait_until_it_stands_still(count: Callable[[], int]) -> None:
    """Wait until the command reads no further ahead; the promise holds wherever it is.

    A machine that is too slow to be understood here makes another case of it.
    """
    deadline, last, since = time.monotonic() + DEADLINE, -1, time.monotonic()
    while time.monotonic() < min(deadline, since + 2):
        if (now := count()) != last:
            last, since = now, time.monotonic()
        time.sleep(0.1)
