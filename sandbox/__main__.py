"""Starts a sandbox: ``python -m sandbox --help``."""

from __future__ import annotations

from sandbox.options import parse
from sandbox.server.api import serve

if __name__ == "__main__":
    serve(parse())
