"""What happened is judged by the API's clock, and no single wrong `Date` counts."""

from __future__ import annotations

import pytest

from tap_openai_audit.http.api_clock import ApiClock

NOW = 1_790_000_000
DAY = 86_400


class Times:
    """Both clocks of this machine."""

    def __init__(self, machine: int = NOW) -> None:
        self.seconds = 0
        self.machine = machine
        self.api = ApiClock(lambda: self.seconds, lambda: self.machine + self.seconds)


def test_this_machines_clock_counts_only_until_a_response_tells_the_apis() -> None:
    times = Times(machine=NOW - 2 * DAY)
    assert times.api.earliest() == NOW - 2 * DAY
    times.api.observe(NOW)
    times.seconds = 10
    assert times.api.earliest() == times.api.latest() == NOW + 10
    assert times.api.earliest(seconds_ago=4) == NOW + 6


def test_a_date_that_is_wrong_once_does_not_count() -> None:
    times = Times()
    for date in (NOW, NOW + DAY, NOW + 1):
        times.api.observe(date)
    assert times.api.earliest() == NOW
    times.api.observe(0)
    # Less counts as happened, which is read again, and nothing lies in the future.
    assert times.api.earliest() == 0
    assert times.api.latest() == NOW + DAY


@pytest.mark.parametrize(
    ("behind", "dates", "doubtful"),
    [
        (0, [], True),
        (0, [NOW + 30], False),
        (-DAY, [NOW], False),
        (DAY, [NOW], True),
        (DAY, [NOW, NOW], False),
    ],
)
def test_a_single_date_is_doubtful_where_this_machines_clock_is_far_behind(
    behind: int,
    dates: list[int],
    doubtful: bool,  # noqa: FBT001 - a case
) -> None:
    times = Times(machine=NOW - behind)
    for date in dates:
        times.api.observe(date)
    assert times.api.is_doubtful is doubtful
