"""The machine that figures come from."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

_BUSY = 0.3


def description() -> str:
    """Processor, cores and memory in a line."""
    info = Path("/proc/cpuinfo")
    found = (
        re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    )
    model = found[1].strip() if found else platform.processor() or platform.machine()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}"


def load() -> float:
    """Processes that ran or waited to run, over the last minute, for each core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def warning(load: float) -> str:
    """What to think of times measured under such a load, nothing if it is small."""
    if load <= _BUSY:
        return ""
    return "The machine was busy: times are preliminary."
