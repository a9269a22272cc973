"""The least that reading the log can cost with requests and msgspec.

It reads one page after the other and writes JSON lines, without state, retries, order
or checks.

Usage: bare_loop.py SETTINGS.json > events.jsonl
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec
import requests


def main() -> None:
    """Read the whole log."""
    if sys.argv[1] == "--version":
        print(msgspec.__version__)
        return
    settings = json.loads(Path(sys.argv[1]).read_text())
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {settings['admin_key']}"
    params: dict[str, str | int] = {"limit": 100}
    decoder, encoder = msgspec.json.Decoder(), msgspec.json.Encoder()
    while True:
        response = session.get(
            f"{settings['api_url']}/organization/audit_logs", params=params, timeout=60
        )
        response.raise_for_status()
        page = decoder.decode(response.content)
        sys.stdout.buffer.write(encoder.encode_lines(page["data"]))
        if not page["has_more"]:
            return
        params["after"] = page["last_id"]


if __name__ == "__main__":
    main()
