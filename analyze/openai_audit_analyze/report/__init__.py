"""Make a report of the dbt models: one HTML file for a period, and a manifest.

A build goes downwards: settings → snapshot → answers → charts and page → files. Only
the snapshot knows databases, and only the page knows HTML.
"""

from __future__ import annotations
