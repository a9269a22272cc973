"""The edge to Singer. Thin: what is extracted and how is decided elsewhere."""

from __future__ import annotations
