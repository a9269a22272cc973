"""Runs tests while a day, ten minutes or a February end.

``python -m testing.at_boundaries TESTS``, with options of pytest among them. Debian's
faketime changes what time it is for pytest and all that it starts. Each test begins ten
seconds before the end of a day, or two before the end of ten minutes; each file of
tests, ten seconds before the end of February.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_MISSING = (
    "Debian's faketime is missing, which changes the time for the tests: install it"
    " (Debian, Ubuntu: apt-get install faketime)"
)
_KIND = "TESTS_END"  # environment variables, for the processes of pytest-xdist
_FILES = "TESTS_CLOCKS"
#: Every Python that is started sleeps by `select`: where faketime 0.9 leaves the clock
#: alone that measures how long something takes, `clock_nanosleep` fails.
_SLEEP = """\
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
"""
#: Meltano starts plugins without PYTHONPATH, and target-postgres sleeps.
OF_MELTANO = "the target-postgres that Meltano starts cannot sleep there"
_NOT_IN_TESTS = 5  # pytest's exit code where it finds no test
_DAY = 86_400
_PERIOD = 600


class End(NamedTuple):
    """What ends while a test runs.

    Attributes:
        title: What it is called.
        following: Returns the next time at which a test begins, Unix seconds.
        each_test: Whether each test begins then, or each file of tests.
    """

    title: str
    following: Callable[[float], float]
    each_test: bool


def _every(seconds: int, before: int) -> Callable[[float], float]:
    return lambda now: (now + before) // seconds * seconds + seconds - before


def _end_of_february(now: float) -> float:
    year = datetime.fromtimestamp(now, timezone.utc).year
    ends = [datetime(year + n, 3, 1, tzinfo=timezone.utc).timestamp() for n in (0, 1)]
    return next(end for end in ends if end - 10 > now) - 10


ENDS = {
    "day": End("23:59:50", _every(_DAY, 10), each_test=True),
    "period": End("minute 9:58", _every(_PERIOD, 2), each_test=True),
    "february": End("the end of February", _end_of_february, each_test=False),
}


class Clock:
    """What faketime reads: the seconds by which this machine's clock is changed."""

    def __init__(self, end: End, file: Path) -> None:
        self._end = end
        self._file = file
        self._ahead = 0.0
        self._tests: Path | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Move on to the next time at which a test begins."""
        reason = item.get_closest_marker("machine_clock")
        if reason is not None:
            pytest.skip(f"cannot run under faketime: {reason.args[0]}")
        if self._end.each_test or item.path != self._tests:
            self._tests = item.path
            now = time.time()  # noqa: TID251 - which faketime changes
            self._ahead += self._end.following(now) - now
            # In one piece: others read it meanwhile.
            written = self._file.with_suffix(".new")
            written.write_text(f"{self._ahead:+.3f}\n")
            written.replace(self._file)


def pytest_configure(config: pytest.Config) -> None:
    """Give each process of pytest a clock of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    file = Path(os.environ[_FILES], worker)
    file.write_text("+0\n")
    os.environ["FAKETIME_TIMESTAMP_FILE"] = str(file)
    config.pluginmanager.register(Clock(ENDS[os.environ[_KIND]], file))


def main(arguments: list[str]) -> int:
    """Run the tests at each end, and return the first exit code that is not 0."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        sys.stderr.write(f"{_MISSING}\n")
        return 1
    codes = []
    for name, end in ENDS.items():
        sys.stdout.write(f"\nTests begin at {end.title}.\n")
        sys.stdout.flush()
        with TemporaryDirectory() as directory:
            codes.append(_run(libraries[0], name, Path(directory), arguments))
    return next((code for code in codes if code not in (0, _NOT_IN_TESTS)), 0)


def _run(library: Path, name: str, directory: Path, arguments: list[str]) -> int:
    start = directory / "start"
    start.write_text("+0\n")
    (directory / "sitecustomize.py").write_text(_SLEEP)
    root = Path(__file__).parents[1]
    variables = {
        **os.environ,
        "PYTHONPATH": str(directory),
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(start),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        _KIND: name,
        _FILES: str(directory),
    }
    command = [sys.executable, "-m", "pytest", "-p", "testing.at_boundaries"]
    return subprocess.run(
        [*command, *arguments], cwd=root, env=variables, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
