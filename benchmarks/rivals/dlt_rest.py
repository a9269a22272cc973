"""The REST source of dlt, paging by cursor, extracted to files in a folder.

Only dlt's first step is run, which is what a tap does: no normalizing, no loading.

Usage: dlt_rest.py SETTINGS.json FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source


def main() -> None:
    """Read the whole log."""
    if sys.argv[1] == "--version":
        print(dlt.__version__)
        return
    settings = json.loads(Path(sys.argv[1]).read_text())
    source = rest_api_source(
        {
            "client": {
                "base_url": settings["api_url"],
                "auth": {"type": "bearer", "token": settings["admin_key"]},
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "last_id",
                    "cursor_param": "after",
                    "has_more_path": "has_more",
                },
            },
            "resources": [
                {
                    "name": "audit_logs",
                    "primary_key": "id",
                    "endpoint": {
                        "path": "organization/audit_logs",
                        "params": {"limit": 100},
                        "data_selector": "data",
                    },
                }
            ],
        }
    )
    dlt.pipeline("audit_logs", pipelines_dir=sys.argv[2]).extract(source)


if __name__ == "__main__":
    main()
