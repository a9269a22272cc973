"""What the tests of all parts have."""

from __future__ import annotations

pytest_plugins = ["testing.plugin"]
