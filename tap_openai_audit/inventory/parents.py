"""The objects whose lists child streams read: projects, groups."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parent:
    """An object that has lists of its own."""

    id: str
    archived: bool
    filtered: bool
    """Whether a stream map leaves it out, and its lists with it."""


@dataclass(frozen=True)
class Parents:
    """The context of child streams: all the objects whose lists they read."""

    stream: str
    """The name of their stream."""
    all: tuple[Parent, ...]
    failure: str | None
    """Why they are not all, or not sure to be. None if they are."""

    def __str__(self) -> str:
        """Say how many there are, which is what logs and metrics show of a context."""
        return str(len(self.all))
