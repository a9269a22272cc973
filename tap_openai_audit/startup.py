"""What is done before anything else: a quick start, and little memory.

A run with nothing new makes two requests and should take no longer than that. The SDK
imports, for targets and for BATCH files, two packages that take a part of its start-up
and that this tap never calls. They are put off here until someone does.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import sys
from types import ModuleType
from typing import Any

_M_ARENA_MAX = -8

DEFERRED = {"joblib": ("Parallel", "delayed", "parallel_config"), "upath": ("UPath",)}
"""Modules, and the names that the SDK imports from them at its own import."""


def defer() -> None:
    """Stand in for the deferred modules. To be called before the SDK is imported."""
    for name, attributes in DEFERRED.items():
        if name not in sys.modules:
            module = ModuleType(name)
            for attribute in attributes:
                setattr(module, attribute, _Deferred(module, attribute))
            sys.modules[name] = module


def use_one_arena() -> None:
    """Have all threads share one arena of memory, where the C library is glibc.

    It would give each worker an arena of its own, and pages that workers read and the
    main thread frees would leave holes in all of them: a quarter of the peak.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class _Deferred:
    """A function or class that is imported when it is called."""

    def __init__(self, stand_in: ModuleType, attribute: str) -> None:
        self._stand_in = stand_in
        self._attribute = attribute

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as it is
        name = self._stand_in.__name__
        if sys.modules.get(name) is self._stand_in:
            del sys.modules[name]
        module = importlib.import_module(name)
        return getattr(module, self._attribute)(*args, **kwargs)
