"""What is done before anything else: a quick start, and little memory.

A run with nothing new makes two requests, every few minutes, and most of its time is
start-up. The SDK imports, for targets and for BATCH files, two packages that this tap
never calls. Putting them off takes such a run from 0.48 to 0.38 s of CPU and from 49 to
44 MB (medians of 25 runs that took turns with 25 without it; Python 3.11, SDK 0.54.9).
Remove this once the SDK imports them where it uses them: see docs/sdk.md.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import signal
import sys
from types import ModuleType
from typing import Any

# The numbers that glibc's malloc.h gives to the options of `mallopt`.
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3

_LARGE = 1 << 17
"""Bytes from which on an allocation goes back to the system as soon as it is freed: a
usual page has more. By itself glibc keeps more and more of them after the first."""

DEFERRED = {"joblib": ("Parallel", "delayed", "parallel_config"), "upath": ("UPath",)}
"""Modules, and the names that the SDK imports from them at its own import."""


def end_when_interrupted() -> None:
    """End at once on SIGINT, with its exit code, until `Signals` listens.

    Nothing is written so far. Python would raise KeyboardInterrupt wherever an import
    has come to, which ends in a traceback, and click makes exit code 1 of it.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, _: os._exit(128 + number))


def defer() -> None:
    """Stand in for the deferred modules. Call it before the SDK is imported."""
    for name, attributes in DEFERRED.items():
        if name not in sys.modules:
            module = ModuleType(name)
            for attribute in attributes:
                setattr(module, attribute, _Deferred(module, attribute))
            sys.modules[name] = module


def keep_memory_small() -> None:
    """Have freed memory go back to the system, where the C library is glibc.

    By itself it gives each thread an arena of its own, and keeps what a page took, once
    one was freed. Workers read the pages that the main thread frees, which leaves holes
    in all arenas: 100,000 events take 135 MB at the peak with one arena, and 67 where
    pages go back as well, in the same time (Python 3.11, concurrency 8).
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_ARENA_MAX, 1)
            mallopt(_M_MMAP_THRESHOLD, _LARGE)


class _Deferred:
    """Imports a function or class when it is called."""

    def __init__(self, stand_in: ModuleType, attribute: str) -> None:
        self._stand_in = stand_in
        self._attribute = attribute

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as it is
        name = self._stand_in.__name__
        if sys.modules.get(name) is self._stand_in:
            del sys.modules[name]
        module = importlib.import_module(name)
        return getattr(module, self._attribute)(*args, **kwargs)
