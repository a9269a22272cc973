"""Run a command and write what it cost.

This is a process of its own because the kernel adds the parent's memory, as it was when
the command started, to the peak memory of the command. So it imports almost nothing and
runs without site packages.

Usage: launcher.py RESULT OUTPUT ERRORS COMMAND...
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Write exit code, wall, user and system seconds, and peak memory to RESULT."""
    result, output, errors, *command = sys.argv[1:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    opened = [
        (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, errors, flags, 0o600),
    ]
    began = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=opened)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - began
    # The kernel counts in KiB, that of macOS in bytes.
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    code = os.waitstatus_to_exitcode(status)
    with open(result, "w", encoding="ascii") as file:  # noqa: PTH123 - no import
        file.write(f"{code} {wall} {usage.ru_utime} {usage.ru_stime} {peak}")


if __name__ == "__main__":
    main()
