"""Show people what the dbt models say: alerts of findings, and a report.

Each command has a folder, and an extra of this package that installs what it needs.
"""

from __future__ import annotations
