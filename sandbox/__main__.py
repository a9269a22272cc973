"""Starts a sandbox: ``python -m sandbox --help``."""

from __future__ import annotations

from sandbox.options import parse
from sandbox.server.api import serve


def _print(urls: list[str]) -> None:
    """Print the base URLs, and nothing else, a line each."""
    print(*urls, sep="\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    serve(parse(), _print)
