"""How often a stream of events writes a STATE."""

from __future__ import annotations

CHECKPOINT_EVENTS = 1_000
"""What a killed run may repeat at the most. A checkpoint costs about as much as the
records of 50 events."""

CHECKPOINT_SECONDS = 10.0
"""So that a slow backfill, too, is resumed close to where it ended."""
