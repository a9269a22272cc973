"""Shows the tap at work, with Meltano and an embedded PostgreSQL."""

from __future__ import annotations
