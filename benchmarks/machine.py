"""Describe the machine that figures come from."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

_BUSY = 0.3
"""The load per core from which on other work disturbs the measured times."""


def description() -> str:
    """Return processor, cores and memory in a line."""
    info = Path("/proc/cpuinfo")
    found = (
        re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    )
    model = found[1].strip() if found else platform.processor() or platform.machine()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}"


def load() -> float:
    """Return the load average of the last minute, per core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def warning(load: float) -> str:
    """Return a warning about times measured under a load, empty if it is small."""
    if load <= _BUSY:
        return ""
    return "The machine was busy: times are preliminary."
