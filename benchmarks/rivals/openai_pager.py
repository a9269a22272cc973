"""The official client: its pager over the audit logs, to JSON lines.

Usage: openai_pager.py SETTINGS.json > events.jsonl
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import openai


def main() -> None:
    """Read the whole log."""
    if sys.argv[1] == "--version":
        print(openai.__version__)
        return
    settings = json.loads(Path(sys.argv[1]).read_text())
    client = openai.OpenAI(
        admin_api_key=settings["admin_key"], base_url=settings["api_url"]
    )
    for event in client.admin.organization.audit_logs.list(limit=100):
        sys.stdout.write(event.to_json(indent=None) + "\n")


if __name__ == "__main__":
    main()
