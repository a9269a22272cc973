"""What is run while the tap is made, and not shipped with it."""

from __future__ import annotations
